"""Questions on passages in the style of an exam: the requests, and the records that the replies amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Passage, Question, Quote
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.exemplars import Exemplars, nearest, related
from med_small_lm.synthesis.gates.verdicts import unread
from med_small_lm.synthesis.kinds import SINGLE, draft_of, exemplar_slot
from med_small_lm.synthesis.shots import asked_text
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "exam_like"
HELD_OUT_SOURCE = "book_exam"


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


def kind_requests(
    passages: Sequence[Passage],
    exemplars: Sequence[Question],
    prompts: Mapping[str, Prompt],
    params: GenerateQuestions,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask of the further kinds: one request for each passage of a kind's share that is drawn.

    ``prompts`` are those of the kinds, by name. Exemplars are the exam's questions of that kind that are nearest to the
    passage; where it has none, none are shown.
    """
    asked: list[Asked] = []
    for kind, share in dict(params.kinds).items():
        drawn = [one for one in passages if is_drawn(f"{kind} {params.seed} {one.passage_id}", share)]
        known = [question for question in exemplars if question.kind == kind]
        texts = [asked_text(question) for question in known]
        near = nearest([passage.text for passage in drawn], texts, params.exemplars_per_sentence)
        for passage, places in zip(drawn, near, strict=True):
            slots = {
                "kind": kind,
                "passage": passage.text,
                "exemplars": [exemplar_slot(known[place]) for place in places],
                "n": params.questions_per_passage,
                "seed": params.seed,
            }
            asked.append(Asked(prompts[kind].request(slots, sampling or {}), passage))
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
        for question in _of_reply(one, reply):
            if one.passage.passage_id in held_out:
                question = replace(question, split="test", source=HELD_OUT_SOURCE)
            (rejected if question.gates else found).append(question)
    return found, rejected


def kind_of(one: Asked) -> str:
    """Return the kind of question that was asked for."""
    return str(one.request.slots.get("kind", SINGLE))


def method_of(kind: str) -> str:
    """Return the method of questions of a kind."""
    return METHOD if kind == SINGLE else f"{METHOD}: {kind}"


def _of_reply(one: Asked, reply: Reply) -> list[Question]:
    """Return the records of one reply; a record that already has a verdict is rejected."""
    fault = fault_of(reply)
    items = parsed_of(reply).get("questions")
    if not fault and not isinstance(items, list):
        fault = "the reply has no list of questions"
    if not fault and not items:
        fault = "the teacher wrote no question"
    if fault or not isinstance(items, list):
        return [_question(one, reply, {}, fault)]
    return [_question(one, reply, item, "") for item in items]


def _question(one: Asked, reply: Reply, item: Any, fault: str) -> Question:
    """Return an item of a reply as a record, with as much as it has; failed where it has a fault or lacks a part."""
    if not isinstance(item, Mapping):
        fault, item = f"an item is {type(item).__name__}, no object", {}
    kind, passage = kind_of(one), one.passage
    draft, stem = draft_of(kind, item), text_field(item, "stem")
    fault = fault or "; ".join(draft.faults)
    told = [text for text in (draft.context, stem) if text] + [option.text for option in draft.options]
    question = Question(
        question_id=record_id("q", passage.passage_id, *(told if stem else [*told, reply.call_id])),
        source=passage.book,
        split="train",
        kind=kind,
        stem=stem,
        options=draft.options,
        answer_keys=draft.answer_keys,
        answer_text=draft.answer_text,
        context=draft.context,
        quotes=[Quote(key, text, "", passage.passage_id) for key, text in draft.quotes],
        method=method_of(kind),
        call_id=reply.call_id,
        passage_ids=[passage.passage_id],
        licence=passage.licence,
    )
    return unread(question, fault) if fault else question
