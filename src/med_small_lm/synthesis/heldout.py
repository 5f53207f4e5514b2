"""The book exam: sections of the books whose questions are never trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.schemas.rows import Passage, Question

_BACKGROUND = 1_000  # questions, at least, that show which words are the exam's form; twice as many show nothing new


def held_out_passages(passages: Sequence[Passage], share: float, seed: int) -> set[str]:
    """Return the ids of the passages of a ``share`` of the sections, drawn by ``seed``: at least one if any are wanted.

    Whole sections are drawn, not passages, so that a fact told over two neighbours is not on both sides.
    """
    sections = sorted({(passage.book, passage.section) for passage in passages})
    if not sections or share <= 0:
        return set()
    # One section alone is never held out: nothing would be left to train on.
    n_drawn = min(max(round(share * len(sections)), 1), len(sections) - 1)
    places = np.random.default_rng(seed).permutation(len(sections))[:n_drawn]
    drawn = {sections[place] for place in places}
    return {passage.passage_id for passage in passages if (passage.book, passage.section) in drawn}


def guards_of(
    questions: Sequence[Question],
    background: Sequence[Question] = (),
    splits: Sequence[str] = ("test",),
    coverage: float = 0.2,
    fuzzy: float = 0.54,
) -> list[ContaminationIndex]:
    """Return one guard for each source of ``questions``: a benchmark, or the book exam.

    Guarded are the questions of ``splits``. A benchmark's other splits show which words are its form; a source that has
    none (the book exam) is read beside all that is not guarded and ``background``: exemplars, training questions. Of a
    large train split a part is read, for a guard's stems are laid beside each other.
    """
    guarded: dict[str, list[Question]] = {question.source: [] for question in questions}
    others: dict[str, list[Question]] = {source: [] for source in guarded}
    for question in questions:
        (guarded if question.split in splits else others)[question.source].append(question)
    others = {source: _some(own) for source, own in others.items()}
    beside = [question for own in others.values() for question in own]
    exams = [*(question for own in guarded.values() for question in own), *beside]
    return [
        ContaminationIndex(items, others[source] or [*beside, *_some(background)], coverage, fuzzy, exams=exams)
        for source, items in guarded.items()
        if items
    ]


def _some(questions: Sequence[Question]) -> list[Question]:
    """Return every n-th of many questions."""
    return list(questions[:: max(len(questions) // _BACKGROUND, 1)])
