"""Passages that say the same in two books: linked to one survivor, which keeps the places of all."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeAlias

from med_small_lm.overlap.minhash import candidates, jaccard, shingles, signatures
from med_small_lm.overlap.normalise import words
from med_small_lm.schemas.rows import Passage, Place

_STOCK = 150  # letters; a shorter text may be a stock phrase that two authors wrote by chance
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
# What points elsewhere in a book: "(see Figure 3.2)", "[12, 13]". Its numbers differ from edition to edition.
_POINTER = re.compile(r"\((?:see )?(?:fig|figure|table|box|chapter|section)s?\.? [^()]{1,40}\)|\[\d[\d\s,–-]*\]", re.I)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")  # lower case alone: the A of "vitamin A" is a name
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-­‐‑](?=[^\W\d_])")
_MARKS = re.compile(r"[\s,;:()\"'“”„‘’`´«»•]+")


Found: TypeAlias = dict[int, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A passage that is gone, the passage that stands for it, and the Jaccard similarity of the two."""

    passage: Passage
    survivor_id: str
    similarity: float


def link_duplicates(
    passages: Sequence[Passage], threshold: float | None = 0.8, shingle: int = 3, permutations: int = 128
) -> tuple[list[Passage], list[Duplicate]]:
    """Return the passages without those that repeat one of another book, and the repeats, both in the order given.

    A passage repeats an earlier one of another book if the Jaccard similarity of their sets of ``shingle`` words
    reaches ``threshold`` and every sentence of it stands in the other: numbers and words equal, only marks, hyphens
    and articles aside. MinHash finds the candidates, so some pairs just at the threshold are missed, but none is
    wrong. A text under a line or two is linked only where its neighbour is, into the same book. The survivor gets the
    places of its repeats in ``also_in``. A threshold of None links nothing.
    """
    if threshold is None:
        return list(passages), []
    found = _Search(passages, threshold, shingle, permutations).found()
    gone = [Duplicate(passages[place], passages[first].passage_id, alike) for place, (first, alike) in found.items()]
    repeats: dict[int, list[Passage]] = defaultdict(list)
    for place, (first, _) in found.items():
        repeats[first].append(passages[place])
    kept = ((place, passage) for place, passage in enumerate(passages) if place not in found)
    return [_with_places(passage, repeats[place]) if place in repeats else passage for place, passage in kept], gone


class _Search:
    """The passages as sets of shingles, and which of them are to be laid beside which earlier ones."""

    def __init__(self, passages: Sequence[Passage], threshold: float, shingle: int, permutations: int) -> None:
        self._passages, self._threshold = passages, threshold
        self._sets = [shingles(words(plain(passage.text)), shingle) for passage in passages]
        self._partners: dict[int, list[int]] = defaultdict(list)
        for left, right in candidates(signatures(self._sets, permutations), threshold):
            if passages[left].book != passages[right].book:
                self._partners[right].append(left)
        self._found: Found = {}

    def found(self) -> Found:
        """Return the repeats by place, each with the place of its survivor and their similarity."""
        stock = {place for place in self._partners if is_stock(self._passages[place].text)}
        for place in sorted(self._partners.keys() - stock):
            self._link(place)
        places = {(passage.book, passage.ordinal): place for place, passage in enumerate(self._passages)}
        for place in sorted(stock - {first for first, _ in self._found.values()}):
            own = self._passages[place]
            beside = [places.get((own.book, own.ordinal + step), place) for step in (-1, 1)]
            self._link(place, {self._passages[self._found[near][0]].book for near in beside if near in self._found})
        return dict(sorted(self._found.items()))

    def _link(self, place: int, books: Set[str] | None = None) -> None:
        """Link a passage to the first survivor (in ``books``, where they are given) that it repeats, if there is one.

        It is laid beside the survivor itself: what is like a repeat need not be like what the repeat is like.
        """
        own = self._passages[place]
        for other in sorted(self._partners[place]):
            first = self._found[other][0] if other in self._found else other
            survivor = self._passages[first]
            if survivor.book == own.book or (books is not None and survivor.book not in books):
                continue
            alike = jaccard(self._sets[first], self._sets[place])
            if alike >= self._threshold and holds(survivor.text, own.text):
                self._found[place] = (first, alike)
                return


def holds(text: str, other: str) -> bool:
    """Return whether a text says all that another says: every sentence of it, or the same words under other breaks."""
    ours, theirs = sentences(text), sentences(other)
    return set(theirs) <= set(ours) or "".join(theirs) == "".join(ours)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text as they are compared: without spaces, marks, articles, hyphens and pointers.

    Whatever carries a number's meaning stays: its signs and points, and a space between two digits.
    """
    ends = _SENTENCE_END.split(plain(text))
    return [said for end in ends if (said := _MARKS.sub(_between, end).rstrip("."))]


def plain(text: str) -> str:
    """Return a text without what two editions may set otherwise: pointers, hyphens within words, articles."""
    return _ARTICLE.sub("", _HYPHEN.sub("", _POINTER.sub("", unicodedata.normalize("NFC", text))))


def _between(marks: re.Match[str]) -> str:
    """Return what is left of marks: nothing, but between digits the marks themselves, or one space."""
    start, end, text = marks.start(), marks.end(), marks.string
    within = start and text[start - 1].isdigit() and end < len(text) and text[end].isdigit()
    return (marks.group().strip() or " ") if within else ""


def is_stock(text: str) -> bool:
    """Return whether a text is so short that it is linked only where its neighbour is."""
    return sum(map(len, words(text))) < _STOCK


def _with_places(passage: Passage, repeats: Iterable[Passage]) -> Passage:
    """Return a passage with the places of its repeats, and of theirs, each once."""
    told = [*passage.also_in]
    for repeat in repeats:
        told += [Place(repeat.book, repeat.page_first, repeat.page_last), *repeat.also_in]
    return replace(passage, also_in=list(dict.fromkeys(told)))
