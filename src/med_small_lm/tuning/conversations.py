"""The training examples of instruction tuning, in the forms in which the model will be examined."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from med_small_lm.answers.forms import Form
from med_small_lm.params.instruction_tune import ConversationParams
from med_small_lm.schemas.rows import Conversation, Message, Option, Question, Rationale
from med_small_lm.tuning.corpus import kept

EXPLAIN, DIRECT = "explain", "direct"
HIDDEN, GOLD_SHOWN = "hidden", "gold_shown"


def build_conversations(
    questions: Iterable[Question],
    rationales: Iterable[Rationale],
    forms: Mapping[str, Form],
    params: ConversationParams,
    seed: int,
) -> list[Conversation]:
    """Returns the examples of every question that passed its gates and has a rationale that passed: one a form.

    A question's first rationale of the first style that it has serves where it has several. The order is that of the
    questions, or, where a limit is set, that of a seeded draw among them put back into the questions' order.
    """
    reasons: dict[str, Rationale] = {}
    sound = [rationale for rationale in rationales if kept(rationale.gates)]
    for style in params.rationale_styles:
        for rationale in sound:
            if style_of(rationale) == style:
                reasons.setdefault(rationale.question_id, rationale)
    usable = [question for question in questions if kept(question.gates) and question.question_id in reasons]
    if params.questions_max and len(usable) > params.questions_max:
        usable = [usable[n] for n in sorted(random.Random(seed).sample(range(len(usable)), params.questions_max))]
    return [
        _example(question, reasons[question.question_id], forms[name])
        for question in usable
        for name in params.forms
        if _answer(question) is not None
    ]


def style_of(rationale: Rationale) -> str:
    """Returns the style of a rationale: that behind "gold_shown: ", or hidden where the answer was not shown."""
    return rationale.method.partition(f"{GOLD_SHOWN}: ")[2] or HIDDEN


def _answer(question: Question) -> Option | None:
    """Returns the right option of a question with one right option, else None."""
    right = [option for option in question.options if option.key in question.answer_keys]
    return right[0] if len(right) == 1 else None


def _example(question: Question, rationale: Rationale, form: Form) -> Conversation:
    """Returns one question and its reply in one form."""
    option = _answer(question)
    assert option is not None, question.question_id
    told = form.name != DIRECT
    reply = form.reply(option, rationale.text) if told else form.reply(option)
    parents = [question.question_id, *([rationale.rationale_id] if told else [])]
    passages = [*question.passage_ids, *(rationale.passage_ids if told else [])]
    return Conversation(
        example_id=f"{question.question_id}-{form.name}",
        source=question.source,
        method=form.name,
        messages=[*form.messages(question), Message("assistant", reply)],
        parent_ids=parents,
        question_id=question.question_id,
        passage_ids=list(dict.fromkeys(passages)),
        licence=rationale.licence if told else question.licence,  # the rationale's holds the question's
    )
