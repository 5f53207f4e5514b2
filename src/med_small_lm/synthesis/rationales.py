"""Rationales for questions on the books, in three styles: the requests, and the records that the replies amount to.

hidden      the right answer is not shown, so that whether the rationale finds it is a test (Meerkat)
general     the right answer is shown: an analysis of the whole (PMC-LLaMA)
optionwise  the right answer is shown: of each option whether it is true, and why (PMC-LLaMA)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form
from med_small_lm.answers.nearest import spans
from med_small_lm.overlap.normalise import normalised
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.schemas.rows import Option, Passage, Question, Rationale
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.gates.verdicts import unread
from med_small_lm.synthesis.optionwise import judged_options, optionwise_text
from med_small_lm.synthesis.shots import question_slots, solved_nearest, with_shots
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import OK, Reply

METHOD = "passage_cot"
HIDDEN, GENERAL, OPTIONWISE = "hidden", "general", "optionwise"
METHODS = {HIDDEN: METHOD, GENERAL: f"gold_shown: {GENERAL}", OPTIONWISE: f"gold_shown: {OPTIONWISE}"}
"""The method of the records of each style."""
NOTHING = "the teacher gave no rationale"
ENDING = Form("explain", "", "listed", "the answer is", letters=True)
"""How a rationale in plain text ends (Meerkat): "the answer is (C) text"."""

_LETTER = re.compile(r"\(?([A-Z])[).:]\s+(.*)", re.DOTALL)
_LEAD = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?(?:the )?(?:(?:correct|right|best|final) )?answer(?: is|:)[: ]*", re.I
)
_LAST = re.compile(
    r"(?:^|(?<=[.!?\n]))\s*(?:(?:So|Thus|Therefore|Hence),? )?the answer is \(([A-Z])\)[:.]? ?(.+?)\.?\s*\Z", re.I
)


def rationale_requests(
    questions: Sequence[Question],
    passages: Sequence[Passage],
    prompt: Prompt,
    params: SynthesizeCot,
    sampling: Mapping[str, Any] | None = None,
    style: str = HIDDEN,
    exemplars: Sequence[Question] = (),
) -> list[Asked]:
    """Return what to ask the teacher: ``samples`` requests for each question that is drawn for the style.

    In the style ``hidden`` the right answer is in no slot: whether the teacher finds it is the answer gate's test.
    ``exemplars`` are questions of the exams' dev splits.

    Raises:
        KeyError: a question's passage is not among ``passages``.
    """
    by_id = {passage.passage_id: passage for passage in passages}
    told, slots = getattr(params.styles, style), partial(_slots, style)
    drawn = [question for question in questions if is_drawn(question.question_id, told.share)]
    solved = solved_nearest(drawn, exemplars, getattr(told, "exemplars", 0))
    asked: list[Asked] = []
    for question, shown in zip(drawn, solved, strict=True):
        passage = by_id[question.passage_ids[0]]
        for sample in range(params.samples):
            request = prompt.request(slots(question, passage.text), sampling or {}, sample)
            asked.append(Asked(with_shots(request, prompt, shown, slots), passage, question))
    return asked


def rationales_from(
    asked: Sequence[Asked], replies: Sequence[Reply], method: str = METHOD
) -> tuple[list[Rationale], list[Rationale]]:
    """Return the rationales in the replies, and what is none: failed calls and replies that lack a part.

    Two samples of a question that say the same are one rationale: the second is rejected.
    """
    read = _of_options if method == METHODS[OPTIONWISE] else _of_whole
    found: dict[str, Rationale] = {}
    rejected: list[Rationale] = []
    for one, reply in zip(asked, replies, strict=True):
        if one.question is None:
            raise ValueError("a rationale was asked for without a question")
        rationale, fault = read(one.question, reply, method, is_object=one.request.schema is not None)
        if not fault and rationale.rationale_id in found:
            fault = "the same rationale stands in another sample"
        if fault:
            rejected.append(unread(rationale, fault))
        else:
            found[rationale.rationale_id] = rationale
    return list(found.values()), rejected


def keys_of(answer: str, options: Sequence[Option]) -> list[str]:
    """Return the keys of the options that an answer says, word for word, with or without the option's letter.

    A letter that belongs to another option than the text does makes the answer ambiguous: both keys are returned, as
    are those of all options that an answer names one beside the other. A letter alone says nothing.
    """
    answer = _LEAD.sub("", answer.strip(), count=1)
    said = _LETTER.fullmatch(answer)
    letter, text = (said.group(1), said.group(2)) if said else ("", answer)
    keys = [option.key for option in options if normalised(option.text) == normalised(text)]
    if not keys and letter:  # "B. cells" may be an option's own text
        keys = [option.key for option in options if normalised(option.text) == normalised(answer)]
        letter = ""
    if not keys:
        named = {key for _, _, key in spans(answer, options)}
        return sorted(named) if len(named) > 1 else []
    return sorted({*keys, *(option.key for option in options if option.key == letter)})


def _slots(style: str, question: Question, passage: str) -> dict[str, Any]:
    """Return what a style's prompt is filled with; only where the answer is shown, it is among it."""
    hidden = question_slots(question) | {"passage": passage}
    if style == HIDDEN:
        return hidden
    right = [option.text for option in question.options if option.key in question.answer_keys]
    return hidden | {"keys": [option.key for option in question.options], "right": right}


