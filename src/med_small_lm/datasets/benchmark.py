"""A benchmark's questions, from a JSON Lines file in the plain form, and the lines that are none."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Never

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.benchmarks.items import read_questions
from med_small_lm.schemas.rows import ExamFault, Question
from med_small_lm.schemas.tables import to_frame

LOG = logging.getLogger(__name__)


class BenchmarkDataset(AbstractDataset[Never, pd.DataFrame]):
    """Questions of one benchmark, all splits. Lines that are no question are counted in the log and left out."""

    _shown: ClassVar = ["question_id", "split", "stem", "answer_text"]

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file."""
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The questions as a frame.

        Raises:
            DatasetError: Not one line is a question.
        """
        questions, problems = read_questions(self._filepath)
        first = f"line {problems[0].line}: {problems[0].reason}" if problems else "it is empty"
        if not questions:
            raise DatasetError(f"{self._filepath} holds no question that can be answered ({first})")
        if problems:
            n_lines = len(questions) + len(problems)
            LOG.warning(
                "%s: %d of %d lines are no question and are set aside; the first: %s",
                *(self._filepath.name, len(problems), n_lines, first),
            )
        return to_frame(questions, Question)

    def save(self, data: Never) -> None:
        """Benchmarks are read, never written."""
        raise DatasetError(f"{self._filepath}: a benchmark is read-only")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        head = self.load()[self._shown].head(nrows)
        return TablePreview(
            {"index": list(head.index), "columns": list(head.columns), "data": head.to_numpy().tolist()}
        )


class BenchmarkFaultsDataset(BenchmarkDataset):
    """The lines of the same file that are no question, each with its number and the reason."""

    _shown: ClassVar = [one.name for one in fields(ExamFault)]

    def __init__(self, *, filepath: str, exam: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file and the exam."""
        super().__init__(filepath=filepath, metadata=metadata)
        self._exam = exam

    def load(self) -> pd.DataFrame:
        """The lines as a frame, empty where all are questions."""
        _, problems = read_questions(self._filepath)
        return to_frame([ExamFault(self._exam, p.line, p.question_id, p.reason, p.text) for p in problems], ExamFault)
