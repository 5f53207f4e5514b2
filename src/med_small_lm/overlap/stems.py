"""Stems as units, and how units are spread over the stems of a benchmark."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from med_small_lm.overlap.normalise import singular, words

COMMON_SHARE = 0.05
"""A word in at least this share of the stems is no content word (the definition of *same fact*)."""

_PAIRS = 8  # stems of a unit that are compared with each other
_PARTNERS = 200  # likest stems that a stem is laid beside
FUNCTION_WORDS = frozenset(
    """a an and are as at be been being but by can did do does during each either for from had has have he her his how
    if in into is it its may might must no nor not of on or our shall she should so such than that the their them then
    there these they this those through to under was we were what when where which while who whom whose why will with
    within without would you your after before about against among between following most least best more likely other
    next one
    """.split()
)
_UNIT = re.compile(r"[^\W_]+(?:[-‐‑–'’][^\W_]+)*")
_CODE = re.compile(r"[A-Z]|[IVX]{1,4}|[A-Z]{1,2}\d{1,2}")  # vitamin A, hepatitis B, factor VIII, parvovirus B19
_AGE = re.compile(r"\d+-(?:year|month|week|day|hour)s?-old|\d+")

Unit = tuple[str, ...]
"""The words that stand for one thing: ``("graves",)``, ``("vitamin", "b12")``, ``("guillain", "barre")``."""


def folded(text: str) -> Unit:
    """Return the words of ``text`` as facts are compared: normalised, plurals folded."""
    return tuple(singular(word) for word in words(text))


def units(stem: str) -> list[Unit]:
    """Return the units of a stem: words, hyphenated words as one, and a code with the word that it belongs to.

    ``vitamin A`` and ``type II`` are one unit each: apart, ``A`` would be an article and ``II`` rare for no reason.
    """
    found: list[Unit] = []
    end = -1
    for match in _UNIT.finditer(stem):
        own = folded(match.group())
        coded = found and _CODE.fullmatch(match.group()) and stem[end : match.start()] == " "
        if coded and found[-1][0] not in FUNCTION_WORDS:
            found[-1] += own
        elif own:
            found.append(own)
        end = match.end()
    return found


def can_name(unit: Unit) -> bool:
    """Return whether a unit can name a subject: no function word, no number, no age."""
    return not (len(unit) == 1 and unit[0] in FUNCTION_WORDS) and _AGE.fullmatch("-".join(unit)) is None


class Stems:
    """The stems of a benchmark seen together: which units are common, which belong together, which stems are alike."""

    def __init__(self, stems: Sequence[str]) -> None:
        """Read all stems that may tell form from subject: the guarded ones and, where given, the exemplars'."""
        self.units = [units(stem) for stem in stems]
        self.frequency = Counter(unit for own in self.units for unit in set(own))
        self._word_frequency = Counter(word for own in self.units for word in {w for unit in own for w in unit})
        # In a handful of stems one mention is above any share, so a single mention never makes a unit common.
        self._common_from = max(COMMON_SHARE * len(stems), 1.5)
        self._sameness: dict[Unit, float] = {}

    def is_content(self, unit: Unit) -> bool:
        """Return whether a unit stands in under 5 % of the stems."""
        return self.frequency[unit] < self._common_from

    def content(self, place: int) -> list[str]:
        """Return the content words of a stem in their order: those in under 5 % of the stems."""
        return [word for unit in self.units[place] for word in unit if self.tells(word)]

    def tells(self, word: str) -> bool:
        """Return whether a word is a content word: in under 5 % of the stems, and no function word."""
        return self._word_frequency[word] < self._common_from and word not in FUNCTION_WORDS

    def sameness(self, unit: Unit) -> float:
        """Return how alike the stems around a unit are, 0 to 1: a form's words come back among the same words.

        It is the mean share of neighbouring pairs that two of its stems have in common, pairs with the unit left out.
        """
        if unit not in self._sameness:
            seen = [_pairs(other, unit) for other in self.holders(unit)[:_PAIRS]]
            alike = [len(a & b) / max(len(a | b), 1) for n, a in enumerate(seen) for b in seen[:n]]
            self._sameness[unit] = sum(alike) / len(alike) if alike else 0.0
        return self._sameness[unit]

    def holders(self, unit: Unit) -> list[list[Unit]]:
        """Return the stems that hold a unit."""
        return [self.units[place] for place in self._inverted.get(unit, ())]

    def held_by_partners(self, place: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which units of a stem (columns) its likest other stems (rows) hold, and how much of these it holds."""
        own = self.units[place]
        held = np.zeros((len(own), len(self.units)), dtype=bool)
        for row, unit in enumerate(own):
            held[row, self._inverted[unit]] = True
        common = held[[own.index(unit) for unit in set(own)]].sum(axis=0)
        common[place] = -1
        likest = np.argsort(-common, kind="stable")[: min(_PARTNERS, len(common) - 1)]
        return held[:, likest].T, common[likest] / np.maximum(self._sizes[likest], 1)

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """Return how many different units each stem has."""
        return np.asarray([len(set(own)) for own in self.units], dtype=np.int64)

    @cached_property
    def _inverted(self) -> dict[Unit, NDArray[np.int64]]:
        """Return the places of the stems that hold each unit."""
        found: dict[Unit, list[int]] = {}
        for place, own in enumerate(self.units):
            for unit in dict.fromkeys(own):
                found.setdefault(unit, []).append(place)
        return {unit: np.asarray(places, dtype=np.int64) for unit, places in found.items()}


def _pairs(own: Sequence[Unit], without: Unit) -> set[tuple[Unit, Unit]]:
    """Return the pairs of neighbours in a stem, its ends included, that leave out one unit."""
    ends: list[Unit] = [("^",), *own, ("$",)]
    return {pair for pair in zip(ends, ends[1:], strict=False) if without not in pair}
