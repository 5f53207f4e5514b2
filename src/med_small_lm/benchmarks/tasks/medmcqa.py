"""MedMCQA: entrance examinations of Indian medical schools. Its test split has no answers, so dev is scored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.choices import explained, lettered, right_key, split_choices, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, Unusable, by_record
from med_small_lm.benchmarks.task import TEST, TRAIN, UNLABELLED, Task
from med_small_lm.schemas.rows import Option, Question

_LETTERED = ("opa", "opb", "opc", "opd")


def _read(release: Release) -> Iterator[Found]:
    """The questions; ``cop`` counts from 1 in the release's JSON, from 0 in its Parquet, which its values tell."""
    cops: dict[Path, set[int | None]] = {}
    for record in release.records():
        if isinstance(record, Record) and record.has("cop"):
            cops.setdefault(record.file, set()).add(_whole(record.fields["cop"]))

    def question(record: Record) -> Question:
        if record.has("cop"):
            stem, options = record.text("question"), lettered([record.fields.get(name) for name in _LETTERED])
            key = _key(record, options, _first(record.file, cops[record.file]))
        else:
            stem, options = split_choices(record.text("question"))
            key = right_key(options, record.told("label"))
        why = record.told("exp") or record.told("label_rationale")
        return Question(
            record.id(record.told("id")), "medmcqa", record.split, "single", stem, options, [key],
            text_of(options, key), quotes=explained(key, why), subject=record.told("subject_name"),
        )  # fmt: skip

    yield from by_record(question)(release)


def _first(file: Path, cops: set[int | None]) -> int:
    """What ``cop`` counts from in a file: 0 or as many as there are options tell it, else the file's format.

    Raises:
        Unusable: Both stand there.
    """
    if {0, len(_LETTERED)} <= cops:
        raise Unusable("cop counts from 0 and from 1 in this file")
    return int(len(_LETTERED) in cops or (0 not in cops and file.suffix.lower() != ".parquet"))


def _key(record: Record, options: list[Option], first: int) -> str:
    told, cop = record.told("cop"), _whole(record.fields["cop"])
    if cop is None or not first <= cop < first + len(options):
        raise Unusable("no answer" if told in ("", "-1", "-1.0") else f"the answer {told} is no option")
    return options[cop - first].key


def _whole(told: Any) -> int | None:
    """A whole number of a few digits, also one that stands as a text or, as tables have it, as 2.0; else None."""
    if isinstance(told, bool) or not re.fullmatch(r"\d{1,9}(\.0)?", str(told).strip()):
        return None
    return int(float(told))


MEDMCQA = Task(
    name="medmcqa",
    title="MedMCQA",
    source="https://github.com/medmcqa/medmcqa",
    licence="MIT; its repository's badge says Apache-2.0",
    split="dev, read as test: the release's own test split has no answers",
    version="2022",
    n=4_183,
    takes="`{train,dev}.json` (opa to opd, cop, exp, subject_name), as Parquet, or with the options in the question",
    read=_read,
    forms=(("question", *_LETTERED, "cop"), ("question", "label")),
    splits={"train": TRAIN, "dev": TEST, "validation": TEST, "valid": TEST, "val": TEST, "test": UNLABELLED},
    sha256={"dev.jsonl": "fd77b0d05253da74d848dc11e706d74311e871e43ea72e75bfe4b74294781476"},
    unverified=("cop counts from 0 in the hub's Parquet",),
    defects=(
        "21 items of dev have two equal options, 4 of them the right one",
        "20 stems of dev are asked twice, one with another answer",
        "'multi' questions have one right option",
        "its README swaps the sizes of the valid and test splits",
        "62 % of the questions have under 13 words: a search for 13-grams cannot see them",
    ),
)
