"""The built-in teacher: deterministic rules over the text that a request gives, and over nothing else.

It answers what a language model would be asked, so that every pipeline runs without a key. Its rules are
about how textbooks put things, the pocket books among them, and hold no fact: whatever it states stands in the passage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from med_small_lm.teacher.builtin import judgements, questions, rationales, rephrasings, supports
from med_small_lm.teacher.requests import TeacherError

NAME = "builtin-rules"
VERSION = "2"

_TASKS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "question": questions.answer,
    "rationale": rationales.answer,
    "support": supports.answer,
    "one_right": judgements.one_right,
    "answerable": judgements.answerable,
    "obvious": judgements.obvious,
    "rephrasing": rephrasings.answer,
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
