"""The entries of ``benchmarks.yml``: exams in the plain form, and releases of known benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from med_small_lm.benchmarks.items import is_json_lines
from med_small_lm.benchmarks.releases import Release
from med_small_lm.entries import Entry
from med_small_lm.errors import UserError, nearest

_TOLD = ("task", "fields", "splits", "revision")


class Exam(Entry):
    """One entry of ``benchmarks.yml``: questions as JSON Lines, or with ``task`` the release of a known benchmark."""

    file: Path = Field(Path(), description="absolute, or from the project's root; with a task also a folder")
    task: str = Field("", description="the known benchmark whose release it is; empty: questions in the plain form")
    fields: dict[str, str] = Field({}, description="names of the release's fields, where the task lets them be named")
    splits: tuple[Literal["test", "dev", "train"], ...] = Field(
        (), description="splits that are read; none: test and dev of a folder, all of a file"
    )
    hub: str = Field("", description="the release's name on the hub, in place of a file")
    revision: str | None = Field(None, description="commit, tag or branch on the hub; null: its main branch")
    allow_download: bool = Field(False, description="whether it may be fetched; else it must lie in the local cache")
    scored: bool = Field(True, description="whether models are scored on it, beside its use for exemplars and gates")


def fault_in(name: str, exam: Exam) -> str:
    """What is wrong with an entry, behind its name, or nothing; a known benchmark's first records are looked at."""
    if exam.hub and exam.file != Path():
        return ": it has a `file` and a `hub`: take one of them out"
    if not exam.hub and exam.file == Path():
        return ".file: Field required"
    return _release_fault(name, exam) if exam.task else _plain_fault(exam)


def _plain_fault(exam: Exam) -> str:
    """What is wrong with an exam in the plain form, behind its name."""
    released = next((key for key in ("fields", "splits", "hub", "revision") if getattr(exam, key)), "")
    if released:
        return f".{released}: it goes with a `task`, and the entry has none"
    if exam.path.is_file() and is_json_lines(exam.path):
        return ""
    return f": {exam.path} is no file of questions as JSON Lines, one object a line; a known benchmark needs its `task`"


def _release_fault(name: str, exam: Exam) -> str:
    """What is wrong with the release of a known benchmark, behind the exam's name."""
    from med_small_lm.benchmarks.published import fault_of, unknown_role
    from med_small_lm.benchmarks.tasks import known_tasks

    tasks = known_tasks()
    if exam.task not in tasks:
        hint = nearest(exam.task, tasks)
        return f".task: there is no known benchmark {exam.task!r}{hint}; there are {', '.join(tasks)}"
    path = exam.path
    if exam.hub:
        from med_small_lm.hub import dataset_folder

        if exam.allow_download:  # whether it is there shows when it is read: nothing is fetched before
            return unknown_role(tasks[exam.task], exam.fields)
        try:
            path = dataset_folder(exam.hub, exam.revision, tasks[exam.task].suffixes, allowed=False)
        except UserError as problem:
            return f".hub: {problem.message}"
    return fault_of(Release(tasks[exam.task], name, path, exam.fields, exam.splits))


def questions_dataset(name: str, exam: Exam) -> dict[str, Any]:
    """The catalog entry of an exam's questions."""
    return {
        "type": "med_small_lm.datasets.benchmark.BenchmarkDataset",
        **_place(name, exam),
        "validator": "med_small_lm.schemas.frames.Questions",
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }


def faults_dataset(name: str, exam: Exam) -> dict[str, Any]:
    """The catalog entry of the records of an exam that are no question."""
    return {
        "type": "med_small_lm.datasets.benchmark.BenchmarkFaultsDataset",
        **_place(name, exam),
        "validator": "med_small_lm.schemas.frames.ExamFaults",
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }


def _place(name: str, exam: Exam) -> dict[str, Any]:
    """What a dataset is told of an exam: its file or its name on the hub, and what of it was given."""
    place = {"hub": exam.hub, "allow_download": exam.allow_download} if exam.hub else {"filepath": str(exam.path)}
    told = {key: value for key in _TOLD if (value := getattr(exam, key))}
    return {**place, "exam": name, **told}
