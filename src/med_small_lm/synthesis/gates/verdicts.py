"""Gates: each says of one record whether it passes, and why not; they run in order and every verdict is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import TypeVar

from med_small_lm.overlap.contamination import ContaminationIndex, Hit, hits_of
from med_small_lm.overlap.documents import Document, question_document
from med_small_lm.schemas.rows import Instruction, Question, Rationale, Record, Rephrasing, Verdict
from med_small_lm.synthesis.gates.language import UNKNOWN, language_of

Kind = TypeVar("Kind", Question, Rationale, Rephrasing, Instruction)

REPLY = "reply"
"""The gate of what is no record at all: a failed call, or an item that lacks a part."""
CONTAMINATION = "contamination"
DUPLICATE = "duplicate"
LANGUAGE = "language"

POINTS_AWAY = re.compile(
    r"\b(?:the|this) (?:(?:given|provided|above|following) )?(?:passage|text|excerpt|figure|table|chapter|paragraph)\b|"
    r"\b(?:figure|table) \d",
    re.IGNORECASE,
)


def verdict(gate: str, passed: bool, value: float, reason: str) -> Verdict:
    """Return what a gate says; the reason stands only where it failed."""
    return Verdict(gate, "pass" if passed else "fail", float(value), "" if passed else reason)


def sift(records: Iterable[Kind], gates: Sequence[Callable[[Kind], Verdict]]) -> tuple[list[Kind], list[Kind]]:
    """Return the records that pass all gates and those that do not; each carries its verdicts, up to the first fail."""
    kept: list[Kind] = []
    rejected: list[Kind] = []
    for record in records:
        judged = judge(record, (gate(record) for gate in gates))
        (kept if passed(judged) else rejected).append(judged)
    return kept, rejected


def judge(record: Kind, verdicts: Iterable[Verdict]) -> Kind:
    """Return the record with the verdicts added, up to the first fail; what comes after is not asked for."""
    said = list(record.gates)
    for one in verdicts:
        said.append(one)
        if one.verdict == "fail":
            break
    return replace(record, gates=said)


def unread(record: Kind, fault: str) -> Kind:
    """Return the record of a reply that is none, with as much as it has and the reason at the gate ``reply``."""
    return replace(record, gates=[Verdict(REPLY, "fail", 0.0, fault)])


def passed(record: Record) -> bool:
    """Return whether no gate stopped a record."""
    return all(said.verdict != "fail" for said in record.gates)


def stop_of(record: Record) -> tuple[str, str]:
    """Return the gate that stopped a record and its reason; empty if none did."""
    return next(((said.gate, said.reason) for said in record.gates if said.verdict == "fail"), ("", ""))


def contamination(
    documents: Iterable[Document], guards: Sequence[ContaminationIndex], found: list[list[Hit]] | None = None
) -> Iterator[Verdict]:
    """Yield for each document whether it holds no guarded item; the value is how many it holds.

    ``found`` takes what each document holds, for the report.
    """
    for hits in hits_of(documents, guards):
        if found is not None:
            found.append(hits)
        yield holds_none(hits)


def holds_none(hits: Sequence[Hit]) -> Verdict:
    """Return whether no guarded item was found in a record; the value is how many were."""
    return verdict(CONTAMINATION, not hits, len({hit.question_id for hit in hits}), _said(hits))


def same_language(text: str, wanted: Set[str]) -> Verdict:
    """Return whether a text is in one of the languages that are wanted; skipped where either is not known."""
    language, known = language_of(text), sorted(wanted - {UNKNOWN})
    if language == UNKNOWN or not known:
        return Verdict(LANGUAGE, "skip", 0.0, UNKNOWN)
    return verdict(LANGUAGE, language in known, float(language in known), f"{language}, not {' or '.join(known)}")


def rationale_document(rationale: Rationale, question: Question) -> Document:
    """Return a question and its rationale as the one document that a training example of them makes."""
    return question_document(question, [rationale])


def _said(hits: Sequence[Hit]) -> str:
    """Return what was found, the first three items by name."""
    named = "; ".join(f"{hit.rule}, {hit.benchmark}: {hit.reason}" for hit in hits[:3])
    return f"{named}; and {len(hits) - 3} more" if len(hits) > 3 else named
