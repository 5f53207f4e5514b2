"""The contamination rules written out plainly: one item beside one document, without any index.

What is read from a benchmark as a whole (subjects, grams that count, which items are interchangeable) is taken from
the guard, for that is the definition; how it is looked for is not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.overlap.documents import Document, asked
from med_small_lm.overlap.guarded import right_answers
from med_small_lm.overlap.stems import FUNCTION_WORDS, folded
from med_small_lm.schemas.rows import Question


class Beside:
    """One guard's items, each to be laid beside documents."""

    def __init__(self, guard: ContaminationIndex, questions: Sequence[Question]) -> None:
        self.items, self.coverage, self.least = guard.items, guard.coverage, guard.fuzzy
        self.answers = [list(right_answers(question)) for question in questions]
        self.asked = [[worded(one.stem, one.options) for one in asked(question)] for question in questions]
        # Bare questions and those with a context are two collections, each with its own rarity of words.
        self.rarity = [Rarity([parts[n][1] for parts in self.asked if len(parts) > n]) for n in range(2)]
        self.weights = [
            [own.weigh(part[1]) for own, part in zip(self.rarity, parts, strict=False)] for parts in self.asked
        ]

    def hits(self, document: Document, coverage: str, same_fact: str, fuzzy: str) -> Iterator[tuple[Any, ...]]:
        """The items that a document contaminates: benchmark, item, rule, value."""
        whole, asserted = spaced(document.whole), spaced(document.asserted)
        grams = {" ".join(own[n : n + 8]) for own in map(folded, document.whole) for n in range(len(own) - 7)}
        questions = [worded(one.stem, one.options) for one in document.asked]
        weighed = [(question, [own.weigh(question[1]) for own in self.rarity]) for question in questions]
        for item, answers, parts, weights in zip(self.items, self.answers, self.asked, self.weights, strict=True):
            name = item.benchmark, item.question_id
            if item.grams:
                short = (gram for gram in item.grams if gram.count(" ") < 7)
                held = len(item.grams & grams) or sum(f" {gram} " in whole for gram in short)
                if held / len(item.grams) >= self.coverage:
                    yield *name, coverage, round(held / len(item.grams), 9)
            if value := self.fact(item, answers, whole, asserted):
                yield *name, same_fact, round(value, 9)
            free = not item.interchangeable or item.core in whole
            alike = [
                value
                for question, own in weighed
                for rarity, part, weight, other in zip(self.rarity, parts, own, weights, strict=False)
                if (value := rarity.likeness(question, part, weight, other)) >= self.least
                and (free or rarity.within(question, part))
            ]
            if alike:
                yield *name, fuzzy, round(max(alike), 9)

    def fact(self, item: Any, answers: Sequence[str], whole: str, asserted: str) -> float:
        """The share of the content words that stand with the answer, 1 for the subject, 0 for less than half."""
        named = [answer for answer in answers if answer in whole]
        if not named:
            return 0.0
        if any(subject in whole and subject not in answer for subject in item.subjects for answer in named):
            return 1.0
        half = max(len(item.content) / 2, min(3, len(item.content)))
        if not item.content or not any(answer in asserted for answer in named):
            return 0.0
        if item.in_form and item.core not in asserted:
            return 0.0
        longest = common_subsequence(item.content, [word for word in asserted.split() if word in item.content])
        return longest / len(item.content) if longest >= half else 0.0


class Rarity:
    """How much the words of a collection of questions weigh."""

    def __init__(self, bags: Sequence[set[str]]) -> None:
        counts, self.n = Counter(word for bag in bags for word in bag), len(bags)
        self.common = {w for w, count in counts.items() if count >= max(0.05 * self.n, 1.5)} | FUNCTION_WORDS
        self.weight = {word: math.log((self.n + 1) / count) for word, count in counts.items()}

    def likeness(self, question: Any, item: Any, weight: float, other: float) -> float:
        """The similarity of two questions of these weights; 0 where too little speaks for it."""
        words = (question[1] & item[1]) - self.common
        if len(words) < 3 or (len(words) < 8 and not words & question[0] & item[0]):
            return 0.0
        runs = {tuple(run) for text in item[2] for held, run in groupby(text, words.__contains__) if held}
        most = max(min(weight, other), max(weight, other) / 2) + math.log(self.n + 1) / 2
        return sum(self.weight[word] for word in words) / most if len(runs) > 1 else 0.0

    def within(self, question: Any, item: Any) -> bool:
        """Whether the question's stem brings no content word that the item lacks."""
        return not question[0] - self.common - item[1]

    def weigh(self, words: set[str]) -> float:
        """The weight of the content words."""
        return sum(self.weight.get(word, math.log(self.n + 1)) for word in words - self.common)


def worded(stem: Sequence[str], options: Sequence[str]) -> tuple[set[str], set[str], list[tuple[str, ...]]]:
    """The different words of the stem, of stem and options, and these text by text."""
    texts = [folded(text) for text in (*stem, *options)]
    return {word for text in texts[: len(stem)] for word in text}, {word for text in texts for word in text}, texts


def spaced(texts: Sequence[str]) -> str:
    """Texts with a space at both ends of every word, and a bar between them."""
    return "".join(f" {' '.join(folded(text))} |" for text in texts)


def common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    rows = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for n, a in enumerate(left):
        for m, b in enumerate(right):
            rows[n + 1][m + 1] = rows[n][m] + 1 if a == b else max(rows[n][m + 1], rows[n + 1][m])
    return rows[-1][-1]
