"""The wordings of ``wordings.yml``: statements for the books, stems for the exam."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

N_ONE_LINERS = 3


@dataclass(frozen=True, slots=True)
class Wordings:
    """The wordings of one attribute of one kind: statements with {S} and {V}, stems with {S} and perhaps slots."""

    statements: tuple[str, ...]
    stems: tuple[str, ...]


def load_yaml(name: str) -> Any:
    """The content of one of this package's YAML files."""
    return yaml.safe_load(files("med_small_lm.pocket").joinpath(name).read_text(encoding="utf-8"))


def _load() -> dict[str, dict[str, Wordings]]:
    """All wordings by kind and attribute."""
    return {
        kind: {name: Wordings(tuple(w["statements"]), tuple(w["stems"])) for name, w in attributes.items()}
        for kind, attributes in load_yaml("wordings.yml").items()
    }


WORDINGS = _load()
GROUPS = tuple((kind, attribute) for kind, attributes in WORDINGS.items() for attribute in attributes)


def statement(kind: str, attribute: str, subject: str, value: str, wording: int) -> str:
    """The fact as a sentence, in the given wording (counted round and round)."""
    wordings = WORDINGS[kind][attribute].statements
    return capitalised(wordings[wording % len(wordings)].replace("{S}", subject).replace("{V}", value))


def capitalised(text: str) -> str:
    """The text with a capital first letter, the rest as it was."""
    return text[:1].upper() + text[1:]


def stable_hash(*parts: str) -> int:
    """A number below 2**64 that depends on the parts alone, the same on every machine and in every run."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")
