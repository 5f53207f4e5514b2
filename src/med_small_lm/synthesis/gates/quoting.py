"""How much of a quote stands in a passage: typography may differ, what the quote says may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from med_small_lm.answers.nearest import POLES
from med_small_lm.overlap.normalise import normalised

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑\u00ad]\s*(?=[^\W\d_])")  # defi- ciency, auto-immune
_THOUSANDS = re.compile(r"(?<=\d)[,\u202f](?=\d{3}(?!\d))")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|[<>≤≥±%]")
_ELLIPSIS = re.compile(r"\s*(?:[\[(]\s*)?(?:\.\s?){3,}(?:\s*[\])])?|\s*[\[(]?…[\])]?")
_TURNS = POLES | frozenset(
    "never cannot nor neither except unless only more less fewer greater smaller rarely seldom always often "
    "increases decreases increase decrease raises lowers raise lower inhibits stimulates inhibit stimulate activates "
    "blocks activate block induces suppresses induce suppress causes prevents cause prevent opens closes before after "
    "agonist antagonist contraindicated indicated hyper hypo".split()
)
"""Words that turn a statement round: a quote may neither add nor lose one."""
_CODE = re.compile(r"[b-z]|[ivx]+")
_NEAR = 0.75  # likeness in letters of a misread word to the one that stands there
_SPREAD = 2.0  # of its own length over which a quote's words may lie scattered in the passage


@dataclass(frozen=True, slots=True)
class Found:
    """The share (0 to 1) of a quote's words that stand in a passage; ``turned`` are those that change what it says."""

    share: float
    turned: tuple[str, ...] = ()


def found_in(quote: str, passage: str) -> Found:
    """Return how much of a quote stands in a passage, in order and close together.

    Case, accents, ligatures, punctuation, hyphens and spaces do not count, and an ellipsis may stand for what is left
    out. A misread word counts as the one that stands there. A number, a negation or another word that turns the
    statement round must stand on both sides or on none.
    """
    if _stands_as_it_is(quote.strip(), passage):
        return Found(1.0)
    own, text = _tokens(_ELLIPSIS.sub(" ", quote)), _tokens(passage)
    if not own:
        return Found(0.0)
    parts = [part for part in map(_tokens, _ELLIPSIS.split(quote)) if part]
    if _stand_in_order(parts, text):
        return Found(1.0)
    return _aligned(own, text, has_gaps=len(parts) > 1)


def _stands_as_it_is(quote: str, passage: str) -> bool:
    """Return whether a quote stands in a passage letter by letter, between spaces: nearly all do."""
    start = f" {passage} ".find(f" {quote} ")
    return start >= 0 and any(map(str.isalnum, quote))


def _aligned(own: Sequence[str], text: Sequence[str], *, has_gaps: bool) -> Found:
    """Return what word-by-word alignment finds in the stretch of the passage that holds most of the quote."""
    first, last = _stretch(own, text)
    held = text[first:last]
    common, turned = 0, []
    for kind, a, b, c, d in SequenceMatcher(a=own, b=held, autojunk=False).get_opcodes():
        if kind == "equal":
            common += b - a if b - a > 1 or len(own) < 3 else 0
            continue
        left, right = own[a:b], held[c:d]
        if kind == "replace" and _misread(left, right):
            common += b - a
            continue
        turned += [word for word in left if _turns(word)]
        if kind == "replace":
            turned += [word for word in right if a > 0 and b < len(own) and _turns(word)]
        elif c > 0 and d < len(held) and not has_gaps:  # a citation may be left out, a negation may not
            turned += [word for word in right if word in _TURNS]
    return Found(common / len(own), tuple(dict.fromkeys(turned)))


def _stretch(own: Sequence[str], text: Sequence[str]) -> tuple[int, int]:
    """Return where in the passage the quote's words lie closest together."""
    wide = min(len(text), round(_SPREAD * len(own)) + 1)
    wanted = set(own)
    hits = list(accumulate((token in wanted for token in text), initial=0))
    first = max(range(len(text) - wide + 1), key=lambda n: hits[n + wide] - hits[n], default=0)
    return first, first + wide


def _misread(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether words are others misread or parted elsewhere: nearly the same letters, and no number or turn."""
    a, b = "".join(left), "".join(right)
    if a == b:
        return True
    if any(_turns(word) for word in (*left, *right)) or min(len(a), len(b)) < 4:
        return False
    return SequenceMatcher(a=a, b=b, autojunk=False).ratio() >= _NEAR


def _turns(word: str) -> bool:
    """Return whether a word may not be another one: a turn, a number, a sign, the letter of a vitamin or a type."""
    return word in _TURNS or not word.isalpha() or _CODE.fullmatch(word) is not None


def _stand_in_order(parts: Sequence[Sequence[str]], text: Sequence[str]) -> bool:
    """Return whether all parts stand in the passage one behind the other, wherever its spaces are."""
    whole, starts = _glued(text)
    edges, place = {*starts, len(whole)}, 0
    for part in parts:
        wanted, _ = _glued(part)
        place = whole.find(wanted, place)
        while place >= 0 and not (place in edges and place + len(wanted) in edges):
            place = whole.find(wanted, place + 1)
        if place < 0:
            return False
        place += len(wanted)
    return True


def _glued(tokens: Sequence[str]) -> tuple[str, list[int]]:
    """Return words without the spaces between them, and where each begins; numbers keep theirs: 1.5 is not 15."""
    pieces = [token if token.isalpha() else f" {token} " for token in tokens]
    return "".join(pieces), list(accumulate(map(len, pieces), initial=0))[:-1]


def _tokens(text: str) -> list[str]:
    """Return the words, numbers and signs of a text in one spelling."""
    tokens: list[str] = []
    for found in _TOKEN.findall(_THOUSANDS.sub("", _HYPHEN.sub("", unicodedata.normalize("NFKC", text)))):
        plain = not found[0].isalpha() or (found.isascii() and found.isalpha())
        tokens += [found.lower()] if plain else normalised(found).split()
    return tokens
