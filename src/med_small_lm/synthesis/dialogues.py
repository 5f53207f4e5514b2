"""Conversations of patient and doctor from kept questions and rationales (Meerkat's MedQA-dialog)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from med_small_lm.answers.extraction import stated_keys
from med_small_lm.answers.nearest import spans
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.params.synthesize_cot import Dialogues
from med_small_lm.schemas.rows import Instruction, Message, Passage, Question, Rationale, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.chats import (
    ASSISTANT,
    SENTENCE,
    SYSTEM,
    USER,
    holds,
    said_by,
    share_in,
    sift_chats,
)
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.rationales import MARK_UP, NAMES_A_LETTER
from med_small_lm.synthesis.gates.verdicts import POINTS_AWAY, same_language, unread, verdict
from med_small_lm.synthesis.rationales import ENDING
from med_small_lm.synthesis.shots import asked_text
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "dialogue"
_ROLES = {"patient": USER, "doctor": ASSISTANT}
_MESSAGES_MIN = 4  # a question, a question back, what was missing, the answer


def dialogue_requests(
    questions: Sequence[Question],
    rationales: Mapping[str, Rationale],
    passages: Sequence[Passage],
    prompt: Prompt,
    params: Dialogues,
    seed: int,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: a request for each question that is drawn.

    Args:
        questions: those kept; those with one right answer and a rationale are drawn from.
        rationales: a kept one of each question, by the question's id.
        passages: theirs.
        prompt: the prompt.
        params: the share and the length.
        seed: of the draw.
        sampling: the teacher's own parameters.
    """
    by_id = {passage.passage_id: passage for passage in passages}
    asked: list[Asked] = []
    for question in questions:
        rationale, passage = rationales.get(question.question_id), by_id.get(next(iter(question.passage_ids), ""))
        if question.kind != "single" or rationale is None or passage is None:
            continue
        if not is_drawn(f"{METHOD} {seed} {question.question_id}", params.share):
            continue
        slots = {
            "stem": asked_text(question),
            "options": [option.text for option in question.options],
            "answer": question.answer_text,
            "rationale": rationale.text,
            "passage": passage.text,
            "messages": params.messages_max,
            "seed": seed,
        }
        asked.append(Asked(prompt.request(slots, sampling or {}), passage, question))
    return asked


def dialogues_from(
    asked: Sequence[Asked], replies: Sequence[Reply], rationales: Mapping[str, Rationale], params: Dialogues
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the conversations in the replies, and what is none: failed calls and replies that lack a part."""
    found: list[Instruction] = []
    rejected: list[Instruction] = []
    for one, reply in zip(asked, replies, strict=True):
        if one.question is None:
            raise ValueError("a dialogue was asked for without a question")
        turns, fault = _turns(reply)
        record = _dialogue(one, one.question, rationales[one.question.question_id], turns, reply, params)
        (rejected if fault else found).append(unread(record, fault) if fault else record)
    return found, rejected


def sift_dialogues(
    drafts: Sequence[Instruction],
    asked: Sequence[Asked],
    guards: Sequence[ContaminationIndex],
    private: Callable[[Sequence[str]], Verdict],
    params: Dialogues,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the conversations that pass all gates, and the rejected ones; ``asked`` is what they were written from.

    The order is schema, format, answer, language, support, PHI, contamination, duplicate.
    """
    source = {one.question.question_id: one for one in asked if one.question}

    def spoken(record: Instruction) -> Verdict:
        passage = source[record.question_id].passage
        return same_language(" ".join(said_by(record, ASSISTANT)), {language_of(passage.text)})

    gates: list[Callable[[Instruction], Verdict]] = [
        partial(_schema, params=params),
        _format,
        lambda record: _answer(record, source[record.question_id].question),
        spoken,
        lambda record: _support(record, source[record.question_id], params),
        lambda record: private([message.content for message in record.messages]),
    ]
    return sift_chats(drafts, gates, guards, found)


def _turns(reply: Reply) -> tuple[list[Message], str]:
    """Return the turns of a reply, and what is wrong with it."""
    items = parsed_of(reply).get("messages")
    if fault := fault_of(reply) or ("" if isinstance(items, list) and items else "the teacher wrote no conversation"):
        return [], fault
    turns: list[Message] = []
    for item in items or []:
        text, speaker = (text_field(item, "text"), item.get("speaker")) if isinstance(item, Mapping) else ("", "")
        if not text or speaker not in _ROLES:
            return turns, "a message has no text, or neither patient nor doctor says it"
        turns.append(Message(_ROLES[speaker], text))
    return turns, ""


def _dialogue(
    one: Asked, question: Question, rationale: Rationale, turns: Sequence[Message], reply: Reply, params: Dialogues
) -> Instruction:
    """Return the record of one reply."""
    system = [Message(SYSTEM, params.instruction)] if params.instruction else []
    return Instruction(
        example_id=record_id("d", question.question_id, *(turn.content for turn in turns)),
        source=question.source,
        method=METHOD,
        messages=[*system, *turns],
        parent_ids=[question.question_id, rationale.rationale_id],
        licence=question.licence,
        question_id=question.question_id,
        passage_ids=[one.passage.passage_id],
        call_id=reply.call_id,
    )


def _schema(record: Instruction, params: Dialogues) -> Verdict:
    """Return whether patient and doctor take turns, the doctor asks back, and has the last word."""
    turns = [message for message in record.messages if message.role != SYSTEM]
    n, roles = len(turns), [turn.role for turn in turns]
    faults = {
        f"{n} messages, not {_MESSAGES_MIN} to {params.messages_max}": not _MESSAGES_MIN <= n <= params.messages_max,
        "patient and doctor do not take turns": roles != [USER, ASSISTANT] * (n // 2),
        "the doctor asks nothing": not any("?" in turn.content for turn in turns[1:-1] if turn.role == ASSISTANT),
    }
    return verdict("schema", not any(faults.values()), n, "; ".join(fault for fault, holds in faults.items() if holds))


def _format(record: Instruction) -> Verdict:
    """Return whether nobody speaks of options or of a text, and nothing is marked up."""
    for message in record.messages:
        away = POINTS_AWAY.search(message.content) or NAMES_A_LETTER.search(message.content)
        away = away or MARK_UP.search(message.content)
        if away:
            return Verdict("format", "fail", 1.0, f"a message has {away.group()!r}")
    return Verdict("format", "pass", 0.0)


def _answer(record: Instruction, question: Question | None) -> Verdict:
    """Return whether the doctor ends in the right answer, and states no other; the value is how many are named."""
    assert question is not None
    turns = said_by(record, ASSISTANT)
    last, right = turns[-1], set(question.answer_keys)
    sentences = [sentence for turn in turns for sentence in SENTENCE.split(turn)]
    stated = {key for sentence in sentences for key in stated_keys(sentence, question.options, ENDING) or ()}
    named = {key for _, _, key in spans(last, question.options)}
    reason = "the doctor does not end in the answer" if not holds(last, question.answer_text) else "another is stated"
    sound = holds(last, question.answer_text) and stated <= right and (named <= right or stated == right)
    return verdict("answer", sound, len(named), reason)


def _support(record: Instruction, one: Asked, params: Dialogues) -> Verdict:
    """Return whether the answer keeps to its sources: the share of its words in question, rationale and passage."""
    slots = one.request.slots
    last = said_by(record, ASSISTANT)[-1]
    share = share_in(last, *(str(slots[name]) for name in ("stem", "answer", "rationale", "passage")))
    reason = f"{share:.2f} of the last message's words stand in question, rationale and passage"
    return verdict("support", share >= params.supported, share, reason)
