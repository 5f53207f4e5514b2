"""Which items of a benchmark a question asks in other words: what they share of their content words.

Grams find copies. They cannot see a short item, nor one of which every fourth word is another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from med_small_lm.overlap.stems import COMMON_SHARE, FUNCTION_WORDS, Unit

_LEAST = 3  # content words in common; fewer are a topic, not a question,
_MANY = 8  # content words in common that need not stand in the stems,
_TERMS = 2  # and so are more of them if they stand side by side in the item: "small cell lung" is one term
_DOUBT = 0.5  # of an unknown word's weight that is added to what could be shared
_HALF = 0.5  # of the larger text that counts at least, so that half of an item is found but a word of it is not


@dataclass(frozen=True, slots=True)
class Wording:
    """A question: ``texts`` are its stem and its options, word by word; ``stem`` and ``all`` their different words."""

    texts: tuple[Unit, ...]
    stem: frozenset[str]
    all: frozenset[str]


def wording(stem: Sequence[Unit], options: Sequence[Unit]) -> Wording:
    """Return the wording of a question with this stem (with its context, if it has one) and these options."""
    texts = (*stem, *options)
    return Wording(texts, frozenset(chain.from_iterable(stem)), frozenset(chain.from_iterable(texts)))


@dataclass(frozen=True, slots=True)
class Likeness:
    """A question (its place among those asked for) that is like an item (its number): how like, and in which words.

    ``within`` says that the question's stem brings no content word that the item lacks.
    """

    question: int
    item: int
    similarity: float
    shared: frozenset[str]
    within: bool


class FuzzyIndex:
    """Items as sets of content words, weighted by rarity, that questions are laid beside.

    The similarity of two is the weight of the words that they share, divided by the weight of the lighter one (at least
    of half the heavier one) and half an unknown word more: 3 words of 3 are less sure than 30 of 30. It counts only
    where the words are no single term, and both stems have a part in them (many words may stand in the options alone).

        item       sharpest | cusp | mandibular | premolar | molar | canine
        question   sharpest | tip  |              premolar | molar | canine      4 / (5 + 0.5)  ->  0.73
    """

    def __init__(self, wordings: Sequence[Wording], items: Sequence[int], threshold: float) -> None:
        """Index the ``wordings`` of the items with the numbers in ``items``, one each.

        Content words are those in under 5 % of them. ``threshold`` is the least similarity that is found, 0 to 1.
        """
        self.threshold = threshold
        self.wordings = wordings
        self.items = items
        bags = [own.all - FUNCTION_WORDS for own in wordings]
        frequency = Counter(word for bag in bags for word in bag)
        common_from = max(COMMON_SHARE * len(bags), 1.5)
        rare = [word for word, count in frequency.items() if count < common_from]
        self._columns = {word: n for n, word in enumerate(rare)}
        self._common = FUNCTION_WORDS | (frequency.keys() - self._columns.keys())
        self._unknown = math.log(len(bags) + 1)
        self._rarity = np.asarray([math.log((len(bags) + 1) / frequency[word]) for word in rare])
        held = self._incidence(bags)
        self._weights = held @ self._rarity
        self._by_word = held.multiply(self._rarity).T.tocsr()

    def alike(self, questions: Sequence[Wording]) -> Iterator[Likeness]:
        """Yield the items that each question is like, from the threshold on."""
        for place, column, similarity in self._near(questions, self.threshold):
            question, item = questions[place], self.wordings[column]
            if words := self._telling(question, item):
                within = question.stem - self._common <= item.all
                yield Likeness(place, self.items[column], similarity, words, within)

    def kin(self, questions: Sequence[Wording], share: float) -> Iterator[tuple[int, int]]:
        """Yield the pairs of question and item that reach a ``share`` of the threshold, in whatever words."""
        for place, column, _ in self._near(questions, share * self.threshold):
            yield place, self.items[column]

    def _near(self, questions: Sequence[Wording], least: float) -> Iterator[tuple[int, int, float]]:
        """Yield the pairs of question and wording whose similarity is ``least`` or more, with it."""
        if not questions or not self.wordings:
            return
        held = self._incidence([own.all for own in questions])
        unknown = [len(own.all - self._common) for own in questions] - np.diff(held.indptr)
        weights = held @ self._rarity + self._unknown * unknown
        shared = (held @ self._by_word).tocoo()
        # What cannot reach it even beside the lightest item goes first: nearly all.
        able = shared.data >= least * (_HALF * weights[shared.row] + _DOUBT * self._unknown)
        rows, columns = shared.row[able], shared.col[able]
        similarity = shared.data[able] / self._whole(weights[rows], self._weights[columns])
        for n in np.flatnonzero(similarity >= least):
            yield int(rows[n]), int(columns[n]), float(similarity[n])

    def _telling(self, question: Wording, item: Wording) -> frozenset[str]:
        """Return the content words that two share; none where they are too few, one term, or few and not of stems."""
        words = question.all & item.all & self._columns.keys()
        asked = len(words) >= _MANY or (len(words) >= _LEAST and words & question.stem & item.stem)
        return frozenset(words) if asked and _terms(words, item.texts) >= _TERMS else frozenset()

    def _whole(self, left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight that two texts of these weights would share if they were equal, with some doubt."""
        return np.maximum(np.minimum(left, right), _HALF * np.maximum(left, right)) + _DOUBT * self._unknown

    def _incidence(self, bags: Sequence[Set[str]]) -> csr_matrix:
        """Return which bag (row) holds which content word (column)."""
        rows = [sorted(self._columns[word] for word in bag if word in self._columns) for bag in bags]
        columns = np.asarray([column for row in rows for column in row], dtype=np.int64)
        starts = np.cumsum([0, *map(len, rows)])
        return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(bags), len(self._columns)))


def _terms(words: Set[str], texts: Sequence[Unit]) -> int:
    """Return in how many stretches of a question's texts these words stand side by side."""
    return len({tuple(run) for text in texts for held, run in groupby(text, words.__contains__) if held})
