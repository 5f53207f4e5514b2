"""Records of instruction sets rewritten by the teacher: a doctor's answer cleaned, a card or a heading made a question.

What the published sets left open is a gate here: whether the facts are still those of the record that was rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.normalise import words
from med_small_lm.params.synthesize_cot import Rewriting
from med_small_lm.schemas.rows import Instruction, Message, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, parsed_of, text_field
from med_small_lm.synthesis.chats import (
    ASSISTANT,
    SYSTEM,
    USER,
    said_by,
    share_in,
    sift_chats,
    unit_of,
)
from med_small_lm.synthesis.gates.fidelity import content
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.verdicts import judge, same_language, unread, verdict
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "rewriting"
CLEAN, FLASHCARD, HEADING = "clean", "flashcard", "heading"
REWRITTEN = {CLEAN: ("answer",), FLASHCARD: ("question", "answer"), HEADING: ("question",)}
"""What the teacher writes anew, by the way of rewriting."""

_ONE_ANSWER = "schema"
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(r"\b(?:no|not|never|without|cannot|neither|nor|none)\b|n['’]t\b", re.IGNORECASE)
_PLEASANTRY = re.compile(
    r"^\W*(?:hi|hello|hey|dear|greetings|good (?:morning|day|evening)|welcome|thanks?(?: you)? for)\b"
    r"|\b(?:(?<!with )regards|best wishes|take care(?=\W*$)|chat ?doctor|hope (?:this|that|i|my|it)\b|wish you|"
    r"let me know|feel free|thank you|thanks(?! to))\b",
    re.IGNORECASE,
)
_SAME = 0.5  # of a sentence's content words, from which it is the other one reworded


def rewriting_requests(
    records: Sequence[Instruction],
    ways: Mapping[str, str],
    prompts: Mapping[str, Prompt],
    sampling: Mapping[str, Any] | None = None,
) -> tuple[list[Asked], list[Instruction]]:
    """Return what to ask the teacher, a request for each record, and the records that cannot be rewritten.

    Args:
        records: one question and its answer each, or they cannot.
        ways: the way of rewriting of each set, by the set's name.
        prompts: the prompts by way.
        sampling: the teacher's own parameters.
    """
    asked: list[Asked] = []
    rejected: list[Instruction] = []
    for record in records:
        way, roles = ways[record.source], [message.role for message in record.messages]
        if roles[-2:] != [USER, ASSISTANT] or roles.count(ASSISTANT) > 1:
            fault = verdict(_ONE_ANSWER, False, len(roles), "only one question and its answer can be rewritten")
            rejected.append(judge(_record(record, way, record.messages, ""), [fault]))
            continue
        question, answer = _before(record), record.messages[-1].content
        request = prompts[way].request({"question": question, "answer": answer}, sampling or {})
        asked.append(Asked(request, unit_of(record.example_id, record.source, answer, record.licence)))
    return asked, rejected


def rewritten_from(
    asked: Sequence[Asked], replies: Sequence[Reply], records: Sequence[Instruction], ways: Mapping[str, str]
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the rewritten records and those whose reply lacks a part; ``records`` are what was to be rewritten."""
    by_id = {record.example_id: record for record in records}
    found: list[Instruction] = []
    rejected: list[Instruction] = []
    for one, reply in zip(asked, replies, strict=True):
        record = by_id[one.passage.passage_id]
        way = ways[record.source]
        told = {name: text_field(parsed_of(reply), name) for name in REWRITTEN[way]}
        fault = fault_of(reply) or "; ".join(f"no {name}" for name, text in told.items() if not text)
        kept = [message for message in record.messages if message.role == SYSTEM] if "question" in told else []
        asks = [*kept, Message(USER, told["question"])] if "question" in told else record.messages[:-1]
        made = _record(record, way, [*asks, Message(ASSISTANT, told.get("answer") or one.passage.text)], reply.call_id)
        (rejected if fault else found).append(unread(made, fault) if fault else made)
    return found, rejected


