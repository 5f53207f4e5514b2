"""Files of entries by name: which layer's holds, and what every entry must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from med_small_lm.errors import UserError, nearest, yaml_fault

PROJECT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Entry(BaseModel):
    """What all entries have in common: a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path = Field(description="absolute, or from the project's root")

    @property
    def path(self) -> Path:
        """The file or folder as an absolute path."""
        return self.file if self.file.is_absolute() else PROJECT / self.file


Kind = TypeVar("Kind", bound=Entry)


def layer(conf: Path, env: str | None, name: str) -> Path:
    """The file of that name that holds: the last of base, environment and local that has one.

    Raises:
        UserError: None has it.
    """
    layers = dict.fromkeys(["base", env or "local", "local"])
    found = [conf / layer / name for layer in layers if (conf / layer / name).is_file()]
    if not found:
        raise UserError(f"there is no {name} in {conf / 'base'}")
    return found[-1]


def entries_of(file: Path, kind: type[Kind]) -> dict[str, Kind]:
    """The entries of a file by name, each checked: known keys, a name that Kedro can use, a file that is there.

    Raises:
        UserError: An entry says something wrong; the message names the file and the entry.
    """
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
