"""Questions on passages in the style of an exam: the requests, and the records that the replies amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Option, Passage, Question, Quote, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, parsed_of, record_id, text_field
from med_small_lm.synthesis.exemplars import Exemplars, related
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "exam_like"
KEYS = "ABCD"
HELD_OUT_SOURCE = "book_exam"
REPLY = "reply"
"""The gate of what is no question at all: a failed call, or an item that lacks a part."""


def question_requests(
    passages: Sequence[Passage],
    exemplars: Sequence[Question],
    prompt: Prompt,
    params: GenerateQuestions,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: one request for each passage and variation, with its passage beside it.

    ``exemplars`` are the exam's dev questions with quotes; ``sampling`` are the teacher's own parameters.
    """
    known = Exemplars(exemplars)
    near = related(passages, params.related_passages)
    asked: list[Asked] = []
    for passage, others in zip(passages, near, strict=True):
        shown = known.nearest(passage.text, params.exemplars_per_sentence, params.exemplars_max)
        for variation in range(params.variations):
            slots = {
                "passage": passage.text,
                "related": others,
                "exemplars": shown,
                "n": params.questions_per_passage,
                "seed": params.seed + variation,
            }
            asked.append(Asked(prompt.request(slots, sampling or {}), passage))
    return asked


def questions_from(
    asked: Sequence[Asked], replies: Sequence[Reply], held_out: Set[str] = frozenset()
) -> tuple[list[Question], list[Question]]:
    """Return the questions in the replies, and what is none: failed calls and items that lack a part.

    ``held_out`` are the ids of the passages whose questions make the book exam. What is no question becomes a rejected
    record too, with the reason at the gate ``reply``, so that every call is accounted for.
    """
    found: list[Question] = []
    rejected: list[Question] = []
    for one, reply in zip(asked, replies, strict=True):
        for question in _of_reply(one.passage, reply):
            if one.passage.passage_id in held_out:
                question = replace(question, split="test", source=HELD_OUT_SOURCE)
            (rejected if question.gates else found).append(question)
    return found, rejected


def _of_reply(passage: Passage, reply: Reply) -> list[Question]:
    """Return the records of one reply; a record that already has a verdict is rejected."""
    fault = fault_of(reply)
    items = parsed_of(reply).get("questions")
    if not fault and not isinstance(items, list):
        fault = "the reply has no list of questions"
    if not fault and not items:
        fault = "the teacher wrote no question"
    if fault or not isinstance(items, list):
        return [_failed(_question(passage, reply, {}), fault)]
    return [_read(passage, reply, item) for item in items]


def _read(passage: Passage, reply: Reply, item: Any) -> Question:
    """Return one item of a reply as a record, failed where a part is missing."""
    if not isinstance(item, Mapping):
        return _failed(_question(passage, reply, {}), f"an item is {type(item).__name__}, no object")
    question = _question(passage, reply, item)
    texts, answer = item.get("options"), item.get("answer")
    faults = [f"no {name}" for name in ("stem", "quote") if not text_field(item, name)]
    if not isinstance(texts, list) or len(texts) != len(KEYS):
        faults.append(f"{len(texts) if isinstance(texts, list) else 'no list'} of {len(KEYS)} options")
    elif not all(isinstance(text, str) and text.strip() for text in texts):
        faults.append("an option is empty or no text")
    if not question.answer_keys:
        faults.append(f"answer {answer!r} is the place of no option"[:80])
    return _failed(question, "; ".join(faults)) if faults else question


def _question(passage: Passage, reply: Reply, item: Mapping[str, Any]) -> Question:
    """Return the record of an item, with as much as the item has."""
    texts = item.get("options") if isinstance(item.get("options"), list) else []
    options = [
        Option(key, " ".join(text.split()) if isinstance(text, str) else "")
        for key, text in zip(KEYS, texts or [], strict=False)
    ]
    place = item.get("answer")
    fits = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(options)
    right = [options[place]] if fits and isinstance(place, int) else []
    stem, quote = text_field(item, "stem"), text_field(item, "quote")
    named = [stem, *(option.text for option in options)] if stem or options else [reply.call_id]
    return Question(
        question_id=record_id("q", passage.passage_id, *named),
        source=passage.book,
        split="train",
        kind="single",
        stem=stem,
        options=options,
        answer_keys=[option.key for option in right],
        answer_text=right[0].text if right else "",
        quotes=[Quote(right[0].key if right else "", quote, "", passage.passage_id)] if quote else [],
        method=METHOD,
        call_id=reply.call_id,
        passage_ids=[passage.passage_id],
        licence=passage.licence,
    )


def _failed(question: Question, reason: str) -> Question:
    return replace(question, gates=[*question.gates, Verdict(REPLY, "fail", 0.0, reason)])
