"""Simulated worlds: what a pilot would have said in each, and what the requests that wait would then take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from med_small_lm.teacher.pilot import Group, Measured
from med_small_lm.teacher.spread import Draws, Spread

N = 4000
"""How many; the ends of a 90 % range are then known to within half a percent of the worlds."""

_WEIGHT = 2.0  # calls that what follows counts as much as
_ALIKE = 0.1  # spread of letters, and of tokens a letter, within a method, relative, before any call
_APART = 1.0  # spread of the methods' means, as logarithms, before any is known
_OWN = 5.0  # calls of a method that weigh as much as all others' where its share of repairs is estimated


@dataclass(slots=True)
class Amount:
    """Four sums, each the point at place 0 and then one value in each world."""

    calls: Draws
    tokens_in: Draws
    tokens_out: Draws
    seconds: Draws

    @classmethod
    def total(cls, parts: Sequence[Amount]) -> Amount:
        """Return the sums over methods."""
        return cls(*(np.sum([getattr(part, name) for part in parts], axis=0) for name in cls.__slots__))


class Worlds:
    """The worlds in which the points of all methods are true, as far as their pilots leave them open."""

    def __init__(self, groups: Sequence[Group], rng: np.random.Generator) -> None:
        """Learn from all methods at once what they share: shapes, tokens a letter, repairs."""
        self._rng = rng
        self._pilots = [group.pilot for group in groups if group.pilot]
        self._all = [one for pilot in self._pilots for one in pilot]
        self._lengths = Spread([[one.tokens_out for one in pilot] for pilot in self._pilots], N, rng)
        self._times = Spread([[one.seconds for one in pilot] for pilot in self._pilots], N, rng)
        self._prompts = self._scale(_residuals(pilot, _tokens_a_letter) for pilot in self._pilots)
        self._letters = self._scale(_residuals(pilot, lambda one: one.letters) for pilot in self._pilots)
        self._again = rng.standard_gamma(_repairs(self._all) + 0.5, N) / len(self._all)

    def of(self, group: Group) -> tuple[Amount, Amount]:
        """Return what the pilot would have told of a method's waiting requests, and what they take, in each world."""
        pilot = group.pilot or self._all
        requests = self._requests(group)
        letters = self._letters_of(group, requests)
        calls = self._calls_of(group, requests)
        sent = sum(one.tokens_in for one in pilot) / max(1, sum(one.letters for one in pilot))
        tokens = letters * sent * (calls / calls[0]) * (requests[0] / requests)
        tokens[1:] *= self._factor(self._prompts, len(group.pilot), requests[0])
        out_seen, out = self._skewed(group, requests, self._lengths, lambda one: one.tokens_out)
        time_seen, time = self._skewed(group, requests, self._times, lambda one: one.seconds)
        seen = Amount(np.full(N + 1, calls[0]), np.full(N + 1, tokens[0]), out_seen, time_seen)
        return seen, Amount(calls, tokens, out, time)

    def _requests(self, group: Group) -> Draws:
        """Return how many requests wait."""
        waiting = np.full(N + 1, group.waiting + group.derived)
        counts = np.asarray(group.per_unit, dtype=float)
        if group.units_waiting:
            # Counts that are all alike may not stay so: before any unit they are taken to vary as chance events do.
            usual = max(counts.mean(), 0.5 / len(counts))
            free = len(counts) - 1 + _WEIGHT
            variance = (((counts - counts.mean()) ** 2).sum() + _WEIGHT * usual) / free
            error = np.sqrt(variance * (1 / len(counts) + 1 / group.units_waiting))
            derived = group.units_waiting * (counts.mean() + error * self._rng.standard_t(free, N))
            waiting[1:] = group.waiting + np.maximum(derived, 0.0)
        return np.asarray(np.maximum(waiting, 1e-9))

    def _letters_of(self, group: Group, requests: Draws) -> Draws:
        """Return the letters of all prompts that wait: known where they are rendered, else like the pilot's."""
        pilot = group.pilot or self._all
        derived = (requests - group.waiting) * sum(one.letters for one in pilot) / len(pilot)
        derived[1:] *= self._factor(self._letters, len(group.pilot), group.derived)
        return np.asarray(group.letters_waiting + derived)

    def _calls_of(self, group: Group, requests: Draws) -> Draws:
        """Return how many calls the requests take, repairs among them."""
        own = group.pilot or self._all
        point = _repairs(own) / len(own)
        rate = self._rng.standard_gamma(_repairs(group.pilot) + _OWN * self._again) / (len(group.pilot) + _OWN)
        calls = requests * (1 + point)
        calls[1:] = requests[1:] + self._rng.poisson(rate * requests[1:])
        return np.asarray(calls)

    def _skewed(
        self, group: Group, requests: Draws, spread: Spread, value: Callable[[Measured], float]
    ) -> tuple[Draws, Draws]:
        """Return a sum over the waiting requests of what varies as lengths do: as a pilot tells it, and as it is."""
        own = group.pilot or self._all
        mean = sum(map(value, own)) / len(own)
        seen, rest = np.full(N + 1, requests[0] * mean), requests * mean
        rest[1:] *= spread.means(requests[0])
        if group.pilot:
            seen[1:] *= spread.means(len(own))
        else:
            rest[1:] *= np.exp(self._apart(value) * self._rng.standard_normal(N))
        return seen, rest

    def _apart(self, value: Callable[[Measured], float]) -> Draws:
        """Return how far the methods' means lie apart, as the spread of their logarithms."""
        means = np.array([sum(map(value, pilot)) / len(pilot) for pilot in self._pilots])
        logs = np.log(means[means > 0])
        squares = float(((logs - logs.mean()) ** 2).sum()) if len(logs) else 0.0
        free = max(0, len(logs) - 1) + _WEIGHT
        return np.asarray(np.sqrt((squares + _WEIGHT * _APART**2) / self._rng.chisquare(free, N)))

    def _scale(self, residuals: Iterable[Draws]) -> Draws:
        """Return the spread of relative residuals, as it may be in each world."""
        squares, free = _WEIGHT * _ALIKE**2, _WEIGHT
        for own in residuals:
            squares, free = squares + float(own @ own), free + max(0, len(own) - 1)
        return np.asarray(np.sqrt(squares / self._rng.chisquare(free, N)))

    def _factor(self, scale: Draws, measured: int, waiting: float) -> Draws:
        """Return by what the mean over the waiting requests differs from the pilot's."""
        apart = 1 / max(1, measured) + 1 / max(1.0, waiting)
        return np.asarray(np.maximum(0.0, 1 + scale * np.sqrt(apart) * self._rng.standard_normal(N)))


def _repairs(pilot: Sequence[Measured]) -> int:
    """Return how many calls went beyond one a request."""
    return sum(max(0, one.calls - 1) for one in pilot)


def _tokens_a_letter(one: Measured) -> float:
    """Return the tokens that one call's prompt takes for each of its letters."""
    return one.tokens_in / max(1, one.letters) / max(1, one.calls)


def _residuals(pilot: Sequence[Measured], value: Callable[[Measured], float]) -> Draws:
    """Return how far each request is from the mean of its method, relative to it."""
    values = np.array([value(one) for one in pilot], dtype=float)
    return np.asarray(values / values.mean() - 1) if values.any() else np.zeros(len(values))
