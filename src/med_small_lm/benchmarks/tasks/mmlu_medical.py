"""MMLU's medical subjects: the six of most papers, and the nine of Meditron."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from med_small_lm.benchmarks.choices import keyed, lettered, right_key, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, by_record, rows_in
from med_small_lm.benchmarks.task import DEV, TEST, Task
from med_small_lm.record_files import Row
from med_small_lm.schemas.rows import Option, Question

SIX = (
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine",
)  # fmt: skip
NINE = (*SIX, "high_school_biology", "nutrition", "virology")
_COLUMNS = ("question", "A", "B", "C", "D", "answer")
"""The columns of the original release's CSV, which has no line that names them."""


def _reader(subjects: tuple[str, ...]) -> Callable[[Release], Iterator[Found]]:
    def question(record: Record) -> Question | None:
        subject = record.told("subject")
        if subject and subject not in subjects:
            return None
        options = _options(record)
        key = _key(record, options)
        return Question(
            record.id(), "mmlu_medical", record.split, "single", record.text("question"), options, [key],
            text_of(options, key), subject=subject,
        )  # fmt: skip

    return by_record(question)


def _rows(file: Path) -> Iterator[Row]:
    """The rows of a file; the original release's CSV has no names of columns, and its subject is the file's name."""
    if file.suffix.lower() != ".csv":
        yield from rows_in(file)
        return
    subject = re.sub(r"_?(test|dev|val)$", "", file.stem)
    with file.open(encoding="utf-8-sig", newline="") as text:
        table = csv.reader(text)
        for cells in table:
            if len(cells) != len(_COLUMNS):
                yield Row(table.line_num, fault=f"the row has {len(cells)} columns, not {len(_COLUMNS)}")
            elif [cell.lower() for cell in cells[1:5]] != ["a", "b", "c", "d"]:
                yield Row(table.line_num, dict(zip(_COLUMNS, cells, strict=True)) | {"subject": subject})


def _options(record: Record) -> list[Option]:
    if record.has("options"):
        return keyed(record.fields["options"])
    if record.has("choices"):
        return lettered(record.fields["choices"])
    return lettered(record.fields.get(key) for key in "ABCD")


def _key(record: Record, options: list[Option]) -> str:
    """The right key: a letter, or in the hub's Parquet the place of the choice, from 0."""
    told = record.fields.get("answer_idx", record.fields.get("answer"))
    if isinstance(told, int) and 0 <= told < len(options):
        return options[told].key
    return right_key(options, str(told or ""), record.told("answer"))


_SPLITS = {"test": TEST, "dev": DEV, "train": DEV, "val": "validation", "validation": "validation"}

MMLU_MEDICAL = Task(
    name="mmlu_medical",
    title="MMLU, six medical subjects",
    source="https://github.com/hendrycks/test",
    licence="MIT",
    split="test",
    version="2021",
    n=1_089,
    takes="the original release's `test/`, `dev/` of CSV, the hub's Parquet by subject, or JSON Lines with a subject",
    read=_reader(SIX),
    rows=_rows,
    unit="mmlu",
    macro=True,
    forms=(("question", "options", "answer_idx"), ("question", "choices", "answer"), _COLUMNS),
    files=("!all/*", "!*auxiliary_train*", "*"),
    splits=_SPLITS,
    sha256={
        "test.jsonl": "d1ac8949044ccd412b883b90ba918933531f5eaefb40166673c4989fa1bbf1b9",
        "train.jsonl": "465a2888bbf862ab3d4142ef6fe769f27bac030e2eb258431e21ba6653b88074",
    },
    defects=(
        "78 questions of college_medicine stand in clinical_knowledge too, in the copy checked",
        "the counts by subject are 135, 265, 144, 173, 100, 272 in the order of their names",
    ),
)

MMLU_MEDICAL_9 = replace(
    MMLU_MEDICAL,
    name="mmlu_medical_9",
    title="MMLU, nine medical subjects",
    n=0,
    read=_reader(NINE),
    sha256={},
    unverified=("which nine: Meditron tells 1,862 questions, these subjects should have 1,871",),
    defects=MMLU_MEDICAL.defects[:1],
)
