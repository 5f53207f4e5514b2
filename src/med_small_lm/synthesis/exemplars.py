"""Which exemplars and which other passages go with a passage: the nearest by TF-IDF."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from med_small_lm.overlap.normalise import normalised
from med_small_lm.schemas.rows import Passage, Question

EXEMPLAR_SPLIT = "dev"
"""The split of an exam whose questions are shown to the teacher."""
SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9])")


def terms(**how: Any) -> Any:
    """Return a TF-IDF vectoriser; scikit-learn is imported only here, so that no command pays for it before a node."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+", **how)


_ROWS = 512  # of similarities that are held at once
_CELLS = 4_000_000  # the same where there are as many columns as a library has passages


class Exemplars:
    """Questions of an exam's dev split, to be found by the sentence that proves them (their first quote)."""

    def __init__(self, questions: Sequence[Question]) -> None:
        """Index the questions that have a quote; the others cannot be found by one and are left out."""
        self._questions = [question for question in questions if question.quotes and question.quotes[0].text.strip()]
        # Pairs of words tell relations apart ("is due to", "is released by"); single words alone find subjects. To mask
        # the evidence's own subject and answer was tried: it finds the right relation no more often.
        self._terms = terms(ngram_range=(1, 2))
        evidence = [normalised(question.quotes[0].text) for question in self._questions]
        self._evidence = self._terms.fit_transform(evidence) if any(evidence) else None

    def nearest(self, text: str, per_sentence: int, most: int) -> list[dict[str, Any]]:
        """Return the exemplars for a passage as a prompt's slots take them, each once, at most ``most``.

        They are the ``per_sentence`` nearest of every sentence; all sentences' nearest come before any second one, so
        that the cap takes the same from all.
        """
        split = [normalised(sentence) for sentence in SENTENCE.split(text)]
        split = [sentence for sentence in split if sentence]
        if self._evidence is None or not split or per_sentence < 1:
            return []
        alike = (self._terms.transform(split) @ self._evidence.T).toarray()
        order = np.argsort(-alike, axis=1, kind="stable")[:, :per_sentence]
        best = np.take_along_axis(alike, order, axis=1)
        found: dict[int, None] = {}
        for rank in range(order.shape[1]):
            for row in np.argsort(-best[:, rank], kind="stable"):
                if best[row, rank] > 0:
                    found[int(order[row, rank])] = None
        return [_slot(self._questions[place]) for place in list(found)[:most]]


def related(passages: Sequence[Passage], most: int) -> list[list[str]]:
    """Return for each passage the texts of the ``most`` nearest other passages of its book, the nearest first."""
    found: list[list[str]] = [[] for _ in passages]
    by_book: dict[str, list[int]] = defaultdict(list)
    for place, passage in enumerate(passages):
        by_book[passage.book].append(place)
    for places in by_book.values():
        if len(places) < 2 or most < 1:
            continue
        for place, near in zip(places, _neighbours([passages[place].text for place in places], most), strict=True):
            found[place] = [passages[places[n]].text for n in near]
    return found


def nearest(queries: Sequence[str], texts: Sequence[str], most: int) -> list[list[int]]:
    """Return for each query the places of the ``most`` texts that are nearest to it, the nearest first.

    A text that shares no word with a query is not near.
    """
    known = [normalised(text) for text in texts]
    if most < 1 or not queries or not any(known):
        return [[] for _ in queries]
    maker = terms()
    matrix = maker.fit_transform(known)
    near: list[list[int]] = []
    step = max(_CELLS // len(texts), 1)
    for first in range(0, len(queries), step):
        asked = maker.transform([normalised(query) for query in queries[first : first + step]])
        alike = (asked @ matrix.T).toarray()
        order = np.argsort(-alike, axis=1, kind="stable")[:, :most]
        near += [[int(n) for n in own if row[n] > 0] for own, row in zip(order, alike, strict=True)]
    return near


def _neighbours(texts: Sequence[str], most: int) -> list[list[int]]:
    """Return for each text the places of the nearest others."""
    maker = terms()
    matrix = maker.fit_transform([normalised(text) or "-" for text in texts])
    near: list[list[int]] = []
    for first in range(0, len(texts), _ROWS):
        alike = (matrix[first : first + _ROWS] @ matrix.T).toarray()
        rows = np.arange(len(alike))
        alike[rows, first + rows] = -1.0
        near += np.argsort(-alike, axis=1, kind="stable")[:, : min(most, len(texts) - 1)].tolist()
    return near


def _slot(question: Question) -> dict[str, Any]:
    return {
        "stem": question.stem,
        "options": [option.text for option in question.options],
        "answer": question.answer_text,
        "evidence": question.quotes[0].text,
    }
