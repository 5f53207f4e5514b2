"""The gates in their order: which questions and rationales are kept, and at which gate the others stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.gates.duplicates import Embed, duplicates
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.options import balanced
from med_small_lm.synthesis.gates.questions import (
    option_texts,
    question_format,
    question_language,
    question_schema,
    question_support,
)
from med_small_lm.synthesis.gates.rationales import (
    answer_consistency,
    each_option,
    rationale_format,
    rationale_language,
    rationale_support,
    states_answer,
    surplus,
)
from med_small_lm.synthesis.gates.verdicts import contamination, judge, passed, rationale_document, same_language, sift
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rationales import GENERAL, METHODS, OPTIONWISE


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
    found: list[list[Hit]] | None = None,
    embed: Embed | None = None,
) -> tuple[list[Question], list[Question]]:
    """Return those of the sound questions that pass the gates that look at all, held-out ones included, and the others.

    The held-out questions lose their duplicates and become a guard of their own; then the training questions pass
    contamination and, last, duplicates: of two that ask the same, the one that is clean must not fall for the one that
    is not. Where the right options of what is kept stand too often in one place, they are moved, drawn by ``seed``.
    ``exemplars`` are questions in the same style; ``found`` takes what the contamination gate finds in each record;
    ``embed`` gives the vectors by which near duplicates are found, too.
    """
    held, rejected = _without_duplicates([q for q in sound if q.split != "train"], params, embed)
    train = [question for question in sound if question.split == "train"]
    form = [*exemplars, *(question for question in train if question.kind == "single")]
    every = [*guards, *guards_of(held, form, coverage=params.coverage, fuzzy=params.fuzzy)]
    said = contamination(map(question_document, train), every, found)
    clean, stopped = sift(train, [lambda _: next(said)])
    rejected += stopped
    kept, stopped = _without_duplicates(clean, params, embed)
    both = (balanced(own, params.key_place_excess, seed) for own in (kept, held))
    return [question for own in both for question in own], [*rejected, *stopped]


def sift_rationales(
    candidates: Sequence[Rationale],
    questions: Sequence[Question],
    passages: Sequence[Passage],
    guards: Sequence[ContaminationIndex],
    params: RationaleGates,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales that pass all gates, and the rejected ones.

    The order is format, answer, language, support, contamination of question and rationale together, surplus; ``found``
    takes what contamination finds in each record. Where the answer was shown, it is looked at how it is told, too.
    """
    asked = {question.question_id: question for question in questions}
    by_id = {passage.passage_id: passage for passage in passages}
    languages = _languages(passages)

    def verdicts(rationale: Rationale) -> Iterator[Verdict]:
        question = asked[rationale.question_id]
        yield rationale_format(rationale, params)
        if rationale.method == METHODS[OPTIONWISE]:
            yield each_option(rationale, question)
        if rationale.method == METHODS[GENERAL]:
            yield states_answer(rationale, question)
        yield answer_consistency(rationale, question)
        yield rationale_language(rationale, languages)
        yield rationale_support(rationale, question, by_id, params)

    clean, rejected = _clean([judge(one, verdicts(one)) for one in candidates], asked, guards, found)
    kept, stopped = sift(clean, _enough(params))
    return kept, [*rejected, *stopped]


def sift_exam_rationales(
    candidates: Sequence[Rationale],
    questions: Sequence[Question],
    guards: Sequence[ContaminationIndex],
    params: RationaleGates,
    repeats: QuestionGates,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales of an exam's own questions that pass all gates, and the rejected ones.

    The order is format, answer, language, contamination of question and rationale together, duplicate of the question,
    surplus. Of two items that ask the same, the one that is clean must not fall for the one that is not.
    """
    asked = {question.question_id: question for question in questions}

    def verdicts(rationale: Rationale) -> Iterator[Verdict]:
        question = asked[rationale.question_id]
        yield rationale_format(rationale, params)
        yield answer_consistency(rationale, question)
        yield same_language(rationale.text, {question.language})

    clean, rejected = _clean([judge(one, verdicts(one)) for one in candidates], asked, guards, found)
    left = list(dict.fromkeys(rationale.question_id for rationale in clean))
    again = dict(zip(left, duplicates([asked[name] for name in left], repeats), strict=True))
    kept, stopped = sift(clean, [lambda one: again[one.question_id], *_enough(params)])
    return kept, [*rejected, *stopped]


def _clean(
    judged: Sequence[Rationale],
    asked: Mapping[str, Question],
    guards: Sequence[ContaminationIndex],
    found: list[list[Hit]] | None,
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales that no gate has stopped and that hold no guarded item, and all others."""
    sound = [rationale for rationale in judged if passed(rationale)]
    said = contamination((rationale_document(one, asked[one.question_id]) for one in sound), guards, found)
    clean, stopped = sift(sound, [lambda _: next(said)])
    return clean, [*(rationale for rationale in judged if not passed(rationale)), *stopped]


def _enough(params: RationaleGates) -> list[Callable[[Rationale], Verdict]]:
    """Return the gate for what is more than may be kept of a question, if there is such a limit."""
    return [surplus(params.kept_max)] if params.kept_max else []


def _without_duplicates(
    questions: Sequence[Question], params: QuestionGates, embed: Embed | None
) -> tuple[list[Question], list[Question]]:
    """Return the questions that ask something new, and those that an earlier one of their kind asks."""
    kinds = {question.kind: [one for one in questions if one.kind == question.kind] for question in questions}
    said = {kind: iter(duplicates(own, params, embed)) for kind, own in kinds.items()}
    return sift(questions, [lambda question: next(said[question.kind])])


def _languages(passages: Sequence[Passage]) -> dict[str, str]:
    """Return the languages of passages by their ids."""
    return {passage.passage_id: language_of(passage.text) for passage in passages}
