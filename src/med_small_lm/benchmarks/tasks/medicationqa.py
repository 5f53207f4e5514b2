"""MedicationQA: what consumers asked about drugs, with answers of trusted sites (MedInfo 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from med_small_lm.benchmarks.releases import Record, Unusable, by_record, rows_in
from med_small_lm.benchmarks.spreadsheet import sheet_rows
from med_small_lm.benchmarks.task import RECORD_SUFFIXES, TEST, Task
from med_small_lm.record_files import Row
from med_small_lm.schemas.rows import Question

_NONE = ("no answer", "no answers")


def _rows(file: Path) -> Iterator[Row]:
    yield from sheet_rows(file) if file.suffix.lower() == ".xlsx" else rows_in(file)


def _question(record: Record) -> Question:
    answer = record.text("Answer")
    if answer.casefold().rstrip(".") in _NONE:
        raise Unusable("no answer")
    return Question(
        record.id(), "medicationqa", TEST, "open", record.text("Question"), [], [], answer,
        subject=record.told("Question Type"),
    )  # fmt: skip


MEDICATIONQA = Task(
    name="medicationqa",
    title="MedicationQA",
    source="https://github.com/abachaa/Medication_QA_MedInfo2019",
    licence="unknown: its readme tells none",
    split="test: there is no other",
    version="2019",
    n=674,
    takes="`MedInfo2019-QA-Medications.xlsx` (Question, Question Type, Answer), or a CSV of it",
    read=by_record(_question),
    rows=_rows,
    forms=(("Question", "Answer"),),
    metric="judged",
    suffixes=(*RECORD_SUFFIXES, ".xlsx"),
    unverified=("licence", "how many rows have an answer: PMC-LLaMA took 690, Meerkat 689"),
    defects=("its paper tells 674 pairs, its file has about 690 rows, some of which have no answer",),
)
