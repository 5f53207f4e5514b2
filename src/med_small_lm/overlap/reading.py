"""A document as it is looked through: its words, and as text with a space at both ends of every word."""

from __future__ import annotations

from dataclasses import dataclass

from med_small_lm.overlap.documents import Document
from med_small_lm.overlap.fuzzy import Wording, wording
from med_small_lm.overlap.grams import GRAM, phrase
from med_small_lm.overlap.stems import folded

_BREAK = "|"  # stands between texts, and no word looks like it


@dataclass(frozen=True, slots=True)
class Read:
    """A document: ``whole`` and ``asserted`` as text, its word 8-grams, its different words, its question."""

    whole: str
    asserted: str
    grams: frozenset[str]
    asserted_words: list[str]
    different: frozenset[str]
    asked: tuple[Wording, ...]


def read(document: Document) -> Read:
    """Return a document's words; no phrase reaches from one of its texts into another."""
    parts = {text: folded(text) for text in document.whole}
    words = [word for text in document.whole for word in (*parts[text], _BREAK)]
    asserted = [word for text in document.asserted for word in (*(parts.get(text) or folded(text)), _BREAK)]
    asked = tuple(
        wording([parts[text] for text in one.stem], [parts[text] for text in one.options]) for one in document.asked
    )
    grams = frozenset(" ".join(own[n : n + GRAM]) for own in parts.values() for n in range(len(own) - GRAM + 1))
    return Read(phrase(words), phrase(asserted), grams, asserted, frozenset(words), asked)
