"""What the published systems and their peers tell of themselves, cell by cell, each checked against what it counts.

Taken from their papers, cards and readmes alone; ``told`` says where somebody else's page was read in their place.
Averages and generations of one system are never mixed: Meerkat has three (its preprint, its model card, the journal).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from med_small_lm.benchmarks.statistics import counts_of, whole_note
from med_small_lm.benchmarks.tasks import task_of
from med_small_lm.schemas.rows import Question

FILE = Path(__file__).with_name("literature.csv")
MEAN = "mean of"
"""How an aggregation that is no single share of right answers is told, alone or behind ``; ``."""
AVERAGES: Mapping[str, tuple[str, ...]] = {
    "mean of six exams": ("medqa", "usmle_sample", "medbullets_4", "medbullets_5", "medmcqa", "mmlu_medical"),
    "mean of three exams": ("medqa", "medmcqa", "pubmedqa_1k"),
    "mean of five exams": ("mmlu_medical_9", "pubmedqa", "medmcqa", "medqa_5options", "medqa"),
    "mean of ten exams": (),
}
"""The unweighted averages that papers took, by the tasks behind them: Meerkat's, PMC-LLaMA's, Meditron's, BioMistral's.

Which ten BioMistral's are is not all told.
"""


@dataclass(frozen=True, slots=True)
class Published:
    """One published accuracy: ``value`` in percent as it was printed, of ``n`` questions (0 where nobody tells).

    ``system`` and ``generation`` are the publication that tells it, which may be of another ``model``. ``subset`` is
    named as a score's. ``aggregation`` says of how many runs it is, and behind ``; `` of what it is the mean. ``cells``
    are what it must be the mean of, where the same publication tells all of them.
    """

    system: str
    generation: str
    model: str
    benchmark: str
    subset: str
    value: str
    n: int
    split: str
    mode: str
    aggregation: str
    source: str
    told: str
    note: str
    cells: tuple[str, ...] = ()

    @property
    def runs(self) -> str:
        """Of how many runs it is."""
        return self.aggregation.partition("; ")[0]

    @property
    def share(self) -> float:
        """The value as a share, 0 to 1."""
        return float(self.value) / 100

    @property
    def decimals(self) -> int:
        """Digits to which the share is known: two more than those printed behind the point of the percentage."""
        return len(self.value.partition(".")[2]) + 2

    @property
    def is_possible(self) -> bool:
        """Whether some whole number of right answers of ``n`` gives the value; a mean over runs need be no such."""
        return not self.n or MEAN in self.aggregation or bool(counts_of(self.share, self.n, self.decimals))

    @property
    def of_cells(self) -> float:
        """The mean of its cells, in percent."""
        return sum(map(float, self.cells)) / len(self.cells)

    @property
    def is_its_mean(self) -> bool:
        """Whether it is the mean of its cells, as far as their roundings and its own allow."""
        if not self.cells:
            return True
        slack = (sum(map(_rounding, self.cells)) / len(self.cells)) + _rounding(self.value)
        return abs(self.of_cells - float(self.value)) <= slack + 1e-9

    @property
    def check(self) -> str:
        """What the value says of the number of right answers, or of the cells that it is the mean of, in words."""
        if self.cells:
            given = "the mean of" if self.is_its_mean else f"{self.of_cells:.2f} % is the mean of"
            return f"{given} its {len(self.cells)} cells"
        if MEAN in self.aggregation:
            return f"cannot be checked: {self.aggregation}"
        if not self.n:
            return "cannot be checked: n is not told"
        few = self.n >= 10**self.decimals
        return "cannot be checked: too few digits" if few else whole_note(self.share, self.n, self.decimals)


def literature(benchmarks: Collection[str] = ()) -> list[Published]:
    """Returns the published accuracies, of these benchmarks or of all, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [Published(n=int(row.pop("n")), cells=(), **row) for row in csv.DictReader(file)]
    told = [replace(row, cells=_cells(row, rows)) for row in rows]
    return [row for row in told if not benchmarks or row.benchmark in benchmarks]


def averaged(exams: Mapping[str, Sequence[Question]]) -> dict[str, list[str]]:
    """Returns the names of the exams behind each average that a paper took, where all of them are there."""
    by_task = {task.name: name for name, questions in exams.items() for task in [task_of(questions[0])] if task}
    there = {name: tasks for name, tasks in AVERAGES.items() if tasks and set(tasks) <= by_task.keys()}
    return {name: [by_task[task] for task in tasks] for name, tasks in there.items()}


def by_subject(exams: Mapping[str, Sequence[Question]]) -> list[str]:
    """Returns the names of the exams of which papers tell the mean of the subjects."""
    return [name for name, questions in exams.items() for task in [task_of(questions[0])] if task and task.macro]


def impossible(rows: Sequence[Published]) -> list[Published]:
    """Returns the cells that no whole number of right answers gives."""
    return [row for row in rows if not row.is_possible]


def _cells(row: Published, rows: Sequence[Published]) -> tuple[str, ...]:
    """What a row must be the mean of: the same publication's cells of the model and runs, if it tells all of them."""
    if f"; {MEAN}" not in row.aggregation:
        return ()
    own = [one for one in rows if _told_of(one) == _told_of(row) and one is not row]
    if row.benchmark not in AVERAGES:
        return tuple(one.value for one in own if one.benchmark == row.benchmark)
    found = {one.benchmark: one.value for one in own if one.subset == "all"}
    tasks = AVERAGES[row.benchmark]
    return tuple(found[task] for task in tasks) if tasks and set(tasks) <= found.keys() else ()


def _told_of(row: Published) -> tuple[str, str, str, str]:
    return row.system, row.generation, row.model, row.runs


def _rounding(value: str) -> float:
    """How far a printed value may lie from what was rounded."""
    return float(0.5 * 10.0 ** -len(value.partition(".")[2]))
