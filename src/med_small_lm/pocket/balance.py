"""Distractors that give nothing away: each value stands three times as often as a distractor as it is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import numpy as np

N_DISTRACTORS = 3
MAX_DRAWS = 20

Allowed = Callable[[int, str], bool]


def balanced(
    answers: Sequence[str], allowed: Allowed, rng: np.random.Generator, wanted: int | None = None
) -> dict[int, list[str]]:
    """Three distractors for each kept item, by the item's place in ``answers``.

    The distractors of the kept items are three permutations of their answers, such that no item has a value twice::

        answers       a b c d e
        distractors   c d e a b      every value: once right,
                      b e d c a      three times a distractor
                      e a b ... (no such row: redrawn until one is found)

    Items are dropped while a value is the answer of more than a quarter of them, or no permutations are found.

    Args:
        answers: the right value of each item; values may repeat.
        allowed: whether a value may stand as a distractor of the item at that place.
        rng: the source of chance.
        wanted: how many items to keep at most; all that can be balanced where None.
    """
    places = [int(place) for place in rng.permutation(len(answers))]
    kept = _thinned(places, answers, len(places) if wanted is None else wanted)
    while len(kept) > N_DISTRACTORS:
        for _ in range(MAX_DRAWS):
            if found := _draw(kept, answers, allowed, rng):
                return found
        hardest = min(kept, key=lambda place: sum(allowed(place, answers[other]) for other in kept))
        kept = _thinned([place for place in kept if place != hardest], answers, len(kept) - 1)
    return {}


def _thinned(places: Sequence[int], answers: Sequence[str], wanted: int) -> list[int]:
    """At most ``wanted`` places, none of whose answers is that of more than a quarter of them.

    Places with a new answer come first, so that as few as possible are lost to values that many share.
    """
    rank: Counter[str] = Counter()
    ranked = []
    for place in places:
        ranked.append((rank[answers[place]], place))
        rank[answers[place]] += 1
    kept = [place for _, place in sorted(ranked, key=lambda pair: pair[0])][:wanted]
    while kept and max(Counter(answers[place] for place in kept).values()) * (N_DISTRACTORS + 1) > len(kept):
        counts = Counter(answers[place] for place in kept)
        most = max(counts.values())
        kept.remove(next(place for place in reversed(kept) if counts[answers[place]] == most))
    return kept


def _draw(
    kept: Sequence[int], answers: Sequence[str], allowed: Allowed, rng: np.random.Generator
) -> dict[int, list[str]]:
    """Three matchings of items and answers, one after the other; empty where the chance draw ran into a dead end."""
    found: dict[int, list[str]] = {place: [] for place in kept}
    for _ in range(N_DISTRACTORS):
        slots = [answers[place] for place in rng.permutation(kept)]
        options = {
            place: [
                slot
                for slot, value in enumerate(slots)
                if value != answers[place] and value not in found[place] and allowed(place, value)
            ]
            for place in kept
        }
        matched = _matching(options)
        if len(matched) < len(kept):
            return {}
        for slot, place in matched.items():
            found[place].append(slots[slot])
    return found


def _matching(options: dict[int, list[int]]) -> dict[int, int]:
    """The item of each slot in a largest matching of items and the slots that suit them (Kuhn's algorithm)."""
    taken: dict[int, int] = {}

    def place_item(item: int, tried: set[int]) -> bool:
        for slot in options[item]:
            if slot not in tried:
                tried.add(slot)
                if slot not in taken or place_item(taken[slot], tried):
                    taken[slot] = item
                    return True
        return False

    for item in options:
        place_item(item, set())
    return taken


def shares(total: int, sizes: Sequence[int], least: int) -> list[int]:
    """How many of ``total`` items each group gives: in proportion to its size, at least ``least``, at most all."""
    floor = [min(size, least) for size in sizes]
    given = list(floor)
    while sum(given) < min(total, sum(sizes)):
        lag: Collection[int] = [n for n, size in enumerate(sizes) if given[n] < size]
        given[min(lag, key=lambda n: (given[n] / sizes[n], n))] += 1
    return given
