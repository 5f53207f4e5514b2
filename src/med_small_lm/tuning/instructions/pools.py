"""Pools of wordings: the instructions that many examples share, one wording of each drawn for every example.

PMC-LLaMA's MedC-I: "paraphrases of an instruction, of which one is drawn at random". Here a hash of the example's id
draws, so that an example is worded the same in every run. ::

    "Describe {entity}."  ->  ["Describe {entity}.", "Tell me about {entity}.", ...]  ->  "Tell me about asthma."
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256

from med_small_lm.schemas.rows import Conversation, Instruction, Message
from med_small_lm.tuning.instructions.forms import ASSISTANT

_SLOT = re.compile(r"\{([a-z_]+)\}")
_BLOCK = "\n\n"  # parts the instruction of a record from its input


def shared_instructions(records: Iterable[Instruction]) -> dict[str, str]:
    """Returns the instructions that all records of a set have, each with the set's licence.

    An instruction is a message, or the part of one before its first blank line.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    licences: dict[str, str] = {}
    for record in records:
        totals[record.source] += 1
        licences[record.source] = record.licence
        asked = [message.content for message in record.messages if message.role != ASSISTANT]
        counts[record.source].update({text.partition(_BLOCK)[0] for text in asked})
    return {
        text: licences[source]
        for source, own in counts.items()
        for text, count in own.items()
        if 1 < count == totals[source]
    }


class Pools:
    """The wordings of each instruction, the instruction itself among them."""

    def __init__(self, paraphrases: Iterable[Instruction], seed: int) -> None:
        """Take the kept paraphrases, each a record of the instruction and its other wording, and the draw's seed."""
        self._pools: dict[str, list[Instruction]] = defaultdict(list)
        for one in paraphrases:
            self._pools[one.messages[0].content].append(one)
        self._templates = [text for text in self._pools if _SLOT.search(text)]
        self._seed = seed

    def worded(self, examples: Iterable[Conversation]) -> Iterator[Conversation]:
        """Yields the examples, each instruction in the wording that is drawn for it, its paraphrase a parent."""
        for example in examples:
            parents: list[str] = []
            messages = [self._message(one, example.example_id, parents) for one in example.messages]
            yield (
                replace(example, messages=messages, parent_ids=[*example.parent_ids, *parents]) if parents else example
            )

    def _message(self, message: Message, name: str, parents: list[str]) -> Message:
        """Returns a message as it is worded for an example; ``parents`` takes the paraphrase's id."""
        first, blank, rest = message.content.partition(_BLOCK)
        found = None if message.role == ASSISTANT else self._found(first)
        if found is None:
            return message
        instruction, slots = found
        pool = self._pools[instruction]
        drawn = int.from_bytes(sha256(f"{self._seed} {name} {instruction}".encode()).digest()[:8], "big")
        place = drawn % (len(pool) + 1)
        if place == len(pool):
            return message
        parents.append(pool[place].example_id)
        return Message(message.role, f"{_filled(pool[place].messages[-1].content, slots)}{blank}{rest}")

    def _found(self, text: str) -> tuple[str, Mapping[str, str]] | None:
        """Returns the instruction that a text is, and what fills its slots."""
        if text in self._pools:
            return text, {}
        matches = ((one, _pattern(one).fullmatch(text)) for one in self._templates)
        return next(((one, match.groupdict()) for one, match in matches if match), None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Returns what a template's texts look like; a slot that stands twice is filled the same."""
    parts: Sequence[str] = _SLOT.split(template)
    seen: set[str] = set()
    pattern = ""
    for place, part in enumerate(parts):
        if place % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P={part})" if part in seen else f"(?P<{part}>.+?)"
            seen.add(part)
    return re.compile(pattern, re.DOTALL)


def _filled(template: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: slots.get(slot[1], slot[0]), template)
