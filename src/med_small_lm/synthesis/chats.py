"""What the conversations that the teacher writes or rewrites have in common: their texts, and the last gates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.documents import chat_document
from med_small_lm.overlap.normalise import words
from med_small_lm.schemas.rows import Instruction, Passage, Verdict
from med_small_lm.synthesis.gates.fidelity import content, content_words
from med_small_lm.synthesis.gates.verdicts import DUPLICATE, contamination, sift, verdict

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
SENTENCE = re.compile(r"(?<=[.!?])\s+")
"""Where the next sentence begins, in capitals or not."""


def said_by(record: Instruction, role: str) -> list[str]:
    """Return what one side says, turn by turn."""
    return [message.content for message in record.messages if message.role == role]


def share_in(text: str, *others: str) -> float:
    """Return the share (0 to 1) of a text's content words that stand in the others; 1 where it has none."""
    own, known = content_words(text), frozenset[str]().union(*map(content, others))
    return sum(word in known for word in own) / len(own) if own else 1.0


def holds(text: str, phrase: str) -> bool:
    """Return whether a phrase stands in a text as whole words, in whatever spelling."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "


def unit_of(name: str, source: str, text: str, licence: str) -> Passage:
    """Return a text that is asked about and stands in no book, as the passage of a request."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Passage(name, source, 0, "", 1, 1, text, max(len(words(text)), 1), digest, licence)


def sift_chats(
    drafts: Sequence[Instruction],
    gates: Sequence[Callable[[Instruction], Verdict]],
    guards: Sequence[ContaminationIndex],
    found: list[list[Hit]] | None = None,
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the conversations that pass ``gates``, then contamination, then duplicate, and the rejected ones.

    ``found`` takes what the contamination gate finds in each record.
    """
    sound, rejected = sift(drafts, gates)
    verdicts = contamination(map(chat_document, sound), guards, found)
    seen: set[tuple[str, ...]] = set()

    def new(record: Instruction) -> Verdict:
        own = tuple(" ".join(words(message.content)) for message in record.messages)
        again = own in seen
        seen.add(own)
        return verdict(DUPLICATE, not again, float(again), "an earlier conversation says the same")

    kept, stopped = sift(sound, [lambda _: next(verdicts), new])
    return kept, [*rejected, *stopped]
