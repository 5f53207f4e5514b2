"""USMLE self-assessment and sample tests: Steps 1 to 3. Questions with images are left out by the release's list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.choices import keyed, right_key, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question

_IMAGES = "question_with_images.json"


def _read(source: str, release: Release) -> Iterator[Found]:
    """The questions without images of the steps, with the answers of the files of solutions beside them."""
    folder = release.path if release.path.is_dir() else release.path.parent
    images = {step: set(map(str, told)) for step, told in _held(folder / _IMAGES).items() if isinstance(told, list)}

    def question(record: Record) -> Question | None:
        step, number = _step(record.file), record.told("no")
        if number in images.get(step, ()):
            return None
        options = keyed(record.fields.get("options"))
        told = record.told("answer_idx") or str(_held(record.file.with_name(f"{step}_solutions.json")).get(number, ""))
        key = right_key(options, told, record.told("answer"))
        return Question(
            record.id(f"{step}-{number}" if step and number else ""), source, "test", "single", record.text("question"),
            options, [key], text_of(options, key), subject=step,
        )  # fmt: skip

    yield from by_record(question)(release)


def _step(file: Path) -> str:
    """The step that a file's name says: ``step1``."""
    found = re.search(r"step[ _-]?([123])", file.stem.lower())
    return f"step{found.group(1)}" if found else ""


def _held(file: Path) -> Mapping[str, Any]:
    """The object that a file beside the questions holds; none where it is not there, or no such file."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, Mapping) else {}


USMLE_SELF_ASSESSMENT = Task(
    name="usmle_self_assessment",
    title="USMLE self-assessment, Steps 1 to 3",
    source="https://huggingface.co/datasets/medalpaca/medical_meadow_usmle_self_assessment",
    licence="unknown: the tests are of the USMLE's makers",
    split="test: there is no other",
    version="2023, MedAlpaca",
    n=324,
    takes="the folder of `step{1,2,3}.json` (no, question, options), `step{1,2,3}_solutions.json` and "
    "`question_with_images.json`",
    read=partial(_read, "usmle_self_assessment"),
    unit="",
    macro=True,
    pass_mark=0.6,
    forms=(("question", "options"),),
    files=("!*solutions*", "!*images*", "*step*.json", "*step*.jsonl", "*.jsonl"),
    unverified=("the list of images names questions by `no`", "licence"),
    defects=(
        "92, 110 and 122 of 119, 120 and 135 questions have no image, as MedAlpaca's README counts",
        "MedAlpaca's own scores fit 91, 109 and 123 of them, or other numbers: which were dropped, nobody tells",
    ),
)

USMLE_SAMPLE = replace(
    USMLE_SELF_ASSESSMENT,
    name="usmle_sample",
    title="USMLE sample test, Steps 1 to 3",
    source="https://www.usmle.org/prepare-your-exam",
    version="2021 to 2022",
    n=0,
    takes="PDFs are published: a folder of `step{1,2,3}.json` as of the self-assessment, or JSON Lines with answer_idx",
    read=partial(_read, "usmle_sample"),
    unverified=("n: Meerkat's may be 325 (94, 109, 122)", "licence"),
    defects=("Meerkat's 70.3 is no whole number of 325: it is a mean over steps or runs",),
)
