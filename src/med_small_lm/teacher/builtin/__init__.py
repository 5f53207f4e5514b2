"""The built-in teacher: deterministic rules over the text that a request gives, and over nothing else.

It answers what a language model would be asked, so that every pipeline runs without a key. Its rules are
about how textbooks put things, the pocket books among them, and hold no fact: whatever it states stands in the passage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from med_small_lm.teacher.builtin import (
    cases,
    chats,
    gold_shown,
    judgements,
    questions,
    rationales,
    refusals,
    rephrasings,
    statements,
    supports,
)
from med_small_lm.teacher.requests import TeacherError

NAME = "builtin-rules"
VERSION = "2"

_TASKS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "question": questions.answer,
    "question_multi": statements.multi,
    "question_yes_no": statements.yes_no,
    "case": cases.answer,
    "rationale": rationales.answer,
    "general_rationale": gold_shown.analysis,
    "optionwise_rationale": gold_shown.option_by_option,
    "exam_rationale": rationales.of_passages,
    "support": supports.answer,
    "one_right": judgements.one_right,
    "answerable": judgements.answerable,
    "obvious": judgements.obvious,
    "rephrasing": rephrasings.answer,
    "summary": rephrasings.summary,
    "atomic_facts": rephrasings.atomic_facts,
    "link": rephrasings.link,
    "refusal": refusals.answer,
    "dialogue": chats.dialogue,
    "clean": chats.clean,
    "flashcard": chats.flashcard,
    "heading": chats.heading,
    "paraphrase": chats.paraphrase,
}


def answer(task: str, slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reply to a task, as the JSON object that the task's schema asks for.

    Raises:
        TeacherError: The task is unknown, or one of its slots is missing.
    """
    if task not in _TASKS:
        raise TeacherError(f"the built-in teacher knows no task {task!r}, only {', '.join(sorted(_TASKS))}")
    try:
        return _TASKS[task](slots)
    except KeyError as error:
        raise TeacherError(f"the task {task!r} has no slot {error}") from error
