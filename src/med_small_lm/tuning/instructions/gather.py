"""Instruction sets gathered: what is malformed, said twice, left by the cap or contaminated is told from the rest."""

from __future__ import annotations

import hashlib
import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from med_small_lm.overlap.documents import Document, chat_document
from med_small_lm.schemas.rows import Conversation, Instruction, InstructionReport, Message, Stopped, Verdict
from med_small_lm.tuning.instructions.forms import Found, read_source
from med_small_lm.tuning.instructions.sources import InstructionSource

LOG = logging.getLogger(__name__)

SCHEMA, DUPLICATE = "schema", "duplicate"
Judge = Callable[[Iterable[Document]], Iterator[Verdict]]
"""Says of each document whether it holds anything that must not be trained on."""
Private = Callable[[Sequence[str]], Verdict]
"""Says of the texts of a chat whether they hold nothing that may identify somebody."""


@dataclass(slots=True)
class Gathered:
    """The records that may be trained on, those that a gate stopped, and what became of each set."""

    kept: list[Instruction] = field(default_factory=list)
    rejected: list[Instruction] = field(default_factory=list)
    reports: list[InstructionReport] = field(default_factory=list)


def gather(
    sources: Iterable[InstructionSource],
    judge: Judge,
    private: Private,
    seed: int,
    shown: int = 3,
    looked_for: str = "",
) -> Gathered:
    """Returns the records of all sets, each set in the order of its files.

    The gates are schema (is it a conversation?), duplicate (was the same said before, in this set or an earlier one?),
    then the cap's draw, then ``private`` for sets of chats, then ``judge``. A set is read once as a stream; in memory
    are what is kept and what is stopped.

    Args:
        sources: the sets.
        judge: the contamination gate.
        private: the gate for what may identify a patient.
        seed: of the draw: records whose hashes with it are the smallest stay, so a set that grows keeps most of them.
        shown: how many records stopped for one reason the log names.
        looked_for: what ``private`` looks for, for the reports.
    """
    all_of_them, seen = Gathered(), dict[bytes, str]()
    for source in sources:
        drawn, stopped, counts = _draw(source, seen, seed)
        if source.chats:
            drawn = [_judged(record, private([one.content for one in record.messages])) for record in drawn]
            stopped += [record for record in drawn if _fails(record)]
            drawn = [record for record in drawn if not _fails(record)]
        own: list[Instruction] = []
        for record, verdict in zip(drawn, judge(map(chat_document, drawn)), strict=True):
            judged = _judged(record, verdict)
            (stopped if _fails(judged) else own).append(judged)
        all_of_them.kept += own
        all_of_them.rejected += stopped
        told = looked_for if source.chats else ""
        all_of_them.reports.append(_report(source, counts, len(own), stopped, told))
        _tell(all_of_them.reports[-1], stopped, shown)
    return all_of_them


def _judged(record: Instruction, verdict: Verdict) -> Instruction:
    return replace(record, gates=[*record.gates, verdict])


def _fails(record: Instruction) -> bool:
    return record.gates[-1].verdict == "fail"


def conversations_of(kept: Iterable[Instruction]) -> Iterator[Conversation]:
    """Yields conversations that are no exam questions as training examples."""
    for one in kept:
        yield Conversation(
            one.example_id, one.source, one.method, one.messages, one.parent_ids, one.question_id, one.passage_ids,
            one.licence,
        )  # fmt: skip


def _draw(
    source: InstructionSource, seen: dict[bytes, str], seed: int
) -> tuple[list[Instruction], list[Instruction], Counter[str]]:
    """Returns the records that the cap leaves, those that are malformed or duplicates, and how many were read."""
    held: list[tuple[int, int, bytes, Instruction]] = []  # by the hash of the draw, the greatest first
    stopped: list[Instruction] = []
    counts: Counter[str] = Counter()
    for number, found in enumerate(read_source(source)):
        counts["read"] += 1
        key = _key(found.messages) if not found.fault else hashlib.sha256(found.place.encode()).digest()
        record = Instruction(
            f"{source.name}-{key.hex()[:16]}", source.name, source.reader, list(found.messages), [found.place],
            source.licence,
        )  # fmt: skip
        if verdict := _verdict(found, seen.get(key, "")):
            stopped.append(replace(record, gates=[verdict]))
            continue
        seen[key] = f"{source.name} {found.place}"
        chance = int.from_bytes(hashlib.sha256(seed.to_bytes(8, "big") + key).digest()[:8], "big")
        heapq.heappush(held, (-chance, -number, key, record))
        if source.cap and len(held) > source.cap:
            del seen[heapq.heappop(held)[2]]  # another set may bring it
            counts["not_drawn"] += 1
    return [record for *_, record in sorted(held, key=lambda one: -one[1])], stopped, counts


def _key(messages: Sequence[Message]) -> bytes:
    """Returns the hash of what is said."""
    text = "\x1f".join(f"{one.role}\x1e{' '.join(one.content.split())}" for one in messages)
    return hashlib.sha256(text.encode()).digest()


def _verdict(found: Found, before: str) -> Verdict | None:
    """Returns the verdict that stops a record before the draw, or None."""
    if found.fault:
        return Verdict(SCHEMA, "fail", 0.0, found.fault)
    return Verdict(DUPLICATE, "fail", 1.0, f"says the same as {before}") if before else None


def _report(
    source: InstructionSource, counts: Counter[str], kept: int, stopped: Sequence[Instruction], looked_for: str
) -> InstructionReport:
    """Returns what became of a set; only the schema gate's reasons are told apart, the others name single records."""
    groups: dict[tuple[str, str], list[Instruction]] = {}
    for record in stopped:
        groups.setdefault(_reason(record), []).append(record)
    told = [Stopped(gate, reason, len(own), own[0].parent_ids[0]) for (gate, reason), own in groups.items()]
    return InstructionReport(
        source.name, str(source.path), source.reader, source.licence, source.manifest, source.cap, source.published,
        source.published_by, counts["read"], kept, counts["not_drawn"], told, looked_for,
    )  # fmt: skip


def _reason(record: Instruction) -> tuple[str, str]:
    said = record.gates[-1]
    return said.gate, said.reason if said.gate == SCHEMA else ""


def _tell(report: InstructionReport, stopped: Sequence[Instruction], shown: int) -> None:
    """Log a set's counts, and the first records of each reason."""
    gates = Counter({one.gate: 0 for one in report.stopped})
    for one in report.stopped:
        gates[one.gate] += one.count
    lost = "".join(f", {count} {gate}" for gate, count in gates.items())
    LOG.info(
        "%s: %d records, %d kept, %d not drawn%s", report.source, report.read, report.kept, report.not_drawn, lost
    )  # fmt: skip
    if not report.kept:
        LOG.warning("%s: nothing of it is kept", report.source)
    for one in report.stopped if shown else ():
        if one.gate == SCHEMA:
            own = [record for record in stopped if _reason(record) == (one.gate, one.reason)]
            places = ", ".join(record.parent_ids[0] for record in own[:shown])
            LOG.warning("%s: %d skipped, %s: %s", report.source, one.count, one.reason, places)
