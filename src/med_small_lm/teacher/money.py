"""What calls cost, and a budget that they keep to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

LETTERS = 3.0
"""Letters of a prompt for a token, before a server has counted; English has 4 and more, so this is on the safe side."""

_NEWEST = 0.02  # least weight of the newest call in the mean cost of a task's calls


class Purse:
    """What was spent, and what is bound to be by the calls in flight.

    A call in flight is counted with the mean cost of its task's calls so far, the first ones with the most that they
    can cost. So a budget is passed by no more than the calls in flight cost above their mean.
    """

    def __init__(self, budget: float | None, spent: float, means: Mapping[str, float]) -> None:
        """Begin with what the ledger says was spent, and what a call of each task cost in the mean."""
        self.budget, self.spent = budget, spent
        self._means = dict(means)
        self._settled: Counter[str] = Counter({task: round(1 / _NEWEST) for task in means})
        self._bound: dict[str, float] = {}
        self._sum_bound = 0.0

    @property
    def is_bound(self) -> bool:
        """Return whether calls are in flight."""
        return bool(self._bound)

    def allows(self, task: str, most: float) -> bool:
        """Return whether the budget allows one call more."""
        if self.budget is None:
            return True
        return self.spent + self._sum_bound + self._means.get(task, most) <= self.budget

    def bind(self, call_id: str, task: str, most: float) -> None:
        """Count a call that is about to leave."""
        self._bound[call_id] = self._means.get(task, most)
        self._sum_bound += self._bound[call_id]

    def settle(self, call_id: str, task: str, cost: float) -> None:
        """Count a call that returned."""
        self.free(call_id)
        self.spent += cost
        if not cost:  # lost, or free: it says nothing about what the next one costs
            return
        self._settled[task] += 1
        mean = self._means.get(task, 0.0)
        self._means[task] = mean + max(_NEWEST, 1 / self._settled[task]) * (cost - mean)

    def free(self, call_id: str) -> None:
        """Forget a call that does not leave after all."""
        self._sum_bound -= self._bound.pop(call_id, 0.0)
        if not self._bound:
            self._sum_bound = 0.0  # and not what rounding has left
