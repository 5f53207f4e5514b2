"""Whether a text keeps to what it was made from: its words, numbers, units, negations and directions, by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache

from med_small_lm.overlap.normalise import singular, words
from med_small_lm.overlap.stems import FUNCTION_WORDS

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9])|\s*\n\s*")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|cf|Dr|Fig|No|approx|ca|spp)\.$|(?:^|[.,;(] ?)[A-Z]\.$")
_THOUSANDS = re.compile(r"(?<=\d)[,\u202f](?=\d{3}(?!\d))")
_UNITS = (
    "%|percent|per cent|[kmµμnp]?g|mcg|[kmµμdn]?l|[kcmµμn]?m|mm ?hg|[mµμn]?mol|meq|iu|units?|k?cal|°?c|°?f|"
    "seconds?|minutes?|hours?|days?|weeks?|months?|years?|times|fold"
)
_NUMBER = re.compile(rf"(?<![\w.])(\d+(?:\.\d+)?)(?:[ -]?({_UNITS})(?![a-z]))?", re.IGNORECASE)
_SAME_UNIT = {"percent": "%", "per cent": "%", "µg": "mcg", "μg": "mcg"}
_NEGATIONS = frozenset("no not non never cannot nor neither without none isnt arent doesnt dont cant".split())
_DENIALS = _NEGATIONS | frozenset(
    "absent absence lack lacking lacks deficient deficiency little contraindicated contraindication avoid avoids "
    "avoided unsafe withhold withheld forbid forbids forbidden ruled rule except unless fails fail free".split()
)
"""What may stand for a negation: a drug that must not be given is one to avoid."""
_OPPOSITES = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("increase increased raise raised higher high elevated", "decrease decreased lower lowered low reduced reduce"),
        ("stimulate stimulated activate activated", "inhibit inhibited suppress suppressed block blocked"),
        ("left", "right"), ("acute", "chronic"), ("positive", "negative"), ("upper", "lower"), ("before", "after"),
        ("anterior", "posterior"), ("superior", "inferior"), ("medial", "lateral"), ("proximal", "distal"),
        ("agonist", "antagonist"), ("hypertension", "hypotension"), ("benign", "malignant"),
    )
)  # fmt: skip
_SCOPE = 2  # words behind a negation that it denies
_MOSTLY = 0.6
"""Share of a sentence's known words that stand in one sentence of the source, from which it says that one again."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; a line of its own is one."""
    found: list[str] = []
    for piece in filter(None, map(str.strip, _END.split(text))):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def supported_share(text: str, source: str) -> tuple[float, str]:
    """Return the least share of a sentence's content words that stand in the source, and that sentence."""
    known = content(source)
    shares = [(len(own & known) / len(own), said) for said in sentences(text) if (own := content(said))]
    return min(shares, default=(0.0, text))


def changes(text: str, source: str) -> Iterator[str]:
    """Yield what a text says otherwise than its source, in words: another number, unit, negation or direction.

    A number and its unit have to stand anywhere in the source. Negations and directions are laid beside the source's
    sentence that says the same; where a sentence merges several, one of them has to hold the negation.
    """
    there, told = set(_numbers(source)), [_folded(said) for said in sentences(source)]
    plain = {number for number, _ in there}
    for said in sentences(text):
        for number, unit in _numbers(said):
            if number not in plain or (unit and (number, unit) not in there):
                yield f"{number} {unit}".strip()
        yield from _turned(frozenset(_folded(said)), told)


def content_words(text: str) -> list[str]:
    """Return the words of a text that say something, plurals folded, as often and in the order as they stand."""
    return [word for word in _folded(text) if word not in FUNCTION_WORDS]


def content(text: str) -> frozenset[str]:
    """Return the different words of a text that say something, plurals folded."""
    return frozenset(content_words(text))


def _turned(own: frozenset[str], told: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the negations and directions by which a sentence differs from those that it says again."""
    said = own - FUNCTION_WORDS
    shared = [len(said.intersection(other)) for other in told]
    most = max(shared, default=0)
    if not most:
        return
    part = [other for other, n in zip(told, shared, strict=True) if n >= max(most / 2, min(2, most))]
    added = own & _NEGATIONS
    if added and not any(_DENIALS.intersection(other) for other in part):
        yield f"added {sorted(added)[0]!r}"
    known = len(said & frozenset().union(*told))
    nearest = [other for other, n in zip(told, shared, strict=True) if n == most]
    if most < _MOSTLY * known or len(nearest) > 1:
        return
    again = frozenset(nearest[0])
    if not own & _DENIALS:
        yield from (f"lost {word!r}" for word, denied in _denied(nearest[0]) if denied <= own)
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if own & one and again & other and not own & other and not again & one:
                yield f"{sorted(own & one)[0]!r} for {sorted(again & other)[0]!r}"


def _denied(told: Sequence[str]) -> Iterator[tuple[str, Set[str]]]:
    """Yield the negations of a sentence, each with the next words that say something: what it denies."""
    for place, word in enumerate(told):
        if word in _NEGATIONS:
            after = [other for other in told[place + 1 :] if other not in FUNCTION_WORDS]
            if after:
                yield word, frozenset(after[:_SCOPE])


def _numbers(text: str) -> list[tuple[str, str]]:
    """Return the numbers of a text, each with its unit, empty for none."""
    found = _NUMBER.findall(_THOUSANDS.sub("", text))
    return [(number, singular(_SAME_UNIT.get(unit.lower(), unit.lower()))) for number, unit in found]


@lru_cache(maxsize=20_000)
def _folded(text: str) -> tuple[str, ...]:
    return tuple(singular(word) for word in words(text))
