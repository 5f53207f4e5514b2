"""What a published benchmark is: where it comes from, how many questions it has, how it is scored, who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from med_small_lm.benchmarks.releases import Found, Release
    from med_small_lm.record_files import Row

Metric = Literal["accuracy", "multi_select", "claims", "rubric", "judged"]
"""How it is scored: by one right option, sets of options, physicians' claims, rubrics, or a judge of two answers."""
JUDGED: tuple[Metric, ...] = ("claims", "rubric", "judged")
"""Those of open questions, whose answers a judge is asked about."""

TEST, DEV, TRAIN, UNLABELLED = "test", "dev", "train", "unlabelled"
SCORED = (TEST, DEV)
"""The splits of a folder that are read unless others are named: what is scored, and where exemplars come from."""

SPLITS: Mapping[str, str] = {
    "test": TEST, "dev": DEV, "val": DEV, "valid": DEV, "validation": DEV, "train": TRAIN, "training": TRAIN,
}  # fmt: skip
"""What the words of a file's name say of its split."""
RECORD_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True)
class Task:
    """One published benchmark.

    ``n`` are the questions of the scored ``split`` as published, 0 where nobody tells. ``unit`` names the benchmarks
    that ask the same questions: for contamination they are one. ``macro`` is set where papers average over subjects.
    ``rows`` reads the records of a file whose form is the benchmark's own. ``forms`` are the fields that a record of
    each form of the release has. ``fields`` are the names of fields that ``benchmarks.yml`` may map, with their
    defaults; one that starts with ``?`` may be missing, one with ``.`` stands within another. ``fault`` tells what is
    wrong with what a release holds beside its records. ``pass_mark`` is the share of right answers that people need,
    and who says so. ``files`` are patterns of a folder's files: the first that fits decides, and shuts the file out
    where it starts with ``!``. ``unverified`` says which of all this nobody could look up.
    """

    name: str
    title: str
    source: str
    licence: str
    split: str
    version: str
    n: int
    takes: str
    read: Callable[[Release], Iterator[Found]]
    unit: str = ""
    language: str = "en"
    metric: Metric = "accuracy"
    macro: bool = False
    pass_mark: tuple[float, str] | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    suffixes: tuple[str, ...] = RECORD_SUFFIXES
    files: tuple[str, ...] = ("*",)
    rows: Callable[[Path], Iterator[Row]] | None = None
    fault: Callable[[Release], str] | None = None
    forms: tuple[tuple[str, ...], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=lambda: SPLITS)
    unverified: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @property
    def is_n_verified(self) -> bool:
        """Whether ``n`` was looked up, so that another number of questions is worth a warning."""
        return self.n > 0 and not any(one.split(":")[0] == "n" for one in self.unverified)

    @property
    def contamination_unit(self) -> str:
        """The unit whose questions are counted once: its own name where no other asks the same."""
        return self.unit or self.name
