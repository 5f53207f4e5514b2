"""What each stem of a benchmark asks about, read from the stems alone.

A stem is a form with a subject in it. No field says which words are which, but the benchmark does: the form comes
back with other subjects, the subject comes back in other forms.

    Which of the following is the hallmark sign of  Graves disease ?       the form comes back:    core "graves"
    Which of the following is the hallmark sign of  achalasia ?            in every stem with "graves" there
    The etiology of  Graves disease  is best explained by ...              follows "disease": one subject
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from med_small_lm.overlap.stems import Stems, Unit, can_name

_FORM_SHARE = 0.6  # of a stem's other units stand in another stem: then that stem is its form with another subject
_NEAR_FIRST = 0.1  # cores whose form is found nearly as well as the best one's: told apart by rarity at first,
_NEAR_VOTED = 0.2  # then by how often they were chosen wherever they stand
_FIXED = 0.45  # sameness from which a unit is rather a form's word
_PASSES = 3  # of voting; the choices settle in two
_RECURS = 0.7  # of a stem's other units stand in another stem,
_ALIKE = 0.6  # so much of the other stem, so much of its own: then it is surely a form, and no frame
_DOUBT = 0.2  # of merit that the runner-up lacks: below it both are looked for
_NAMED_ELSEWHERE = 0.5  # share of its stems in which a unit was chosen, above which it is a subject wherever it stands


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stem asks about: ``words`` names it; ``core`` is its rarest unit; ``in_form`` says that the rest of the
    stem is a form in which the benchmark asks about others too.
    """  # noqa: D205

    words: tuple[str, ...]
    core: Unit
    in_form: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """One stem laid beside its likest: its candidates for the core, and the form that each would leave.

    ``tops`` say how much of the stem around each candidate is found in some stem without it.
    """

    held: NDArray[np.bool_]
    held_of_partners: NDArray[np.float64]
    telling: NDArray[np.bool_]
    cores: list[int]
    gaps: NDArray[np.int32]
    tops: dict[int, float]

    def shares(self, core: int) -> NDArray[np.float64]:
        """Return the share of the stem around ``core`` that each partner holds; 0 for a partner with the core itself.

        stem     which is the hallmark sign of  graves disease
        partner  which is the hallmark sign of  achalasia         the gap is "graves disease", the share 6 of 6
        """
        return _shares(self.held, self.gaps, [core])[:, 0]

    @property
    def in_form(self) -> bool:
        """Return whether the stem is, but for some core, found in another stem."""
        return max(self.tops.values(), default=0.0) >= _FORM_SHARE

    def is_form(self, core: int) -> bool:
        """Return whether some stem is this one with another subject, and not only framed by the same few words.

        A vignette begins and ends as others do: what lies between is no subject. And "which of the following" alone,
        without any telling word, is no form.
        """
        rest = 1 - self.gaps[:, core] / self.held.shape[1]
        alike = (self.held_of_partners >= _ALIKE) & (rest >= _ALIKE) & self.held[:, self.telling].any(axis=1)
        return bool((alike & (self.shares(core) >= _RECURS)).any())

    def fitting(self, near: float) -> list[int]:
        """Return the candidates that leave nearly the best form; all of them where no form comes back."""
        best = max(self.tops.values())
        return [core for core in self.cores if self.tops[core] >= best - near] if self.in_form else self.cores


def subjects(stems: Stems, first: int | None = None) -> list[tuple[Subject, ...]]:
    """Return for each of the ``first`` stems what it asks about, the likeliest first; empty without a word to go by.

    All stems tell form from subject; all are told of unless it is said.

    More than one is given where a unit that names a subject elsewhere stands in the stem too, and where the stems do
    not tell which it is: to look for one too many stops a record or two, to look for the wrong one lets the fact pass.
    """
    readings = [_read(stems, place) for place in range(len(stems.units))]
    chosen = [_first_choice(stems, place, reading) for place, reading in enumerate(readings)]
    votes: Counter[Unit] = Counter()
    for _ in range(_PASSES):
        votes = Counter(stems.units[place][core] for place, core in enumerate(chosen) if core >= 0)
        chosen = [_voted(stems, place, reading, votes) for place, reading in enumerate(readings)]
    found: list[tuple[Subject, ...]] = []
    for place, (reading, core) in enumerate(zip(readings[:first], chosen[:first], strict=True)):
        others = _others(stems, place, reading, core, votes) if core >= 0 else []
        found.append(tuple(dict.fromkeys(_subject(stems, place, reading, c) for c in [core, *others] if c >= 0)))
    return found