def _of_whole(question: Question, reply: Reply, method: str, *, is_object: bool) -> tuple[Rationale, str]:
    """Return the record of a reply that is a rationale and its answer, with as much as it has, and what it lacks."""
    return _of_object(question, reply, method) if is_object else _of_text(question, reply, method)


def _of_options(question: Question, reply: Reply, method: str, *, is_object: bool) -> tuple[Rationale, str]:
    """Return the record of a reply that judges the options one by one: in a list, or in plain text."""
    fault = fault_of(reply) if is_object or reply.status != OK else ""
    text = optionwise_text(parsed_of(reply)) if is_object else " ".join(reply.content.split())
    rationale = _rationale(question, reply, "" if fault else text, method)
    keys = [one.key for one in judged_options(rationale.text) if one.is_true]
    return replace(rationale, answer_keys=keys), fault or ("" if rationale.text else NOTHING)


def _of_object(question: Question, reply: Reply, method: str) -> tuple[Rationale, str]:
    """Return the record of a reply of the prompt's schema, with as much as the reply has, and what it lacks."""
    parsed = parsed_of(reply)
    rationale = _rationale(question, reply, text_field(parsed, "rationale"), method)
    keys = keys_of(text_field(parsed, "answer"), question.options)
    return replace(rationale, answer_keys=keys), fault_of(reply) or ("" if rationale.text else NOTHING)


def _of_text(question: Question, reply: Reply, method: str) -> tuple[Rationale, str]:
    """Return the record of a reply in plain text, which has to end in Meerkat's phrase, letter and text agreeing."""
    if reply.status != OK:
        return _rationale(question, reply, "", method), fault_of(reply)
    content = reply.content.replace("**", "")  # the ending is often set in bold
    last = _LAST.search(content)
    before = content[: last.start()] if last else content
    rationale = _rationale(question, reply, " ".join(before.split()), method)
    read = extract(content, question.options, ENDING)
    named = {option.key for option in question.options if last and normalised(option.text) == normalised(last[2])}
    keys = sorted({*read.keys, last[1].upper(), *named}) if last else read.keys
    fault = "" if last and named else "the reply does not end in 'the answer is (letter) text'"
    return replace(rationale, answer_keys=keys), fault or ("" if rationale.text else NOTHING)


def _rationale(question: Question, reply: Reply, text: str, method: str) -> Rationale:
    """Return the record of one reply that says ``text``."""
    return Rationale(
        rationale_id=record_id("r", question.question_id, method, text or reply.call_id),
        question_id=question.question_id,
        method=method,
        text=text,
        answer_keys=[],
        quotes=list(question.quotes),
        call_id=reply.call_id,
        passage_ids=list(question.passage_ids),
        licence=question.licence,
    )
