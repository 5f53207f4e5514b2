"""The gates in their order: which questions and rationales are kept, and at which gate the others stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.duplicates import duplicates
from med_small_lm.synthesis.gates import contamination, rationale_document, sift
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.language import language_of
from med_small_lm.synthesis.options import balanced
from med_small_lm.synthesis.question_gates import (
    option_texts,
    question_format,
    question_language,
    question_schema,
    question_support,
)
from med_small_lm.synthesis.rationale_gates import (
    answer_consistency,
    rationale_format,
    rationale_language,
    rationale_support,
)


def sound_questions(
    candidates: Sequence[Question], passages: Sequence[Passage], params: QuestionGates
) -> tuple[list[Question], list[Question]]:
    """Return the questions that pass the gates that look at each one alone, and the rejected ones.

    The order is schema, format, options, language, support. They cost nothing, so they come before a judge is asked.
    """
    gates: list[Callable[[Question], Verdict]] = [
        question_schema,
        partial(question_format, params=params),
        partial(option_texts, params=params),
        partial(question_language, languages=_languages(passages)),
        partial(question_support, passages={passage.passage_id: passage for passage in passages}, params=params),
    ]
    return sift(candidates, gates)


def sift_questions(
    sound: Sequence[Question],
    guards: Sequence[ContaminationIndex],
    exemplars: Sequence[Question],
    params: QuestionGates,
    seed: int = 0,
) -> tuple[list[Question], list[Question]]:
    """Return those of the sound questions that pass the gates that look at all, held-out ones included, and the others.

    The held-out questions lose their duplicates and become a guard of their own; then the training questions pass
    contamination and, last, duplicates: of two that ask the same, the one that is clean must not fall for the one that
    is not. Where the right options of what is kept stand too often in one place, they are moved, drawn by ``seed``.
    ``exemplars`` are questions in the same style.
    """
    held, rejected = _without_duplicates([q for q in sound if q.split != "train"], params)
    train = [question for question in sound if question.split == "train"]
    every = [*guards, *guards_of(held, [*exemplars, *train], coverage=params.coverage, fuzzy=params.fuzzy)]
    said = contamination(map(question_document, train), every)
    clean, stopped = sift(train, [lambda _: next(said)])
    rejected += stopped
    kept, stopped = _without_duplicates(clean, params)
    both = (balanced(own, params.key_place_excess, seed) for own in (kept, held))
    return [question for own in both for question in own], [*rejected, *stopped]


def sift_rationales(
    candidates: Sequence[Rationale],
    questions: Sequence[Question],
    passages: Sequence[Passage],
    guards: Sequence[ContaminationIndex],
    params: RationaleGates,
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales that pass all gates, and the rejected ones.

    The order is format, answer, language, support, contamination of question and rationale together.
    """
    asked = {question.question_id: question for question in questions}
    by_id = {passage.passage_id: passage for passage in passages}
    spoken = partial(rationale_language, languages=_languages(passages))

    def answered(rationale: Rationale) -> Verdict:
        return answer_consistency(rationale, asked[rationale.question_id])

    def supported(rationale: Rationale) -> Verdict:
        return rationale_support(rationale, asked[rationale.question_id], by_id, params)

    sound, rejected = sift(candidates, [partial(rationale_format, params=params), answered, spoken, supported])
    said = contamination((rationale_document(one, asked[one.question_id]) for one in sound), guards)
    kept, stopped = sift(sound, [lambda _: next(said)])
    return kept, [*rejected, *stopped]


def _without_duplicates(questions: Sequence[Question], params: QuestionGates) -> tuple[list[Question], list[Question]]:
    """Return the questions that ask something new, and those that an earlier one asks."""
    said = iter(duplicates(questions, params))
    return sift(questions, [lambda _: next(said)])


def _languages(passages: Sequence[Passage]) -> dict[str, str]:
    """Return the languages of passages by their ids."""
    return {passage.passage_id: language_of(passage.text) for passage in passages}
