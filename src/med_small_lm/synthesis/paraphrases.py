"""Paraphrases of the instructions that many examples share (PMC-LLaMA's MedC-I)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from med_small_lm.overlap.normalise import words
from med_small_lm.schemas.rows import Instruction, Message, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, parsed_of, record_id
from med_small_lm.synthesis.chats import ASSISTANT, USER, unit_of
from med_small_lm.synthesis.gates.rationales import MARK_UP
from med_small_lm.synthesis.gates.verdicts import DUPLICATE, judge, passed, unread, verdict
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "paraphrase"
_FIXED = re.compile(r"\{[^{}]*\}|“[^”]*”|\"[^\"]*\"|`[^`]*`|\([^()]*\)|\[[^\[\]]*\]")
_LONGEST = 3  # times as many words as the instruction has, and ten more


def paraphrase_requests(
    instructions: Mapping[str, str],
    prompt: Prompt,
    per_instruction: int,
    seed: int,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: one request for each instruction; ``instructions`` have their licences."""
    if not per_instruction:
        return []
    return [
        Asked(
            prompt.request({"instruction": text, "n": per_instruction, "seed": seed}, sampling or {}),
            unit_of(record_id("i", text), METHOD, text, licence),
        )
        for text, licence in instructions.items()
    ]


def paraphrases_from(asked: Sequence[Asked], replies: Sequence[Reply]) -> tuple[list[Instruction], list[Instruction]]:
    """Return the paraphrases that pass all gates, and the rejected ones: who gives the instruction is told it anew.

    The order is slots (what stands in braces, brackets and quotation marks is kept), format, duplicate.
    """
    kept: list[Instruction] = []
    rejected: list[Instruction] = []
    for one, reply in zip(asked, replies, strict=True):
        texts = parsed_of(reply).get("paraphrases")
        fault = fault_of(reply) or ("" if isinstance(texts, list) and texts else "the teacher wrote no paraphrase")
        if fault or not isinstance(texts, list):
            rejected.append(unread(_paraphrase(one, reply, ""), fault))
            continue
        seen = {tuple(words(one.passage.text))}
        for text in texts:
            said = " ".join(text.split()) if isinstance(text, str) else ""
            record = judge(_paraphrase(one, reply, said), _verdicts(said, one.passage.text, seen))
            seen.add(tuple(words(said)))
            (kept if passed(record) else rejected).append(record)
    return kept, rejected


def _verdicts(text: str, instruction: str, seen: Set[tuple[str, ...]]) -> Iterator[Verdict]:
    """Yield what the gates of a paraphrase say."""
    own, least = tuple(words(text)), len(words(instruction))
    lost = sorted(set(_FIXED.findall(instruction)) ^ set(_FIXED.findall(text)))
    yield verdict("slots", not lost, len(lost), f"only one of the two has {', '.join(lost)}")
    fits = 1 <= len(own) <= _LONGEST * least + 10 and MARK_UP.search(_FIXED.sub("", text)) is None
    yield verdict("format", fits, len(own), f"{len(own)} words for {least}, or marked up")
    yield verdict(DUPLICATE, own not in seen, float(own in seen), "the same words stand in the pool")


def _paraphrase(one: Asked, reply: Reply, text: str) -> Instruction:
    """Return the record of one paraphrase."""
    return Instruction(
        example_id=record_id("w", one.passage.text, text or reply.call_id),
        source=one.passage.book,
        method=METHOD,
        messages=[Message(USER, one.passage.text), Message(ASSISTANT, text)],
        parent_ids=[one.passage.passage_id],
        licence=one.passage.licence,
        call_id=reply.call_id,
    )
