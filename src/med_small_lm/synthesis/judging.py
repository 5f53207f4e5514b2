"""The teacher as a judge: does the quote, by itself, prove the answer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from med_small_lm.schemas.rows import Passage, Question, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, parsed_of, text_field
from med_small_lm.synthesis.gates import sift, verdict
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

JUDGE = "judge"


def support_requests(
    questions: Sequence[Question],
    passages: Sequence[Passage],
    prompt: Prompt,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: for each question with a quote, whether the quote proves the answer."""
    by_id = {passage.passage_id: passage for passage in passages}
    return [
        Asked(
            prompt.request({"quote": q.quotes[0].text, "answer": q.answer_text, "stem": q.stem}, sampling or {}),
            by_id[q.quotes[0].passage_id],
            q,
        )
        for q in questions
        if q.quotes
    ]


def judged(
    questions: Sequence[Question], asked: Sequence[Asked], replies: Sequence[Reply]
) -> tuple[list[Question], list[Question]]:
    """Return the questions whose quote the teacher found to prove the answer, and the others.

    A call that failed proves nothing: its question is rejected, with the reason.
    """
    said = {one.question.question_id: reply for one, reply in zip(asked, replies, strict=True) if one.question}
    return sift(questions, [lambda question: _verdict(said.get(question.question_id))])


def _verdict(reply: Reply | None) -> Verdict:
    """Return what a reply says of its question."""
    fault = "it was not asked about" if reply is None else fault_of(reply)
    if reply is None or fault:
        return Verdict(JUDGE, "fail", 0.0, fault)
    parsed = parsed_of(reply)
    supported = parsed.get("supported")
    if not isinstance(supported, bool):
        return Verdict(JUDGE, "fail", 0.0, "the reply does not say whether it is supported")
    return verdict(JUDGE, supported, float(supported), text_field(parsed, "why") or "the quote does not prove it")
