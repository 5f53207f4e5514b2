"""The forecast: from the finished calls of a pilot to what the rest will take, each with a range.

    point  the pilot's means by method, times what waits: letters of the prompts are known, lengths of replies are not
    range  many worlds are simulated in which the point is true: what would a pilot of this size have said there, and
           what would the rest have taken? The quotients of the two, times the point, are the range.

Replies that wait vary as those of the pilot do, and that is in the range too. What is not: an endpoint that becomes
slower or faster than it was during the pilot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.pilot import Group, Measured, pilot_of
from med_small_lm.teacher.spread import Draws
from med_small_lm.teacher.worlds import Amount, Worlds

__all__ = ["Amounts", "Forecast", "Group", "Measured", "Pace", "Range", "forecast", "pilot_of"]

Cost = Callable[[Any, Any], Any]
"""What tokens in and tokens out cost, in proportion to them: ``TeacherParams.cost``."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast calls are made: so many at once, and no more a minute than the limits say."""

    concurrency: int = 1
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    @classmethod
    def of(cls, params: TeacherParams) -> Pace:
        """Return the pace that the teacher's parameters allow."""
        at_once = params.concurrency * len(params.base_url)
        if params.transport == "batch":
            at_once = params.batch.calls * params.batch.at_once
        return cls(at_once, params.requests_per_minute, params.tokens_per_minute)

    def minutes(self, calls: Draws, tokens: Draws, seconds: Draws) -> Draws:
        """Return how long calls take that would take ``seconds`` one after the other: at least as long as one."""
        bounds = [seconds / 60 / np.minimum(self.concurrency, np.maximum(calls, 1))]
        bounds += [calls / self.requests_per_minute] if self.requests_per_minute else []
        bounds += [tokens / self.tokens_per_minute] if self.tokens_per_minute else []
        return np.asarray(np.maximum.reduce(bounds))


@dataclass(frozen=True, slots=True)
class Range:
    """A figure and the two ends between which it lies at the forecast's level."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, slots=True)
class Amounts:
    """What calls take; cost in the currency of the prices."""

    calls: Range
    tokens_in: Range
    tokens_out: Range
    minutes: Range
    cost: Range


NOTHING = Amounts(*[Range(0.0, 0.0, 0.0)] * 5)


@dataclass(frozen=True, slots=True)
class Forecast(Amounts):
    """What the waiting requests will take, in all and by method.

    ``measured`` counts the pilot's calls; ``borrowed`` are the methods that have none and are taken to be like the
    others.
    """

    measured: int
    level: float
    by_group: Mapping[str, Amounts] = field(default_factory=dict)
    borrowed: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the forecast as lines for the log."""
        head = (
            f"forecast from {self.measured:,} calls, with {100 * self.level:.3g} % ranges: "
            f"{self.calls.point:,.0f} calls more, {_tokens(self.tokens_in.point)} tokens in, "
            f"{_tokens(self.tokens_out.point)} out, {_told(self.minutes, _short, ' minutes')}, "
            f"cost {_told(self.cost, _money)}"
        )
        notes = [
            f"  {name}: {amounts.calls.point:,.0f} calls, cost {_told(amounts.cost, _money)}"
            for name, amounts in self.by_group.items()
            if len(self.by_group) > 1
        ]
        if self.borrowed:
            notes.append(f"the pilot has no call for {', '.join(self.borrowed)}: taken to be like the others")
        if self.calls.point and not self.tokens_in.point + self.tokens_out.point:
            notes.append("no tokens were counted in the pilot: its calls were lost, or the endpoint counts none")
        return [head, *notes]

    def __str__(self) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines())


def forecast(
    groups: Sequence[Group], *, cost: Cost, pace: Pace | None = None, level: float = 0.9, seed: int = 0
) -> Forecast:
    """Return what the waiting requests of ``groups`` will take, from what those of the pilot took.

    The same arguments give the same forecast.

    Raises:
        ValueError: Requests wait and no call of any method was measured, or units wait and none was in the pilot.
    """
    waiting = [group for group in groups if group.waiting + group.derived > 0 or group.units_waiting]
    measured = sum(one.calls for group in groups for one in group.pilot)
    if waiting and not any(group.pilot for group in groups):
        raise ValueError("there is no forecast without a finished call")
    worlds = Worlds(groups, np.random.default_rng(seed)) if waiting else None
    pairs = [(group.name, worlds.of(group)) for group in waiting] if worlds else []

    def amounts(*names: str) -> Amounts:
        return _amounts([pair for name, pair in pairs if name in names], cost, pace or Pace(), level)

    by_group = {name: amounts(name) for name, _ in pairs}
    whole = amounts(*by_group) if pairs else NOTHING
    borrowed = tuple(group.name for group in waiting if not group.pilot)
    figures = {one.name: getattr(whole, one.name) for one in fields(Amounts)}
    return Forecast(**figures, measured=measured, level=level, by_group=by_group, borrowed=borrowed)


def _amounts(pairs: Sequence[tuple[Amount, Amount]], cost: Cost, pace: Pace, level: float) -> Amounts:
    """Return points and ranges of the sum over methods, each given as a pilot would tell it and as it is."""
    figures = []
    for amount in (Amount.total([seen for seen, _ in pairs]), Amount.total([rest for _, rest in pairs])):
        minutes = pace.minutes(amount.calls, amount.tokens_in + amount.tokens_out, amount.seconds)
        paid = np.asarray(cost(amount.tokens_in, amount.tokens_out))
        figures.append((amount.calls, amount.tokens_in, amount.tokens_out, minutes, paid))
    return Amounts(*(_range(seen, rest, level) for seen, rest in zip(*figures, strict=True)))


def _range(seen: Draws, rest: Draws, level: float) -> Range:
    """Return the point and the range around it, from what pilots tell and what is true in each world."""
    point = float(rest[0])
    if point <= 0:
        return Range(0.0, 0.0, float(np.quantile(rest, (1 + level) / 2)))
    low, high = point * np.quantile(rest[1:] / seen[1:], [(1 - level) / 2, (1 + level) / 2])
    return Range(min(float(low), point), point, max(float(high), point))


def _told(amount: Range, written: Callable[[float], str], unit: str = "") -> str:
    """Return a range as a point and its ends, "12 minutes (9 to 16)"."""
    return f"{written(amount.point)}{unit} ({written(amount.low)} to {written(amount.high)})"


def _short(value: float) -> str:
    """Return a number with two digits that count, or all before the point."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def _money(value: float) -> str:
    """Return a sum with two decimals, a small one with two digits that count."""
    return f"{value:,.2f}" if value >= 0.995 or not value else f"{value:.2g}"


def _tokens(value: float) -> str:
    """Return a number of tokens, a large one in millions."""
    return f"{value / 1e6:,.2f} M" if value >= 1e5 else f"{value:,.0f}"
