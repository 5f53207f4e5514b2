"""Few-shot exemplars: solved questions, shown to the teacher as turns before the question that it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from med_small_lm.schemas.rows import Message, Question
from med_small_lm.synthesis.exemplars import nearest
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Request

Slots = Callable[[Question, str], Mapping[str, Any]]
"""Fills a prompt for a question and the text that decides it."""


def solved_nearest(questions: Sequence[Question], exemplars: Sequence[Question], most: int) -> list[list[Question]]:
    """Return for each question the ``most`` exemplars with the likest stems, of those whose reasoning is known."""
    solved = [exemplar for exemplar in exemplars if reasoning_of(exemplar) and exemplar.answer_text]
    near = nearest([asked_text(one) for one in questions], [asked_text(one) for one in solved], most)
    return [[solved[place] for place in own] for own in near]


def with_shots(request: Request, prompt: Prompt, solved: Sequence[Question], slots: Slots) -> Request:
    """Return the request with solved questions before its own, each asked by the same prompt and answered.

    Without any it is the same request, so that an answer to it stands in the ledger already.
    """
    turns: list[Message] = []
    for one in solved:
        turns += [message for message in prompt.render(slots(one, reasoning_of(one))) if message.role != "system"]
        turns.append(Message("assistant", _answered(one, as_object=prompt.schema is not None)))
    own = request.messages
    place = next((n for n, message in enumerate(own) if message.role != "system"), len(own))
    return replace(request, messages=(*own[:place], *turns, *own[place:]))


def question_slots(question: Question) -> dict[str, Any]:
    """Return what every prompt may show of a question; its right answer is not among it."""
    return {
        "stem": asked_text(question),
        "options": [option.text for option in question.options],
        "lettered": " ".join(f"({option.key}) {option.text}" for option in question.options),
    }


def asked_text(question: Question) -> str:
    """Return what a question asks: its stem, behind its context where it has one."""
    return f"{question.context} {question.stem}".strip()


def reasoning_of(question: Question) -> str:
    """Return why a question's answer is right: the first quote that proves it, or its exam's own explanation."""
    told = (text.strip() for quote in question.quotes for text in (quote.text, quote.why))
    return next(filter(None, told), "")


def _answered(question: Question, *, as_object: bool) -> str:
    """Return a solved question's reply in the form that the prompt asks for."""
    if as_object:
        return json.dumps({"rationale": reasoning_of(question), "answer": question.answer_text}, ensure_ascii=False)
    key = ", ".join(question.answer_keys)
    return f"{reasoning_of(question)} Therefore, the answer is ({key}) {question.answer_text}."
