"""The book exam: sections of the books whose questions are never trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.overlap.guarded import beside
from med_small_lm.schemas.rows import Passage, Question


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
    """Return one guard for each source of ``questions``: a benchmark, or the book exam; see ``guarded.beside``."""
    parts, exams = beside(questions, background, splits)
    return [ContaminationIndex(items, style, coverage, fuzzy, exams=exams) for items, style in parts]
