"""What comes from outside, as sections of the page: exams, knowledge graphs, instruction sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from med_small_lm.markdown import table
from med_small_lm.schemas.rows import ExamFault, GraphFile, InstructionReport, Stopped

_SHOWN = 30  # items of exams that are named
_LETTERS = 120  # of an item


@dataclass(frozen=True)
class Outside:
    """What became of the lines of exams that are no question, the files of graphs, and the instruction sets."""

    faults: Sequence[ExamFault] = ()
    graphs: Sequence[GraphFile] = ()
    sets: Sequence[InstructionReport] = ()

    def sections(self) -> list[str]:
        """Return a section for each of them that there is."""
        return [*self._exams(), *self._graphs(), *self._sets()]

    def _exams(self) -> list[str]:
        if not self.faults:
            return []
        more = f" (the first {_SHOWN})" if len(self.faults) > _SHOWN else ""
        rows = [
            [one.benchmark, f"{one.line:,}", one.question_id, one.reason, one.text[:_LETTERS]]
            for one in self.faults[:_SHOWN]
        ]
        return [
            "## Exams",
            f"{len(self.faults):,} lines of the exams are no question that can be answered and were set aside{more}; "
            "the catalog's `benchmarks_rejected` has them all:",
            table(["exam", "line", "question", "reason", "text"], rows),
        ]

    def _graphs(self) -> list[str]:
        if not self.graphs:
            return []
        rows = [
            [one.graph, one.file, one.status if not one.reason else f"{one.status}: {one.reason}"]
            + [f"{n:,}" for n in (one.rows, one.used, one.malformed)]
            + [", ".join(f"{left.reason} {left.count:,}" for left in one.left_out)]
            for one in self.graphs
        ]
        return [
            "## Knowledge graphs",
            table(["graph", "file", "status", "rows", "used", "malformed", "left out"], rows),
        ]

    def _sets(self) -> list[str]:
        if not self.sets:
            return []
        rows = [
            [one.source, one.licence, *(f"{n:,}" for n in (one.read, one.kept, one.not_drawn)), _stops(one.stopped)]
            for one in self.sets
        ]
        return ["## Instruction sets", table(["set", "licence", "records", "kept", "not drawn", "stopped"], rows)]


NOTHING = Outside()


def _stops(stopped: Sequence[Stopped]) -> str:
    return ", ".join(
        f"{one.gate} {one.count:,}" + (f" ({one.reason}, first {one.first})" if one.reason else "") for one in stopped
    )
