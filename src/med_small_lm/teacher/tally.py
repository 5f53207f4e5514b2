"""What stands in a ledger, counted: calls by model, task and state, what they cost, and why tries failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from med_small_lm.teacher.calls import Call


@dataclass(slots=True)
class Tally:
    """Counts of a ledger's calls; ``costs`` are by model and task, in the currency of the prices."""

    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    costs: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        """Yield the counts as text, a line each."""
        for (model, task), cost in sorted(self.costs.items()):
            states = {state: n for (*of, state), n in sorted(self.calls.items()) if of == [model, task]}
            counts = ", ".join(f"{n:,} {state}" for state, n in states.items())
            yield f"{model}  {task}: {counts}" + (f"; cost {cost:.6g}" if cost else "")
        read, said = self.tokens["prompt_tokens"], self.tokens["completion_tokens"]
        yield f"in all: {self.calls.total():,} calls, {read:,} prompt and {said:,} reply tokens, cost {self.spent:.6g}"
        if self.causes:
            listed = ", ".join(f"{n:,} {cause}" for cause, n in self.causes.most_common())
            yield f"failed tries: {listed}"

    @property
    def spent(self) -> float:
        """Return what all calls cost."""
        return float(sum(self.costs.values()))


def tally(calls: Iterable[Call]) -> Tally:
    """Return the counts of ``calls``; causes of failed tries go by what stands before their colon (``HTTP 429``)."""
    counted = Tally()
    for call in calls:
        counted.calls[call.model, call.task, call.status] += 1
        counted.costs[call.model, call.task] += call.cost  # type: ignore[assignment]  # a Counter of money
        counted.tokens.update(call.usage)
        counted.causes.update(str(one["cause"]).partition(":")[0] for one in call.tries)
    return counted
