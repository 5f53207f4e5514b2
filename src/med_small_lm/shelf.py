"""The shelf: which textbooks and exams there are. Adding one is adding an entry to ``shelf.yml`` or ``benchmarks.yml``.

Each of the two files is taken whole from the last of ``conf/base``, the run's environment and ``conf/local`` that has
one. They shape the pipeline (a lane for each book and each exam), so they are read without Kedro.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from med_small_lm.errors import UserError, nearest, yaml_fault
from med_small_lm.textbooks.sources import SUFFIXES, is_source, suffix_of

PROJECT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Entry(BaseModel):
    """What a book and an exam have in common: a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path = Field(description="absolute, or from the project's root")

    @property
    def path(self) -> Path:
        """The file or folder as an absolute path."""
        return self.file if self.file.is_absolute() else PROJECT / self.file


class Book(Entry):
    """One entry of the shelf: a file of any format that can be read, or a folder of them that is read as one lane."""

    title: str = ""
    licence: str = Field(min_length=1, description="under which terms the text may be used; carried by every record")
    password: str = Field("", description="name of the entry in credentials.yml that holds the password")
    language: str = "en"
    source: Literal["book", "paper", "general"] = Field(
        "book", description="book, or what is mixed into the corpus beside the books: paper, general"
    )


class Exam(Entry):
    """One entry of ``benchmarks.yml``: questions as JSON Lines."""

    scored: bool = Field(True, description="whether models are scored on it, beside its use for exemplars and gates")


Kind = TypeVar("Kind", bound=Entry)


def current_env() -> str | None:
    """The environment that this command runs in: ``--env``, else ``KEDRO_ENV``, else none."""
    context = click.get_current_context(silent=True)
    return (context.params.get("env") if context else None) or os.getenv("KEDRO_ENV")


def read_shelf(conf: Path, env: str | None) -> dict[str, Book]:
    """The books by name, each checked: a path that exists, known keys, a name that Kedro can use.

    Raises:
        UserError: The shelf says something wrong; the message names the file and the entry.
    """
    file = _layer(conf, env, "shelf.yml")
    books = _entries(file, Book)
    if not books:
        raise UserError(f"{file}: the shelf is empty; add an entry such as `my_book: {{file: my.pdf, licence: own}}`")
    for name, book in books.items():
        if not _readable(book.path):
            lacks = f"no file in the folder {book.path}" if book.path.is_dir() else f"{book.path.name} is not"
            raise UserError(f"{file}: {name}: {lacks} of a known format: {', '.join(SUFFIXES)}")
    return books


def _readable(path: Path) -> bool:
    return any(map(is_source, path.rglob("*"))) if path.is_dir() else suffix_of(path) in SUFFIXES


def read_exams(conf: Path, env: str | None) -> dict[str, Exam]:
    """The exams by name; there may be none.

    Raises:
        UserError: ``benchmarks.yml`` says something wrong; the message names the file and the entry.
    """
    return _entries(_layer(conf, env, "benchmarks.yml"), Exam)


def _layer(conf: Path, env: str | None, name: str) -> Path:
    """The file of that name that holds: the last of base, environment and local that has one."""
    layers = dict.fromkeys(["base", env or "local", "local"])
    found = [conf / layer / name for layer in layers if (conf / layer / name).is_file()]
    if not found:
        raise UserError(f"there is no {name} in {conf / 'base'}")
    return found[-1]


def _entries(file: Path, kind: type[Kind]) -> dict[str, Kind]:
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as problem:
        raise UserError(f"{file}: not valid YAML: {yaml_fault(problem)}") from problem
    if not isinstance(entries, Mapping) or not all(isinstance(entry, Mapping) for entry in entries.values()):
        raise UserError(f"{file}: expected entries of the form `name: {{file: PATH, ...}}`")
    return {str(name): _entry(file, str(name), entry, kind) for name, entry in entries.items()}


def _entry(file: Path, name: str, entry: Any, kind: type[Kind]) -> Kind:
    if not NAME.fullmatch(name):
        raise UserError(f"{file}: {name!r} is no name: use lower case letters, digits and _")
    try:
        checked = kind.model_validate(entry)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(map(str, first["loc"]))
        unknown = first["type"] == "extra_forbidden"
        said = f"there is no such key{nearest(key, kind.model_fields)}" if unknown else first["msg"]
        raise UserError(f"{file}: {name}.{key}: {said}") from problem
    if not checked.path.exists():
        raise UserError(f"{file}: {name}: there is no file {checked.path}; mend its `file`, or take the entry out")
    return checked


def catalog_entries(books: Mapping[str, Book], exams: Mapping[str, Exam]) -> dict[str, dict[str, Any]]:
    """A catalog entry for each book's PDF and each exam's questions."""
    shelf = {f"ingest_textbooks.{name}.pdf": _pdf(name, book) for name, book in books.items()}
    return shelf | {f"evaluate.{name}.questions": _questions(exam) for name, exam in exams.items()}


def _pdf(name: str, book: Book) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "med_small_lm.datasets.pdf.PdfDataset",
        "filepath": str(book.path),
        "book": name,
        "title": book.title,
        "licence": book.licence,
        "source": book.source,
        "language": book.language,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
    return entry | ({"credentials": book.password} if book.password else {})


def _questions(exam: Exam) -> dict[str, Any]:
    return {
        "type": "med_small_lm.datasets.benchmark.BenchmarkDataset",
        "filepath": str(exam.path),
        "validator": "med_small_lm.schemas.frames.Questions",
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
