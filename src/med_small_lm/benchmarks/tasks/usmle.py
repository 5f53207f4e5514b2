"""USMLE self-assessment and sample tests: Steps 1 to 3. Questions with images are left out by the release's list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.choices import at_odds, keyed, right_key, text_of
from med_small_lm.benchmarks.releases import Found, PassedOver, Record, Release, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question

_IMAGES = "question_with_images.json"


def _read(source: str, release: Release) -> Iterator[Found]:
    """The questions without images of the steps, with the answers of the files of solutions beside them."""
    images = _images(release)

    def question(record: Record) -> Question:
        step, number = _step(record.file.stem), record.told("no")
        if number in images.get(step, ()):
            raise PassedOver(f"{step}, with an image")
        options, answer = keyed(record.fields.get("options")), record.told("answer")
        told = record.told("answer_idx") or str(_solutions(record.file, step).get(number, ""))
        key = right_key(options, told, answer)
        return Question(
            record.id(number), source, "test", "single", record.text("question"), options, [key],
            text_of(options, key), subject=step, gates=at_odds(options, key, answer),
        )  # fmt: skip

    yield from by_record(question)(release)


def _step(name: str) -> str:
    """The step that the name of a file, or a key of the list of images, says: ``step1``."""
    found = re.search(r"step[ _-]?([123])|^([123])$", name.strip().lower())
    return f"step{found.group(1) or found.group(2)}" if found else ""


def _fault(release: Release) -> str:
    """What is wrong with the list of questions with images, which would be scored without it."""
    hint = "; an empty list, [], says that there are none"
    try:
        listed = _images(release)
    except OSError:
        return f": there is no {_IMAGES} beside the questions, which names those with images{hint}"
    except (ValueError, RecursionError):
        return f": {_IMAGES} is no object of a list for each step{hint}"
    unknown = sorted({_step(file.stem) or file.name for file in release.read_files()} - listed.keys())
    return f": {_IMAGES} has no list for {', '.join(unknown)}{hint}" if listed and unknown else ""


def _images(release: Release) -> dict[str, set[str]]:
    """The numbers of the questions with images, by step.

    Raises:
        OSError: The list is not there.
        ValueError: It is none.
    """
    folder = release.path if release.path.is_dir() else release.path.parent
    held: Any = json.loads((folder / _IMAGES).read_text(encoding="utf-8"))
    if held == []:
        return {}
    if not isinstance(held, Mapping) or not all(_step(key) and isinstance(held[key], list) for key in held):
        raise ValueError(f"{_IMAGES} is no object of a list for each step")
    return {_step(key): set(map(str, numbers)) for key, numbers in held.items()}


def _solutions(file: Path, step: str) -> Mapping[str, Any]:
    """The answers beside a file of questions, by their numbers; none where they are not there, or no such file."""
    try:
        held = json.loads(file.with_name(f"{step}_solutions.json").read_text(encoding="utf-8"))
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
    fault=_fault,
    unit="",
    macro=True,
    pass_mark=(0.6, "Meerkat's paper, of the USMLE"),
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
    takes="PDFs are published: a folder of `step{1,2,3}.json` as of the self-assessment, or JSON Lines with answer_idx "
    "beside a `question_with_images.json`",
    read=partial(_read, "usmle_sample"),
    unverified=("n: Meerkat's may be 325 (94, 109, 122)", "licence"),
    defects=("Meerkat's 70.3 is no whole number of 325: it is a mean over steps or runs",),
)
