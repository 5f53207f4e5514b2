"""Questions with the books open: the passages nearest to each stand before it, as many whole ones as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from med_small_lm.benchmarks.pages import nearest_pages
from med_small_lm.schemas.rows import Passage, Question

Pages = dict[str, list[str]]
"""The texts of the passages found for each question, the nearest first."""


def find_pages(questions: Sequence[Question], passages: Sequence[Passage], k: int) -> Pages:
    """Returns the ``k`` passages nearest to each question's own words (BM25).

    Neither the options nor the key are part of what is looked for, nor where the question was made from.
    """
    texts = [f"{question.context} {question.stem}" for question in questions]
    found = nearest_pages(texts, passages, k) if questions else []
    return {one.question_id: [page.text for page in pages] for one, pages in zip(questions, found, strict=True)}


def opened(question: Question, pages: Sequence[str], fits: Callable[[Question], bool]) -> tuple[Question, int]:
    """Returns the question behind the nearest passages that fit, and how many these are."""
    asked, shown = question, 0
    told = [" ".join(page.split()) for page in pages]
    for count in range(1, len(told) + 1):
        more = replace(question, context="\n\n".join([*told[:count], question.context]).strip())
        if not fits(more):
            break
        asked, shown = more, count
    return asked, shown