def _read(stems: Stems, place: int) -> _Reading:
    """Return a stem laid beside its likest others."""
    own = stems.units[place]
    names = [n for n, unit in enumerate(own) if can_name(unit)]
    cores = [n for n in names if stems.is_content(own[n])] or names or list(range(len(own)))
    held, of_partners = stems.held_by_partners(place)
    telling = np.asarray([can_name(unit) for unit in own], dtype=bool)
    gaps = _gaps(held)
    tops = _shares(held, gaps, cores).max(axis=0, initial=0.0).tolist()
    return _Reading(held, of_partners, telling, cores, gaps, dict(zip(cores, tops, strict=True)))


def _shares(held: NDArray[np.bool_], gaps: NDArray[np.int32], cores: list[int]) -> NDArray[np.float64]:
    """Return ``_Reading.shares`` of several cores, (partners, cores)."""
    rest = held.shape[1] - gaps[:, cores]
    own = held.sum(axis=1, keepdims=True)
    return np.asarray(np.where(held[:, cores] | (rest < 1), 0.0, own / np.maximum(rest, 1)))


def _gaps(held: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return how many units around each one, itself included, each partner lacks in a row, (partners, units)."""
    left, right = np.zeros((2, *held.shape), dtype=np.int32)
    for n in range(held.shape[1]):
        left[:, n] = np.where(held[:, n], 0, left[:, n - 1] + 1 if n else 1)
        right[:, -n - 1] = np.where(held[:, -n - 1], 0, right[:, -n] + 1 if n else 1)
    return np.asarray(left + right - 1, dtype=np.int32)


def _first_choice(stems: Stems, place: int, reading: _Reading) -> int:
    """Return the rarest of the fitting cores that does not always come back among the same words; -1 for none."""
    own = stems.units[place]

    def rank(n: int) -> tuple[bool, int, float, int, int]:
        fixed = stems.sameness(own[n]) >= _FIXED
        return fixed, stems.frequency[own[n]], -reading.tops[n], -len("".join(own[n])), n

    return min(reading.fitting(_NEAR_FIRST), key=rank) if reading.cores else -1


def _voted(stems: Stems, place: int, reading: _Reading, votes: Counter[Unit]) -> int:
    """Return the fitting core that was chosen most often where it stands, and leaves a form that comes back."""
    if not reading.cores or not reading.in_form:
        return _first_choice(stems, place, reading)
    own = stems.units[place]
    return max(reading.fitting(_NEAR_VOTED), key=lambda n: (_merit(stems, own[n], reading.tops[n], votes), -n))


def _merit(stems: Stems, unit: Unit, top: float, votes: Counter[Unit]) -> float:
    """Return how much speaks for a unit as a core: votes and a form around it for it, sameness against it."""
    chosen = (votes[unit] + 0.5) / (stems.frequency[unit] + 1)
    return chosen + top - stems.sameness(unit)


def _others(stems: Stems, place: int, reading: _Reading, core: int, votes: Counter[Unit]) -> list[int]:
    """Return the cores that may name the subject as well: chosen in most other stems, or nearly as good as the best."""
    own = stems.units[place]
    merit = {n: _merit(stems, own[n], reading.tops[n], votes) for n in reading.fitting(_NEAR_VOTED)}
    doubtful = [n for n in merit if reading.in_form and merit[n] >= merit.get(core, 0.0) - _DOUBT]
    seen = [n for n in reading.cores if stems.frequency[own[n]] > 1]
    return [n for n in seen if votes[own[n]] / stems.frequency[own[n]] > _NAMED_ELSEWHERE] + doubtful


def _subject(stems: Stems, place: int, reading: _Reading, core: int) -> Subject:
    """Return the subject around a core: the neighbours that go with it wherever it stands, and that the form lacks."""
    own, shares = stems.units[place], reading.shares(core)
    near = reading.held[shares >= max(reading.tops[core] - _NEAR_FIRST / 2, 1e-9)]
    absent = [not near[:, n].all() for n in range(len(own))] if len(near) else [True] * len(own)

    def joined(n: int) -> bool:
        return 0 <= n < len(own) and absent[n] and _goes_with(stems, own, n, core)

    first = last = core
    while joined(first - 1):
        first -= 1
    while joined(last + 1):
        last += 1
    named = tuple(word for unit in own[first : last + 1] for word in unit)
    return Subject(named, own[core], reading.is_form(core))


def _goes_with(stems: Stems, own: Sequence[Unit], place: int, core: int) -> bool:
    """Return whether the unit at ``place`` stands at the same distance in every stem that holds the core.

    A core of one stem only proves nothing; it takes along what is as rare as itself, since a name too short finds too
    much, but a name too long finds nothing.
    """
    unit, step = own[place], place - core
    if not can_name(unit) or stems.sameness(unit) >= _FIXED:
        return False
    if stems.frequency[own[core]] == 1:
        return stems.frequency[unit] == 1
    for other in stems.holders(own[core]):
        at = [n + step for n, held in enumerate(other) if held == own[core]]
        if not any(0 <= n < len(other) and other[n] == unit for n in at):
            return False
    return True
