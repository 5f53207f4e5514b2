"""How faithfully passages give a book back: `python bench/ingest_fidelity.py [BOOK ...]`, every book if none is named.

Needs real books with their truth, `NAME.pdf` and `NAME.truth.jsonl` in `BOOKS=folder` (default:
`../shared/data/textbooks`), and the check `CHECK=file` (default: `../shared/checks/textbook_fidelity.py`); says
"skipped" without them. `NAME.exam.jsonl` holds the book's own questions. The peer is PyMuPDF's `get_text("text")`, a
passage a page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pymupdf
from _tables import squeeze, table_cells

from med_small_lm.params.ingest_textbooks import IngestTextbooks
from med_small_lm.schemas.rows import Question
from med_small_lm.textbooks import SourceFile, read_file

SHARED = Path(__file__).resolve().parents[2] / "shared"
BOOKS = Path(os.environ.get("BOOKS", SHARED / "data/textbooks"))
CHECK = Path(os.environ.get("CHECK", SHARED / "checks/textbook_fidelity.py"))
USUAL = ("anatomy_physiology", "nutrition", "pharmacology")  # said to be skipped where they are absent
GOALS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "intact": (">= 0.985", lambda x: x >= 0.985),
    "order": (">= 0.999", lambda x: x >= 0.999),
    "noise": ("<= 0.01", lambda x: x <= 0.01),
    "repeated": ("<= 0.002", lambda x: x <= 0.002),
    "section": (">= 0.98", lambda x: x >= 0.98),
    "page": (">= 0.995", lambda x: x >= 0.995),
    "cells of tables in their row": (">= 0.90", lambda x: x >= 0.90),
    "own questions recovered with stem, options and key": (">= 0.95", lambda x: x >= 0.95),
    "keys right of those": (">= 0.99", lambda x: x >= 0.99),
}
TABLES, RECOVERED, RIGHT = list(GOALS)[-3:]


def say(book: str, name: str, value: float, peer: float | None = None) -> bool:
    """Print one figure as a JSON line; return whether it met its goal."""
    goal, met = GOALS[name]
    ok = met(value)
    line = {"figure": f"{book}: {name}", "value": round(value, 5), "unit": "share", "goal": goal}
    ratio = round(value / peer, 3) if peer else None
    print(json.dumps(line | {"peer": peer, "ratio": ratio, "ok": ok}), flush=True)
    return ok


def skip(book: str, why: str) -> bool:
    """Print that a book was not measured; return True."""
    line: dict[str, Any] = {"figure": f"{book}: fidelity", "value": "skipped", "unit": why, "goal": "see the books"}
    print(json.dumps(line | {"peer": None, "ratio": None, "ok": None}), flush=True)
    return True


def fidelity(frame: pd.DataFrame, book: str) -> dict[str, float]:
    """What the check says of passages, by figure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "passages.parquet"
        frame.to_parquet(path)
        command = [sys.executable, CHECK, path, BOOKS / f"{book}.truth.jsonl", "--pdf", BOOKS / f"{book}.pdf"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in told.splitlines()]
    return {name: float(value) for name, value, *_ in rows if value != "none"}


def plain(book: str) -> pd.DataFrame:
    """The peer's passages: a page's text each."""
    with pymupdf.open(BOOKS / f"{book}.pdf") as document:
        return pd.DataFrame({"ordinal": range(len(document)), "text": [page.get_text("text") for page in document]})


def exam(book: str, questions: list[Question]) -> tuple[float, float]:
    """The share of the book's own questions that were recovered, and of those the share with the right key."""
    lines = (BOOKS / f"{book}.exam.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {_asked(item["question"], item["options"]): item["answer"].upper() for item in map(json.loads, lines)}
    found = {_asked(x.stem, [option.text for option in x.options]): "".join(x.answer_keys) for x in questions}
    right = [found[asked] == answer for asked, answer in truth.items() if asked in found]
    return len(right) / len(truth), sum(right) / max(1, len(right))


def _asked(stem: str, options: list[str]) -> tuple[str, ...]:
    return (squeeze(stem), *map(squeeze, options))


def measure(book: str) -> bool:
    """Whether every figure of a book met its goal."""
    if not (BOOKS / f"{book}.pdf").exists() or not (BOOKS / f"{book}.truth.jsonl").exists():
        return skip(book, f"no {book}.pdf with its truth in {BOOKS}")
    if not CHECK.exists():
        return skip(book, f"no {CHECK}")
    read = read_file(SourceFile(book, BOOKS / f"{book}.pdf", "as the book says"), IngestTextbooks())
    if not read.passages:
        print(f"{book}: {read.report.status}, {read.report.reason}", file=sys.stderr)
    frame = pd.DataFrame([{name: getattr(p, name) for name in p.__slots__} for p in read.passages])
    frame = frame.drop(columns="also_in", errors="ignore")
    peer = fidelity(plain(book), book)
    met = [say(book, name, value, peer.get(name)) for name, value in fidelity(frame, book).items()]
    standing, cells = table_cells([p.text for p in read.passages], BOOKS / f"{book}.truth.jsonl")
    if cells:
        met.append(say(book, TABLES, standing / cells))
    if (BOOKS / f"{book}.exam.jsonl").exists():
        met += [
            say(book, name, value) for name, value in zip((RECOVERED, RIGHT), exam(book, read.exercises), strict=True)
        ]
    return all(met)


if __name__ == "__main__":
    there = sorted(path.name.removesuffix(".truth.jsonl") for path in BOOKS.glob("*.truth.jsonl"))
    names = sys.argv[1:] or there or list(USUAL)
    sys.exit(0 if all([measure(name) for name in names]) else 1)
