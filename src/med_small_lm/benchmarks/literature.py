"""What the published systems and their peers tell of themselves, cell by cell, each checked for being a count at all.

Taken from their papers, cards and readmes alone; ``told`` says where somebody else's page was read in their place.
Averages and generations of one system are never mixed: Meerkat has three (its preprint, its model card, the journal).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from med_small_lm.benchmarks.statistics import counts_of, whole_note
from med_small_lm.benchmarks.tasks import task_of
from med_small_lm.schemas.rows import Question

FILE = Path(__file__).with_name("literature.csv")
MEAN = "mean of"
"""How an aggregation begins that is no single share of right answers."""


AVERAGES: Mapping[str, tuple[str, ...]] = {
    "mean of six exams": ("medqa", "usmle_sample", "medbullets_4", "medbullets_5", "medmcqa", "mmlu_medical"),
    "mean of three exams": ("medqa", "medmcqa", "pubmedqa_1k"),
}
"""The unweighted averages that papers took, by the tasks behind them: Meerkat's and PMC-LLaMA's."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published accuracy: ``value`` in percent as it was printed, of ``n`` questions (0 where nobody tells).

    ``system`` and ``generation`` are the publication that tells it, which may be of another ``model``. ``subset`` is
    named as a score's.
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
    def check(self) -> str:
        """What the value says of the number of right answers, in words."""
        if MEAN in self.aggregation:
            return f"cannot be checked: {self.aggregation}"
        if not self.n:
            return "cannot be checked: n is not told"
        few = self.n >= 10**self.decimals
        return "cannot be checked: too few digits" if few else whole_note(self.share, self.n, self.decimals)


def literature(benchmarks: Collection[str] = ()) -> list[Published]:
    """Returns the published accuracies, of these benchmarks or of all, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [Published(n=int(row.pop("n")), **row) for row in csv.DictReader(file)]
    return [row for row in rows if not benchmarks or row.benchmark in benchmarks]


def averaged(exams: Mapping[str, Sequence[Question]]) -> dict[str, list[str]]:
    """Returns the names of the exams behind each average that a paper took, where all of them are there."""
    by_task = {task.name: name for name, questions in exams.items() for task in [task_of(questions[0])] if task}
    return {name: [by_task[task] for task in tasks] for name, tasks in AVERAGES.items() if set(tasks) <= by_task.keys()}


def impossible(rows: Sequence[Published]) -> list[Published]:
    """Returns the cells that no whole number of right answers gives."""
    return [row for row in rows if not row.is_possible]
