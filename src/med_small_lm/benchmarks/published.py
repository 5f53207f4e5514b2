"""A published benchmark's questions: what its task reads of the release, checked, with doubtful ones told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from filecmp import cmp
from pathlib import Path

from med_small_lm.benchmarks.defects import with_defects
from med_small_lm.benchmarks.items import Problem, fault
from med_small_lm.benchmarks.releases import SHOWN, Found, Release, missing_fields
from med_small_lm.benchmarks.task import UNLABELLED, Task
from med_small_lm.errors import nearest
from med_small_lm.schemas.rows import Question


def read_release(release: Release) -> tuple[list[Question], list[Problem]]:
    """Returns the questions of a release in its order, and a problem for each record of which there is none.

    Doubtful questions stay, each with its defect among its gates. Of two with one id, or of one rank in a case, the
    first is kept.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, ...], Found] = {}
    for found in release.task.read(release):
        if found.question is None:
            problems.append(_problem(release, found, found.reason))
            continue
        own = found.question
        told = replace(own, method=release.task.name, licence=own.licence or release.task.licence)
        ids = [(told.question_id,)] + ([(told.case_id, str(told.rank))] if told.case_id else [])
        reason = "" if told.split == UNLABELLED else fault(told, published=True)
        if not reason and (twice := next((one for one in ids if one in seen), None)):
            what = "question_id" if len(twice) == 1 else f"rank {told.rank} of case {told.case_id}"
            reason = f"{what} stands already in {_place(release, seen[twice])}"
        if reason:
            problems.append(_problem(release, found, reason))
            continue
        seen |= dict.fromkeys(ids, found)
        questions.append(told)
    return with_defects(questions), problems


def fault_of(release: Release) -> str:
    """Returns what the user wrote wrongly of a release, behind the exam's name, or nothing: before anything is read."""
    task = release.task
    if unknown := unknown_role(task, release.fields):
        return unknown
    files = release.files()
    if not files or files[0].suffix.lower() not in task.suffixes:
        return f": nothing in {release.path} that `task: {task.name}` takes: {task.takes}"
    if not release.read_files():
        found = sorted({release.split_of(file) for file in files})
        return f".splits: {release.path} has {', '.join(found)} alone, and {', '.join(release.wanted)} are read"
    if lacking := missing_fields(release):
        name, has = lacking
        role = next((f".fields.{role}" for role in task.fields if release.field(role) == name), "")
        return f"{role}: {files[0].name} has no field {name!r} for `task: {task.name}`; it has {has}"
    return _doubled(release) or (task.fault(release) if task.fault else "")


def _doubled(release: Release) -> str:
    """What of a release would be read twice: a file in two formats, or a copy of another of its split."""
    named: dict[tuple[str, Path], Path] = {}
    sized: dict[tuple[str, int], list[Path]] = {}
    for file in release.read_files():
        split = release.split_of(file)
        alike = sized.setdefault((split, file.stat().st_size), [])
        if (same := named.setdefault((split, file.with_suffix("")), file)) is not file:
            return f": {_name(release, same)} and {_name(release, file)} are one file twice: name one of them as `file`"
        if copy := next((other for other in alike if cmp(other, file, shallow=False)), None):
            return f": {_name(release, copy)} and {_name(release, file)} are the same bytes: take one of them away"
        alike.append(file)
    return ""


def unknown_role(task: Task, fields: Iterable[str]) -> str:
    """Returns which of the fields that an entry names the task does not know, behind the exam's name, or nothing."""
    known = task.fields
    for role in fields:
        if role not in known:
            told = f"{nearest(role, known)}; there are {', '.join(known)}" if known else f": {task.name} needs none"
            return f".fields.{role}: no such field can be named{told}"
    return ""


def digests(release: Release) -> dict[str, str]:
    """Returns the SHA-256 of each file that is read, by its place in the release: two copies are told apart by it."""
    return {_name(release, file): hashlib.sha256(file.read_bytes()).hexdigest() for file in release.read_files()}


def is_checked(release: Release) -> bool:
    """Returns whether every file that is read is one of the copies that the task was checked on."""
    return bool(release.task.sha256) and set(digests(release).values()) <= set(release.task.sha256.values())


def _problem(release: Release, found: Found, reason: str) -> Problem:
    own = found.question
    told = f"{_name(release, found.file)}: {reason}" if release.path.is_dir() else reason
    shown = found.text or (own.stem[:SHOWN] if own else "")
    return Problem(found.line, own.question_id if own else "", told, shown)


def _place(release: Release, found: Found) -> str:
    return f"line {found.line}" + (f" of {_name(release, found.file)}" if release.path.is_dir() else "")


def _name(release: Release, file: Path) -> str:
    return file.relative_to(release.path).as_posix() if release.path.is_dir() else file.name
