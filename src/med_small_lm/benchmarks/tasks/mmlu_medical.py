"""MMLU's medical subjects: the six of most papers, and the nine of Meditron."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from med_small_lm.benchmarks.choices import at_odds, keyed, lettered, right_key, text_of
from med_small_lm.benchmarks.releases import Found, PassedOver, Record, Release, Unusable, by_record, rows_in
from med_small_lm.benchmarks.task import DEV, TEST, Task
from med_small_lm.record_files import Row, table_rows
from med_small_lm.schemas.rows import Option, Question

SIX = (
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine",
)  # fmt: skip
NINE = (*SIX, "high_school_biology", "nutrition", "virology")
_LETTERS = "ABCD"
_COLUMNS = ("question", *_LETTERS, "answer")
"""The columns of the original release's CSV, which has no line that names them."""


def _reader(subjects: tuple[str, ...]) -> Callable[[Release], Iterator[Found]]:
    def question(record: Record) -> Question:
        subject = re.sub(r"[\W_]+", "_", record.told("subject").lower()).strip("_")
        if subject and subject not in subjects:
            raise PassedOver(subject)
        options = _options(record)
        if len(options) != len(_LETTERS):
            raise Unusable(f"{len(options)} options, not {len(_LETTERS)}: it is no question of MMLU")
        key, text = _key(record, options), record.told("answer") if record.has("answer_idx") else ""
        return Question(
            record.id(), "mmlu_medical", record.split, "single", record.text("question"), options, [key],
            text_of(options, key), subject=subject, gates=at_odds(options, key, text),
        )  # fmt: skip

    return by_record(question)


def _rows(file: Path) -> Iterator[Row]:
    """The rows of a file; the original release's CSV has no names of columns, and its subject is the file's name."""
    if file.suffix.lower() != ".csv":
        yield from rows_in(file)
        return
    subject = re.sub(r"_?(test|dev|val)$", "", file.stem)
    for row in table_rows(file, ",", _COLUMNS):
        if row.fault:
            yield row
        elif row.line > 1 or [row.fields[key].upper() for key in _LETTERS] != list(_LETTERS):  # else it is a head
            yield Row(row.line, {**row.fields, "subject": subject})


def _options(record: Record) -> list[Option]:
    if record.has("options"):
        return keyed(record.fields["options"])
    if record.has("choices"):
        return lettered(record.fields["choices"])
    return lettered([record.fields.get(key) for key in _LETTERS])


def _key(record: Record, options: list[Option]) -> str:
    """The right key: a letter, or in the hub's Parquet the place of the choice, from 0."""
    name = "answer_idx" if record.has("answer_idx") else "answer"
    told = record.fields.get(name)
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < len(options):
        return options[told].key
    return right_key(options, record.told(name), record.told("answer"))


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
        "five questions of MMLU-Pro, of ten options, stand as exemplars beside the copy checked: they are set aside",
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
