"""Questions of one case, asked in the order of their ranks, with the earlier ones and their answers before them.

::

    <user> vignette, question 1  <assistant> its answer  <user> question 2  <assistant> …  <user> question 3
           └─ never left out         └─ gold or the model's own
                             └────── the oldest pairs go first where the context is too short
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from med_small_lm.answers.extraction import SEVERAL
from med_small_lm.answers.forms import Form
from med_small_lm.answers.thinking import without_thinking
from med_small_lm.schemas.rows import Message, Option, Question


def earlier_of(questions: Sequence[Question]) -> dict[str, list[Question]]:
    """Returns the questions that come before each in its case, in the order of their ranks."""
    cases: dict[str, list[Question]] = defaultdict(list)
    for question in sorted(questions, key=lambda one: one.rank):
        if question.case_id:
            cases[question.case_id].append(question)
    return {one.question_id: case[:place] for case in cases.values() for place, one in enumerate(case)}


def waves(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Yields the first questions of all cases, then all second ones, so that each wave is one batch."""
    earlier = earlier_of(questions)
    places = [len(earlier.get(question.question_id, ())) for question in questions]
    for place in range(max(places, default=-1) + 1):
        yield [question for question, own in zip(questions, places, strict=True) if own == place]


def with_earlier(
    question: Question, earlier: Sequence[Question], form: Form, fits: Callable[[Question], bool]
) -> tuple[Question, int]:
    """Returns the question behind the earlier ones with their answers, and how many of these were left out.

    They are left out where there is no room for them, or no answer to show.

    Args:
        question: of the case; its context is the vignette.
        earlier: the questions before it; their ``answer_keys``, of open ones the ``answer_text``, are what is shown.
        form: how they are put and answered.
        fits: whether a question as it would be asked fits the context.
    """
    told = [one for one in earlier if closing(form, one)]
    for place in range(len(told)):
        asked = _behind(question, told[place:], form)
        if fits(asked):
            return asked, len(earlier) - len(told) + place
    return question, len(earlier)


def answered_so(question: Question, keys: Sequence[str], text: str) -> Question:
    """Returns the question with what a model answered in place of what is right: keys, or, to an open one, its text."""
    return replace(question, answer_keys=list(keys), answer_text=without_thinking(text)[0])


def _behind(question: Question, earlier: Sequence[Question], form: Form) -> Question:
    turns = list(question.turns)
    for place, one in enumerate(earlier):
        put = form.put(replace(one, context=question.context if place == 0 else ""))
        turns += [put, Message("assistant", closing(form, one))]
    return replace(question, context="", turns=turns)


def closing(form: Form, question: Question) -> str:
    """Returns the sentence that names all options of ``answer_keys``: "The answer is (A) text, (C) text.".

    Of an open question it is its answer. Nothing where there is none, or none that the form can say: "none of them" is
    an answer only where several options may be right.
    """
    if not question.options:
        return question.answer_text.strip()
    right = [option for option in question.options if option.key in question.answer_keys]
    if not right and (form.is_whole or question.kind not in SEVERAL):
        return ""
    if len(right) == 1:
        return form.answer(right[0])
    if form.is_whole:
        return " ".join(form.answer(option) for option in right)
    return f"{form.ending} {', '.join(_shown(form, option) for option in right) or 'none of them'}.".strip()


def _shown(form: Form, option: Option) -> str:
    return f"({option.key}) {option.text}" if form.letters else option.text
