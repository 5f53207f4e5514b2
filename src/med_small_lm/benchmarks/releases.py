"""The files of a benchmark's release as records, one after another, each with the place that it stands at."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.task import SCORED, TEST, Task
from med_small_lm.record_files import Row, rows_of
from med_small_lm.schemas.rows import Question

LOG = logging.getLogger(__name__)

SHOWN = 200
"""Characters of a record that its fault shows."""
PEEKED = 20
"""Records of a file's beginning of which one at least must have the fields of the release."""
_NO_RECORDS = "dataset_info*"
"""What the hub's tools leave beside the files of a data set."""


class Unusable(ValueError):
    """Why no question can be made of a record."""


class PassedOver(Exception):
    """What a record is that the task does not take: it is counted, and no fault of the release."""


@dataclass(frozen=True, slots=True)
class Found:
    """A question of a release and where it stands; or, without one, why there is none."""

    file: Path
    line: int
    question: Question | None = None
    reason: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its fields, where it stands, and its ``number`` among those of its file, from 1.

    ``place`` names the file among those of its release.
    """

    release: Release
    file: Path
    line: int
    split: str
    place: str
    number: int
    fields: Mapping[str, Any]

    def unusable(self, reason: str) -> Found:
        """The record as one of which no question can be made."""
        shown = json.dumps(self.fields, ensure_ascii=False, default=str)[:SHOWN]
        return Found(self.file, self.line, reason=reason, text=shown)

    def found(self, question: Question) -> Found:
        """The record's question, with its place."""
        return Found(self.file, self.line, question)

    def id(self, own: str = "") -> str:
        """The question's id: the exam, the file, and the record's ``own`` id there, or else its number."""
        return f"{self.release.exam}-{self.place}-{own or f'{self.number:05}'}"

    def has(self, *names: str) -> bool:
        """Whether the record has all of these fields."""
        return all(name in self.fields for name in names)

    def text(self, name: str) -> str:
        """A text field, stripped.

        Raises:
            Unusable: It is missing, empty, or no text.
        """
        value = self.fields.get(name)
        if value is None:
            raise Unusable(f"no field {name}")
        if not isinstance(value, str) or not value.strip():
            raise Unusable(f"the field {name} is {'empty' if isinstance(value, str) else 'no text'}")
        return value.strip()

    def told(self, name: str) -> str:
        """A text or number, stripped, or several of them in one; nothing where it is missing or empty.

        Raises:
            Unusable: It is an object, or a list of others than these.
        """
        value = self.fields.get(name)
        parts = value if isinstance(value, list) else [value]
        if not all(part is None or isinstance(part, str | int | float) for part in parts):
            raise Unusable(f"the field {name} is no text")
        return "; ".join(str(part).strip() for part in parts if part is not None and part == part)  # NaN is not itself

    def listed(self, name: str) -> Sequence[Any]:
        """A list; empty where it is missing.

        Raises:
            Unusable: It is something else.
        """
        value = self.fields.get(name)
        if value is not None and not isinstance(value, list):
            raise Unusable(f"the field {name} is no list")
        return value or []


@dataclass(frozen=True, slots=True)
class Release:
    """The files of one benchmark: a file, or a folder of which the scored splits are read unless others are named.

    ``exam`` is its name in ``benchmarks.yml``; ``fields`` are the names that it maps.
    """

    task: Task
    exam: str
    path: Path
    fields: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[str, ...] = ()

    def files(self) -> list[Path]:
        """The files that may hold questions, by their paths."""
        if not self.path.is_dir():
            return [self.path]
        return [path for path in visible(self.path) if self._takes(path)]

    def _takes(self, path: Path) -> bool:
        """Whether the task takes a file: the first pattern that fits its place decides."""
        place = path.relative_to(self.path).as_posix().lower()
        if path.suffix.lower() not in self.task.suffixes or fnmatch(path.name, _NO_RECORDS):
            return False
        first = next((one for one in self.task.files if fnmatch(place, one.lstrip("!"))), "!")
        return not first.startswith("!")

    def split_of(self, file: Path) -> str:
        """The split that the words of a file's name say, the last of them first; ``test`` where none does."""
        place = file.relative_to(self.path).as_posix() if self.path.is_dir() else file.name
        words = re.split(r"[^a-z]+", place.lower())
        return next((self.task.splits[word] for word in reversed(words) if word in self.task.splits), TEST)

    def read_files(self) -> list[Path]:
        """The files of the splits that are read."""
        return [file for file in self.files() if self.wants(self.split_of(file))]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The splits that are read; empty for all, as of a file that is named by itself."""
        return self.splits or (SCORED if self.path.is_dir() else ())

    def wants(self, split: str) -> bool:
        """Whether the questions of a split are read."""
        return not self.wanted or split in self.wanted

    def field(self, role: str) -> str:
        """The name of the field that holds what ``role`` names; empty where there is none."""
        default = self.task.fields[role].lstrip("?.")
        return self.fields.get(role, default)

    def records(self) -> Iterator[Record | Found]:
        """The records of all files; what is malformed, and a file that cannot be read, is found without a question."""
        places = self._places()
        for file in self.read_files():
            split = self.split_of(file)
            for number, row in enumerate(_read(file, self.task.rows or rows_in), start=1):
                if row.fault:
                    yield Found(file, row.line, reason=row.fault)
                else:
                    yield Record(self, file, row.line, split, places[file], number, row.fields)

    def _places(self) -> dict[Path, str]:
        """The files' names without suffix; with their folders where several have one name."""
        files = self.files()
        stems = Counter(file.stem for file in files)
        return {
            file: file.stem if stems[file.stem] == 1 else "-".join(file.relative_to(self.path).with_suffix("").parts)
            for file in files
        }


