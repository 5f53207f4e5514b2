"""Word 8-grams: what of a text may stand word for word in another, and what of it many texts share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from med_small_lm.overlap.stems import FUNCTION_WORDS, Unit, folded

GRAM = 8
"""Words of a gram whose share is the coverage."""

SHARED_BY = 2
"""Questions that may hold a gram, whatever figures stand in it; what more hold is boilerplate (vital signs)."""

_FIGURE = re.compile(r"\d+")


class Boilerplate:
    """What more than ``SHARED_BY`` of the texts hold, whatever figures stand in it."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Count the grams of texts; one that comes twice counts once."""
        every = (grams_of(folded(text)) for text in set(texts))
        self._holders = Counter(gram for own in every for gram in {_FIGURE.sub("0", gram) for gram in own})

    def __contains__(self, gram: str) -> bool:
        """Return whether too many of the texts hold a gram."""
        return self._holders[_FIGURE.sub("0", gram)] > SHARED_BY


def grams_of(words: Unit) -> list[str]:
    """Return the different word 8-grams of a text, or the whole text where it is shorter."""
    if len(words) < GRAM:
        return [" ".join(words)] if words else []
    return list(dict.fromkeys(" ".join(words[n : n + GRAM]) for n in range(len(words) - GRAM + 1)))


def asks(gram: str) -> bool:
    """Return whether a gram is more than one term of fewer than eight words ("The coronary arteries")."""
    words = gram.split()
    return len(words) >= GRAM or sum(not function for function, _ in groupby(words, FUNCTION_WORDS.__contains__)) > 1


def phrase(words: Sequence[str]) -> str:
    """Return words as text with a space at both ends of every word."""
    return f" {' '.join(words)} "
