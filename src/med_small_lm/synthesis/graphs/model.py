"""What a graph is made of, where it comes from, and what became of each row of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from med_small_lm.schemas.rows import GraphFile, LeftOut, RowFault

SHOWN = 5
"""Malformed rows of a file that are shown; all are counted."""

_SHOWN_TEXT = 200  # characters of a malformed row that are shown


@dataclass(frozen=True, slots=True)
class GraphSource:
    """A graph that the user listed. ``kind`` is rrf (a folder), obo or tsv; the rest narrows down what is taken.

    ``language`` (LAT) and ``vocabularies`` (SAB, all if empty) are UMLS's. ``columns`` name a TSV's columns by what
    they hold; ``relation`` is what relates its two entities where no column says so. ``relations`` are other words for
    what the files call a relation. ``cap`` is the most examples, drawn by seed; 0: all.
    """

    name: str
    path: Path
    kind: str
    licence: str
    cap: int
    language: str = "ENG"
    vocabularies: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    relation: str = ""
    relations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A name of an entity or of a relation; the one of the lowest ``rank`` is used."""

    key: str
    name: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Described:
    """A description of an entity, and its line; the one of the lowest ``rank`` is used."""

    key: str
    text: str
    line: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Related:
    """A relation from ``head`` to ``tail``, and its line."""

    head: str
    tail: str
    relation: str
    line: int


Fact = Named | Described | Related


class NotAGraph(ValueError):
    """A file is not what its kind says; the message says why."""


@dataclass(slots=True)
class Tally:
    """What became of each row of one file: used, left out for a reason, or malformed."""

    used: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    faults: list[RowFault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """All rows that were read."""
        return self.used + self.left_out.total() + self.malformed

    def fault(self, line: int, reason: str, text: str) -> None:
        """Count a malformed row; the first are kept to be shown."""
        self.malformed += 1
        if len(self.faults) < SHOWN:
            self.faults.append(RowFault(line, reason, text[:_SHOWN_TEXT]))

    def report(self, graph: str, file: str, status: str = "ok", reason: str = "") -> GraphFile:
        """Return the file's line of the report."""
        left_out = [LeftOut(why, count) for why, count in self.left_out.most_common()]
        return GraphFile(graph, file, status, reason, self.rows, self.used, self.malformed, left_out, self.faults)
