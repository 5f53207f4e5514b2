"""The gates in their order: which questions and rationales are kept, and at which gate the others stopped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.gates import (
    answer_consistency,
    contamination,
    duplicates,
    option_texts,
    question_format,
    question_support,
    rationale_document,
    rationale_format,
    rationale_support,
    sift,
)
from med_small_lm.synthesis.heldout import guards_of


def sift_questions(
    candidates: Sequence[Question],
    passages: Sequence[Passage],
    guards: Sequence[ContaminationIndex],
    exemplars: Sequence[Question],
    params: QuestionGates,
) -> tuple[list[Question], list[Question]]:
    """Return the questions that pass all gates, held-out ones included, and the rejected ones.

    The order is format, options, support; then the held-out questions lose their duplicates and become a guard of
    their own; then the training questions pass contamination and, last, duplicates: of two that ask the same, the one
    that is clean must not fall for the one that is not. ``exemplars`` are questions in the same style.
    """
    by_id = {passage.passage_id: passage for passage in passages}
    gates = [
        partial(question_format, params=params),
        partial(option_texts, params=params),
        partial(question_support, passages=by_id, params=params),
    ]
    sound, rejected = sift(candidates, gates)
    held, stopped = _without_duplicates([q for q in sound if q.split != "train"], params)
    rejected += stopped
    train = [question for question in sound if question.split == "train"]
    every = [*guards, *guards_of(held, [*exemplars, *train], coverage=params.coverage)]
    clean, stopped = sift(train, [lambda question: contamination(question_document(question), every)])
    rejected += stopped
    kept, stopped = _without_duplicates(clean, params)
    return [*kept, *held], [*rejected, *stopped]


def sift_rationales(
    candidates: Sequence[Rationale],
    questions: Sequence[Question],
    passages: Sequence[Passage],
    guards: Sequence[ContaminationIndex],
    params: RationaleGates,
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales that pass all gates, and the rejected ones.

    The order is format, answer, support, contamination of question and rationale together.
    """
    asked = {question.question_id: question for question in questions}
    by_id = {passage.passage_id: passage for passage in passages}

    def answered(rationale: Rationale) -> Verdict:
        return answer_consistency(rationale, asked[rationale.question_id])

    def supported(rationale: Rationale) -> Verdict:
        return rationale_support(rationale, asked[rationale.question_id], by_id, params)

    def clean(rationale: Rationale) -> Verdict:
        return contamination(rationale_document(rationale, asked[rationale.question_id]), guards)

    return sift(candidates, [partial(rationale_format, params=params), answered, supported, clean])


def _without_duplicates(questions: Sequence[Question], params: QuestionGates) -> tuple[list[Question], list[Question]]:
    """Return the questions that ask something new, and those that an earlier one asks."""
    said = iter(duplicates(questions, params))
    return sift(questions, [lambda _: next(said)])
