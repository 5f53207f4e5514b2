"""The training examples of instruction tuning, in the forms in which the model will be examined."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.params.instruction_tune import ConversationParams
from med_small_lm.schemas.rows import Conversation, Message, Option, Question, Rationale
from med_small_lm.tuning.corpus import kept

LOG = logging.getLogger(__name__)

EXPLAIN, DIRECT, PROPOSITION = "explain", "direct", "proposition"
HIDDEN, GOLD_SHOWN = "hidden", "gold_shown"


def build_conversations(
    questions: Iterable[Question],
    rationales: Iterable[Rationale],
    forms: Mapping[str, Form],
    params: ConversationParams,
    seed: int,
) -> list[Conversation]:
    """Returns the examples of every question that passed its gates: one a form, of propositions one an option.

    With reasoning and with the answer alone, a question is asked if it has one right option and a rationale that
    passed: its first of the first style that it has. Propositions need no rationale; a question of a case has those
    before it in the prompt, with their right answers. The order is that of the questions, or, where a limit is set,
    that of a seeded draw among them put back into the questions' order.
    """
    reasons: dict[str, Rationale] = {}
    sound = [rationale for rationale in rationales if kept(rationale.gates)]
    for style in params.rationale_styles:
        for rationale in sound:
            if style_of(rationale) == style:
                reasons.setdefault(rationale.question_id, rationale)
    passed = [question for question in questions if kept(question.gates)]
    by_proposition = PROPOSITION in params.forms
    usable = [one for one in passed if one.question_id in reasons or (by_proposition and _has_propositions(one))]
    if params.questions_max and len(usable) > params.questions_max:
        usable = [usable[n] for n in sorted(random.Random(seed).sample(range(len(usable)), params.questions_max))]
    earlier = _earlier(passed)
    made = list[Conversation]()
    for question in usable:
        for name in params.forms:
            form, reason = forms[name], reasons.get(question.question_id)
            if isinstance(form, PropositionForm):
                made += _propositions(question, earlier.get(question.question_id, []), form)
            elif reason is not None and _answer(question) is not None:
                made.append(_example(question, reason, form))
    if by_proposition:
        _tell(usable, earlier, forms[PROPOSITION])
    return made


def _has_propositions(question: Question) -> bool:
    """Returns whether a question's options can be judged one by one; those of an open question are none."""
    return bool(question.options) and question.kind != "open"


def _earlier(questions: Sequence[Question]) -> dict[str, list[Question]]:
    """Returns the questions that come before each in its case, in the order of their ranks."""
    cases: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in sorted(questions, key=lambda one: one.rank):
        if question.case_id:
            cases[question.source, question.case_id].append(question)
    return {one.question_id: case[:n] for case in cases.values() for n, one in enumerate(case)}


def _propositions(question: Question, earlier: Sequence[Question], form: PropositionForm) -> list[Conversation]:
    """Returns one example a proposition; its parents are the question and all before it in its case."""
    if not _has_propositions(question):
        return []
    right = {option.key: option for option in form.words}
    passages = [passage for shown in (question, *earlier) for passage in shown.passage_ids]
    return [
        Conversation(
            example_id=f"{one.question_id}-{form.name}",
            source=question.source,
            method=form.name,
            messages=[*form.messages(one), Message("assistant", form.reply(right[one.answer_keys[0]]))],
            parent_ids=[question.question_id, *(before.question_id for before in earlier)],
            question_id=question.question_id,
            passage_ids=list(dict.fromkeys(passages)),
            licence=question.licence,
        )
        for one in form.propositions(question, earlier)
    ]


def _tell(questions: Sequence[Question], earlier: Mapping[str, Sequence[Question]], form: Form) -> None:
    """Leave a line in the log: propositions that are true and false, and earlier questions that found no room."""
    if not isinstance(form, PropositionForm):
        return
    asked = [(one, option) for one in questions if _has_propositions(one) for option in one.options]
    right = sum(option.key in one.answer_keys for one, option in asked)
    before = [(len(own), len(form.shown(*pair, own))) for pair in asked if (own := earlier.get(pair[0].question_id))]
    left_out, of = sum(had - shown for had, shown in before), sum(had for had, _ in before)
    LOG.info(
        "propositions: %d true, %d false; %d of %d earlier questions of cases left out, as their prompts are long",
        right, len(asked) - right, left_out, of,
    )  # fmt: skip


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
