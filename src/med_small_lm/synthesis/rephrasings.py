"""Rephrasings of passages for the injection corpus: the requests, and the records that the replies amount to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from med_small_lm.overlap.normalise import words
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Passage, Rephrasing, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, parsed_of, record_id, text_field
from med_small_lm.synthesis.gates import judge, passed, verdict
from med_small_lm.synthesis.questions import REPLY
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "rephrasing"


def rephrasing_requests(
    passages: Sequence[Passage], prompt: Prompt, params: GenerateQuestions, sampling: Mapping[str, Any] | None = None
) -> list[Asked]:
    """Return what to ask the teacher: each passage in each style, ``rephrasings_per_style`` times."""
    return [
        Asked(prompt.request({"passage": passage.text, "style": style, "seed": seed}, sampling or {}), passage)
        for passage in passages
        for style in params.rephrasing_styles
        for seed in range(params.seed, params.seed + params.rephrasings_per_style)
    ]


def rephrasings_from(
    asked: Sequence[Asked], replies: Sequence[Reply], params: GenerateQuestions
) -> tuple[list[Rephrasing], list[Rephrasing]]:
    """Return the rephrasings to be kept and the rejected ones; ``method`` is "rephrasing: " and the style.

    Rejected are failed calls, texts that are too short, that ask questions (exam practice in disguise), or that repeat
    the passage or another rephrasing of it word for word.
    """
    found: list[Rephrasing] = []
    rejected: list[Rephrasing] = []
    said: set[tuple[str, ...]] = {tuple(words(one.passage.text)) for one in asked}
    for one, reply in zip(asked, replies, strict=True):
        record = _rephrasing(one, reply)
        fault = fault_of(reply) or ("" if record.text else "the teacher gave no text")
        if fault:
            rejected.append(replace(record, gates=[Verdict(REPLY, "fail", 0.0, fault)]))
            continue
        own = tuple(words(record.text))
        judged = judge(record, _verdicts(record.text, own, said, params))
        if passed(judged):
            said.add(own)
        (found if passed(judged) else rejected).append(judged)
    return found, rejected


def _verdicts(
    text: str, own: tuple[str, ...], said: set[tuple[str, ...]], params: GenerateQuestions
) -> Iterator[Verdict]:
    """Yield what the gates of a rephrasing say."""
    yield verdict("format", len(own) >= params.rephrasing_words_min, len(own), f"the text has {len(own)} words")
    yield verdict("statements", "?" not in text, text.count("?"), "the text asks a question")
    yield verdict("duplicate", own not in said, float(own in said), "the same words stand in another text")


def _rephrasing(one: Asked, reply: Reply) -> Rephrasing:
    """Return the record of one reply."""
    text, style = text_field(parsed_of(reply), "text"), str(one.request.slots.get("style", ""))
    return Rephrasing(
        rephrasing_id=record_id("p", one.passage.passage_id, style, text or reply.call_id),
        method=f"{METHOD}: {style}",
        text=text,
        call_id=reply.call_id,
        passage_ids=[one.passage.passage_id],
        licence=one.passage.licence,
    )
