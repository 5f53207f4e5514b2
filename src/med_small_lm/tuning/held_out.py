"""The held-out texts of a training as files beside its rows, and how they are measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from med_small_lm.schemas.rows import Perplexity
from med_small_lm.tuning.packing import Documents
from med_small_lm.tuning.perplexity import Text, measured

HELD_OUT = "held_out"
START = "losses_at_start.npy"
HeldOut: TypeAlias = dict[tuple[str, str], list[Text]]
"""Texts by source and book."""


def write_held_out(texts: Mapping[tuple[str, str], Sequence[Sequence[int]]], data: Path) -> None:
    """Leaves held-out texts, as token ids by source and book, in ``data``."""
    Documents.of([ids for own in texts.values() for ids in own]).write(data, HELD_OUT)
    named = [[source, book, sum(1 for ids in own if len(ids))] for (source, book), own in texts.items()]
    (data / f"{HELD_OUT}.json").write_text(json.dumps(named), encoding="utf-8")


def read_held_out(data: Path) -> HeldOut:
    """Returns what ``write_held_out`` left."""
    documents, told, place = Documents.read(data, HELD_OUT), HeldOut(), 0
    for source, book, n in json.loads((data / f"{HELD_OUT}.json").read_text(encoding="utf-8")):
        told[source, book] = [Text(documents[at]) for at in range(place, place + n)]
        place += n
    return told


def look_at(model: Any, texts: HeldOut, stage: str, step: int, seed: int, data: Path) -> list[Perplexity]:
    """Returns the perplexities of a model on held-out texts, against those at the stage's start."""
    return measured(model, texts, stage, step, seed, data / START) if any(texts.values()) else []


def of_source(rows: Sequence[Perplexity], source: str) -> float:
    """Returns the perplexity of a source as a whole, nan if it was not measured."""
    return next((row.perplexity for row in rows if row.source == source and not row.book), math.nan)
