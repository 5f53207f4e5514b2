"""Which instruction sets there are to read, and the table of the known ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field

Reader = Literal["messages", "alpaca", "qa", "mts_dialog", "medquad", "liveqa"]
READERS: tuple[Reader, ...] = get_args(Reader)
Rewrite = Literal["", "clean", "flashcard", "heading"]

XML_READERS = ("medquad", "liveqa")
ROW_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


class KnownSet(BaseModel):
    """A set as the table has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reader: Reader
    licence: str
    licence_by: str = ""
    cap: int = Field(ge=0)
    published: int = Field(ge=0)
    published_by: str
    where: Mapping[str, str] = {}
    chats: bool = False


class KnownSets(BaseModel):
    """The table of known sets, with its version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    sets: Mapping[str, KnownSet]


@dataclass(frozen=True, slots=True)
class InstructionSource:
    """An instruction set to read: a file, or a folder of them; the table's version and its count beside.

    Of ``where``'s fields a record of the set has the values. ``chats`` says that people write about themselves in it;
    ``rewrite`` how the teacher rewrites its records before they are trained on, empty for not at all.
    """

    name: str
    path: Path
    reader: str
    licence: str
    cap: int = 0
    where: Mapping[str, str] = field(default_factory=dict)
    chats: bool = False
    published: int = 0
    published_by: str = ""
    manifest: int = 1
    rewrite: Rewrite = ""

    def files(self) -> list[Path]:
        """Returns the files that the reader takes, in the order of their paths."""
        if not self.path.is_dir():
            return [self.path]
        return sorted(path for path in self.path.rglob("*") if path.suffix.lower() in suffixes_of(self.reader))

    def place(self, file: Path, line: int) -> str:
        """Returns where a record stands, as its parent's id: the file, from the set's folder, and the line."""
        return f"{file.relative_to(self.path) if self.path.is_dir() else file.name}:{line}"


@cache
def known_sets() -> KnownSets:
    """Returns the table of known sets."""
    table: Any = yaml.safe_load((files(__package__) / "sets.yml").read_text(encoding="utf-8"))
    return KnownSets.model_validate(table)


def suffixes_of(reader: str) -> tuple[str, ...]:
    """Returns the suffixes of files that a reader takes, in lower case."""
    return (".xml",) if reader in XML_READERS else ROW_SUFFIXES