def visible(folder: Path) -> list[Path]:
    """The files of a folder and of those below it, by their paths, but hidden ones and those of hidden folders."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _read(file: Path, rows: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    """The rows of a file; one that cannot be opened or decoded, or holds none, is a row with a fault."""
    held = False
    try:
        for row in rows(file):
            held = True
            yield row if row.fault or _is_text(row.fields) else Row(row.line, fault="the text is not UTF-8")
    except OSError as error:
        yield Row(1, fault=f"the file cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError) as error:
        yield Row(1, fault=f"the file is not what its name says: {error}")
    else:
        if not held:
            yield Row(1, fault="the file holds no record")


def _is_text(fields: Mapping[str, Any]) -> bool:
    """Whether a record can be written again: half a surrogate pair stands for bytes that are no UTF-8."""
    try:
        json.dumps(fields, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def rows_in(file: Path) -> Iterator[Row]:
    """The records of a file of any suffix of ``RECORD_SUFFIXES``.

    Beside those of ``rows_of``, JSON of one object: columns (``{"question": {"0": ...}}``), records by their ids,
    which stand in ``_key``, or a single record.

    Raises:
        ValueError: The file is no such JSON.
    """
    if file.suffix.lower() == ".json" and _is_object(file):
        held = json.loads(file.read_bytes().decode("utf-8-sig"))
        for number, record in enumerate(_unfolded(held), start=1):
            yield Row(number, record)
    else:
        yield from rows_of(file)


def _is_object(file: Path) -> bool:
    """Whether JSON is one object over all of the file, not one a line."""
    with file.open("rb") as lines:
        first = lines.readline().removeprefix(b"\xef\xbb\xbf").strip()
        rest = any(line.strip() for line in lines)
    if not first.startswith(b"{"):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return not rest


def _unfolded(held: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records of one JSON object."""
    parts = list(held.values())
    if parts and all(isinstance(part, Mapping) for part in parts):
        keys = [list(part) for part in parts]
        if keys[0] == [str(n) for n in range(len(keys[0]))] and all(one == keys[0] for one in keys):
            for row in keys[0]:
                yield {name: column[row] for name, column in held.items()}
        else:
            for key, record in held.items():
                yield {"_key": key, **record}
    elif parts and all(isinstance(part, list) for part in parts) and len({len(part) for part in parts}) == 1:
        for values in zip(*parts, strict=True):
            yield dict(zip(held, values, strict=True))
    else:
        yield held


def by_record(make: Callable[[Record], Question]) -> Callable[[Release], Iterator[Found]]:
    """A task's reader that makes one question of each record; those that it passes over are counted in the log."""

    def read(release: Release) -> Iterator[Found]:
        passed = Counter[str]()
        for record in release.records():
            if isinstance(record, Found):
                yield record
                continue
            try:
                question = make(record)
            except Unusable as why:
                yield record.unusable(str(why))
                continue
            except PassedOver as what:
                passed[str(what)] += 1
                continue
            if release.wants(question.split):
                yield record.found(question)
        if passed:
            told = ", ".join(f"{count} of {what}" for what, count in passed.most_common())
            LOG.info("%s: records that are passed over: %s", release.exam, told)

    return read


def missing_fields(release: Release) -> tuple[str, str] | None:
    """A field that none of the first records has, and those that they have; None where one record is whole.

    Where nothing can be read, nothing is told: the file is set aside when it is.
    """
    forms = _forms(release)
    first: Record | None = None
    for record in islice(release.records(), PEEKED):
        if isinstance(record, Found):
            continue
        if any(record.has(*form) for form in forms):
            return None
        first = first or record
    if first is None or not forms:
        return None
    nearest = min(forms, key=lambda form: sum(not first.has(name) for name in form))
    lacking = next(name for name in nearest if not first.has(name))
    return lacking, ", ".join(map(str, first.fields))


def _forms(release: Release) -> Sequence[tuple[str, ...]]:
    if release.task.fields:
        roles = [
            role
            for role, name in release.task.fields.items()
            if not name.startswith(".") and (not name.startswith("?") or role in release.fields)
        ]
        return [tuple(name for role in roles if (name := release.field(role)))]
    return release.task.forms
