"""Which files a library has, how they are cut into shards, and by what a shard is known to be unchanged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pymupdf

from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.rows import SCHEMA_VERSION
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.ocr import missing
from med_small_lm.textbooks.sources import is_source, suffix_of

PACKAGE = Path(__file__).resolve().parents[1]
LONGEST = 4  # times the length that is asked for: where no path's hash ends a shard, this does


@dataclass(frozen=True, slots=True)
class Shard:
    """Files that are read together. ``key`` changes with the files, parameters and code: it names the result."""

    key: str
    files: tuple[SourceFile, ...]


def shards_of(source: SourceFile, params: IngestTextbooks) -> list[Shard]:
    """The shards of a library, in the order of the files' paths; one shard where the source is a file.

    Raises:
        FileNotFoundError: There is no such file or folder.
    """
    if not source.path.is_dir():
        return [_shard([source], source.path.parent, params)]
    return [_shard(files, source.path, params) for files in cut(files_of(source), source.path, params.library.files)]


def files_of(source: SourceFile) -> list[SourceFile]:
    """The files below the source's folder, by path; each book is named ``<lane>/<path without suffix>``.

    Files whose names differ in their suffix alone keep it.
    """
    paths = sorted(path.relative_to(source.path).as_posix() for path in source.path.rglob("*") if is_source(path))
    names = {path: path[: -len(suffix_of(Path(path)))] for path in paths}
    while alike := {name for name, times in Counter(names.values()).items() if times > 1}:
        names = {path: path if name in alike else name for path, name in names.items()}
    return [replace(source, book=f"{source.book}/{names[path]}", path=source.path / path) for path in paths]


def cut(files: Iterable[SourceFile], folder: Path, length: int) -> Iterator[list[SourceFile]]:
    """The files, in order, in runs of about ``length``.

    A run ends behind a file whose path has a certain hash, so a file that comes or goes changes its own run alone, and
    at most parts it or joins it with the next.
    """
    run: list[SourceFile] = []
    for file in files:
        run.append(file)
        ends = int(_digest(_relative(file, folder))[:8], 16) % length == 0
        if ends or len(run) == LONGEST * length:
            yield run
            run = []
    if run:
        yield run


def _shard(files: list[SourceFile], folder: Path, params: IngestTextbooks) -> Shard:
    changes_nothing = {"strict": True, "library": True, "duplicates": True, "workers": {"processes", "pages"}}
    said = params.model_dump_json(exclude=cast(Any, changes_nothing))
    unread = missing(files[0].language, params.reading)  # Tesseract, or its data, may come or go
    known: list[str | int | None] = [SCHEMA_VERSION, code_version(), said, unread]
    for file in files:
        stat = file.path.stat()
        known += [_relative(file, folder), stat.st_size, stat.st_mtime_ns, file.book, file.licence, file.source]
        known += [file.title, file.language, file.password and _digest(file.password)]
    return Shard(_digest(json.dumps(known))[:24], tuple(files))


def _relative(file: SourceFile, folder: Path) -> str:
    return file.path.relative_to(folder).as_posix()


@cache
def code_version() -> str:
    """The code that reads files, as a hash, and the version of what it reads pages with."""
    return pymupdf.VersionBind + code_of(path for path in PACKAGE.rglob("*.py") if path.parent != Path(__file__).parent)


def code_of(files: Iterable[Path]) -> str:
    """A hash of code: what other code has made is made again."""
    return _digest("\0".join(path.read_text(encoding="utf-8") for path in sorted(files)))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
