"""The pilot: which requests are asked first, and what they took."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One finished request of the pilot: its prompt's letters and what it took, repairs and failed tries added."""

    letters: int
    tokens_in: int
    tokens_out: int
    seconds: float = 0.0
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """A method: its requests in the pilot, and those that wait.

    ``waiting`` requests are rendered, so that their ``letters_waiting`` are known. Others may come out of an earlier
    step's replies: ``per_unit`` says how many each unit of the pilot (a passage, say) gave rise to, ``units_waiting``
    how many units wait.
    """

    name: str
    pilot: Sequence[Measured]
    waiting: int = 0
    letters_waiting: float = 0.0
    per_unit: Sequence[int] = ()
    units_waiting: int = 0

    @property
    def derived(self) -> float:
        """Return how many requests the units that wait will give rise to, if they are like the pilot's."""
        if self.units_waiting and not self.per_unit:
            raise ValueError(f"no unit of the pilot says how many requests of {self.name} one gives rise to")
        return self.units_waiting * sum(self.per_unit) / len(self.per_unit) if self.units_waiting else 0.0


def pilot_of(groups: Sequence[str], share: float, calls: int, seed: int) -> list[int]:
    """Return the places of the requests to be asked first, ascending: a seeded draw from each group by its share.

    ``groups`` names the group of each request. Of n requests ``max(calls, share * n)`` are drawn, and of each group at
    least one if there are so many.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(groups):
        places.setdefault(name, []).append(place)
    size = min(len(groups), max(calls, math.ceil(share * len(groups))))
    draw = random.Random(seed)
    drawn = [draw.sample(own, n) for own, n in zip(places.values(), _shared(size, places.values()), strict=True)]
    return sorted(place for own in drawn for place in own)


def _shared(size: int, groups: Collection[Collection[int]]) -> list[int]:
    """Return how many of ``size`` each group gets: one each, then each the one that it is furthest short of."""
    sizes = [len(group) for group in groups]
    total = sum(sizes)
    got = [0] * len(sizes)
    if size >= len(sizes):
        got = [max(1, size * n // total) for n in sizes]
    while sum(got) != size:
        short = [size * n / total - have for n, have in zip(sizes, got, strict=True)]
        if sum(got) < size:
            got[max(range(len(sizes)), key=short.__getitem__)] += 1
        else:  # of those with more than one, the one that is furthest ahead
            got[min((k for k, have in enumerate(got) if have > 1), key=short.__getitem__)] -= 1
    return got