def sift_rewritten(
    drafts: Sequence[Instruction],
    records: Sequence[Instruction],
    guards: Sequence[ContaminationIndex],
    private: Callable[[Sequence[str]], Verdict],
    params: Rewriting,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the rewritten records that pass all gates, and the rejected ones.

    The order is format, facts, language, PHI, contamination, duplicate; ``found`` takes what contamination finds.
    """
    by_id = {record.example_id: record for record in records}

    def original(record: Instruction) -> Instruction:
        return by_id[record.parent_ids[-1]]

    gates: list[Callable[[Instruction], Verdict]] = [
        partial(_format, params=params),
        lambda record: _facts(record, original(record), params),
        lambda record: same_language(_spoken(record), {language_of(_spoken(original(record)))}),
        lambda record: private([message.content for message in record.messages]),
    ]
    return sift_chats(drafts, gates, guards, found)


def changed(new: str, old: str) -> list[str]:
    """Return the numbers and negations of two texts that only one of them has.

    Sentences of the old text that the new one leaves out may take theirs along.
    """
    said = [sentence for sentence in _SENTENCE.split(new) if content(sentence)]
    found = [number for number in _NUMBER.findall(new) if number not in _NUMBER.findall(old)]
    for sentence in _SENTENCE.split(old):
        likest = max(said, key=lambda other: share_in(sentence, other), default="")
        if not content(sentence) or share_in(sentence, likest) < _SAME:
            continue
        found += [number for number in _NUMBER.findall(sentence) if number not in _NUMBER.findall(new)]
        if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(likest)):
            found.append("a negation")
    return list(dict.fromkeys(found))


def _record(record: Instruction, way: str, messages: Sequence[Message], call_id: str) -> Instruction:
    """Return a record as it was rewritten; its parents are the file and line, and the record before."""
    parents = [*record.parent_ids, record.example_id]
    name, method = f"{record.example_id}-{way}", f"{METHOD}: {way}"
    made = replace(record, example_id=name, method=method, messages=list(messages), parent_ids=parents, gates=[])
    return replace(made, call_id=call_id)


def _format(record: Instruction, params: Rewriting) -> Verdict:
    """Return whether a question is one and short enough, or an answer is rid of greetings and sign-offs."""
    question, answer = said_by(record, USER)[-1], said_by(record, ASSISTANT)[-1]
    if record.method.endswith(CLEAN):
        left = _PLEASANTRY.search(answer)
        return verdict("format", left is None, len(words(answer)), f"the answer still says {left[0]!r}" if left else "")
    n_words = len(words(question))
    if n_words > params.question_words_max:
        reason = f"the question has {n_words} words, more than {params.question_words_max}"
        return Verdict("format", "fail", n_words, reason)
    return verdict("format", question.endswith("?"), n_words, "the question does not end in a question mark")


def _facts(record: Instruction, original: Instruction, params: Rewriting) -> Verdict:
    """Return whether a record says what it said; the value is the share of the new words that are the old ones'."""
    before, old = _before(original), said_by(original, ASSISTANT)[-1]
    question, answer = said_by(record, USER)[-1], said_by(record, ASSISTANT)[-1]
    new = question if record.method.endswith(HEADING) else answer
    share = share_in(new, before, old)
    if share < params.facts_found:
        return Verdict("facts", "fail", share, f"{share:.2f} of the words stand in the record that was rewritten")
    if record.method.endswith(HEADING):
        heading = before.rpartition("\n")[2]
        asked, tied = share_in(heading, question) == 1, share_in(question, before) < 1 or share_in(heading, old) == 1
        reason = "the question does not name the subject" if asked else "the question does not ask about the heading"
        return verdict("facts", asked and tied, share, reason)
    if turned := changed(f"{question}\n{answer}", f"{before}\n{old}"):
        return Verdict("facts", "fail", share, f"only one of them has {', '.join(turned)}")
    held = share_in(old, question, answer)
    return verdict("facts", held >= params.facts_kept, share, f"{held:.2f} of the old answer's words are left")


def _before(record: Instruction) -> str:
    """Return all that stands before the answer: instruction and question, front of a card, heading."""
    return "\n".join(message.content for message in record.messages[:-1])


def _spoken(record: Instruction) -> str:
    return " ".join(message.content for message in record.messages if message.role != SYSTEM)
