"""A benchmark's questions, from a file in the plain form or a published release, and the records that are none."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Never

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.benchmarks.defects import tally
from med_small_lm.benchmarks.items import OPEN, Problem, read_questions
from med_small_lm.benchmarks.published import fault_of, is_checked, read_release
from med_small_lm.benchmarks.releases import Release
from med_small_lm.benchmarks.task import JUDGED, TEST
from med_small_lm.benchmarks.tasks import known_tasks
from med_small_lm.schemas.rows import ExamFault, Question
from med_small_lm.schemas.tables import to_frame

LOG = logging.getLogger(__name__)
_SET_ASIDE: dict[str, list[Problem]] = {}
"""The problems of what was read in this process, by the benchmark and the state of its files: nothing is read twice."""


class BenchmarkDataset(AbstractDataset[Never, pd.DataFrame]):
    """Questions of one benchmark. Records that are no question are counted in the log and left out.

    Entries are made from ``benchmarks.yml``: questions in the plain form, all splits; or with ``task`` a release of a
    known benchmark, in a file, a folder or on the hub.
    """

    _shown: ClassVar = ["question_id", "split", "stem", "answer_text"]

    def __init__(
        self,
        *,
        filepath: str = "",
        exam: str = "",
        task: str = "",
        fields: Mapping[str, str] | None = None,
        splits: Sequence[str] = (),
        hub: str = "",
        revision: str | None = None,
        allow_download: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Keep what ``benchmarks.yml`` says."""
        self._filepath, self._exam, self._task = Path(filepath), exam, task
        self._fields, self._splits = dict(fields or {}), tuple(splits)
        self._hub, self._revision, self._allow_download = hub, revision, allow_download
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The questions as a frame.

        Raises:
            DatasetError: Not one record is a question.
        """
        questions, problems = self._read()
        place = self._hub or self._filepath
        first = f"line {problems[0].line}: {problems[0].reason}" if problems else "it is empty"
        if not questions:
            raise DatasetError(f"{place} holds no question that can be answered ({first})")
        if self._task:
            self._tell(questions)
        if problems:
            told = len(problems), len(questions) + len(problems), "lines" if not self._task else "records"
            LOG.warning(
                "%s: %d of %d %s are no question and are set aside; the first: %s",
                *(self._hub or self._filepath.name, *told, first),
            )
        return to_frame(questions, Question)

    def open_questions(self) -> list[Question]:
        """The open questions that are scored, without a word in the log; a release of options is not read for it."""
        if not self._task:
            questions, _ = read_questions(self._filepath)
        elif known_tasks()[self._task].metric in JUDGED:
            questions, _ = read_release(self._published)
        else:
            return []
        return [question for question in questions if question.kind == OPEN and question.split == TEST]

    def _read(self) -> tuple[list[Question], list[Problem]]:
        """The questions and the problems, which are remembered."""
        questions, problems = read_release(self._published) if self._task else read_questions(self._filepath)
        _SET_ASIDE[self._state()] = problems
        return questions, problems

    def _state(self) -> str:
        """What is read, and the size and time of each file."""
        files = self._published.read_files() if self._task else [self._filepath]
        told = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
        return f"{self._exam} {self._describe()} {self._fields} {self._splits} {told}"

    def _tell(self, questions: Sequence[Question]) -> None:
        """Log what a release says of its number and copy."""
        release = self._published
        n = sum(question.split == TEST for question in questions)
        copy = "no copy was checked"
        if release.task.sha256:
            copy = "the copy that was checked" if is_checked(release) else "not a copy that was checked"
        doubts = "; ".join(f"{count} {name}" for name, count in tally(questions).items())
        LOG.info("%s: %d test questions, %s%s", self._exam, n, copy, f"; {doubts}" if doubts else "")
        if n and release.task.is_n_verified and n != release.task.n:
            LOG.warning("%s: %d test questions, not the %d of %s", self._exam, n, release.task.n, release.task.title)

    @cached_property
    def _published(self) -> Release:
        """The release, fetched from the hub where that is named and allowed.

        Raises:
            DatasetError: What was fetched is no such release.
        """
        task, path = known_tasks()[self._task], self._filepath
        if self._hub:
            from med_small_lm.hub import dataset_folder

            path = dataset_folder(self._hub, self._revision, task.suffixes, allowed=self._allow_download)
        release = Release(task, self._exam, path, self._fields, self._splits)
        if self._hub and self._allow_download and (fault := fault_of(release)):  # of all others it was told before
            raise DatasetError(f"{self._exam}{fault}")
        return release

    def save(self, data: Never) -> None:
        """Benchmarks are read, never written."""
        raise DatasetError(f"{self._hub or self._filepath}: a benchmark is read-only")

    def _exists(self) -> bool:
        return bool(self._hub) or self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        place = {"hub": self._hub} if self._hub else {"filepath": str(self._filepath)}
        return place | ({"task": self._task} if self._task else {})

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        head = self.load()[self._shown].head(nrows)
        return TablePreview(
            {"index": list(head.index), "columns": list(head.columns), "data": head.to_numpy().tolist()}
        )


class BenchmarkFaultsDataset(BenchmarkDataset):
    """The records of the same benchmark that are no question, each with its line and the reason."""

    _shown: ClassVar = [one.name for one in fields_of(ExamFault)]

    def load(self) -> pd.DataFrame:
        """The records as a frame, empty where all are questions."""
        held = _SET_ASIDE.get(self._state())
        problems = self._read()[1] if held is None else held
        return to_frame([ExamFault(self._exam, p.line, p.question_id, p.reason, p.text) for p in problems], ExamFault)
