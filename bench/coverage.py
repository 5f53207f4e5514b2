"""The coverage ledger's figures: `python bench/coverage.py`, about three minutes on two cores.

Two copies of the project: one as it is, and one whose shelf is `REAL_BOOK=path/to/book.pdf` (default:
`../shared/data/textbooks/pharmacology.pdf`; "skipped" without it). In each the passages are made, asked about and
accounted for by the built-in teacher. The ledger's sums are then counted anew from the files of records and from the
teacher's own database, by code that the ledger does not share. There is no peer that accounts for passages.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from _figures import say
from _project import BOOK, copy, put_on_shelf, ran

FILES = ("questions", "cases", "rephrasings", "rationales", "exam_rationales", "refusals", "dialogues", "rewritings",
         "paraphrases")  # fmt: skip
COLUMNS = ["method", "call_id", "gates"]
TASKS = {
    "exam_like": ("question", "question_multi", "question_yes_no"),
    "passage_cot": ("rationale",),
    "gold_shown": ("general_rationale", "optionwise_rationale"),
    "exam_cot": ("exam_rationale",),
    "rewriting": ("clean", "flashcard", "heading"),
}
"""The tasks of a step's calls, where they have other names than the step."""


def stopped_by(gates: Any) -> str:
    """The gate that stopped a record, empty for a kept one."""
    return next((one["gate"] for one in gates if one["verdict"] == "fail"), "")


def accounted(what: str, data: Path) -> bool:
    """The figures of one run."""
    lines = pd.read_parquet(data / "08_reporting/coverage.parquet")
    passages = set(pd.read_parquet(data / "03_primary/passages.parquet")["passage_id"])
    report = pd.read_parquet(data / "03_primary/ingest_report.parquet")
    missing = int((lines["state"] == "missing").sum())
    good = say(f"{what}: lines of the ledger ({len(lines):,}) that miss something", missing, "0", missing == 0, "lines")
    pages = Counter(lines.loc[lines["unit"] == "page", "state"])
    off = abs(pages["kept"] - int(report["pages_kept"].sum())) + abs(pages.total() - int(report["pages"].sum()))
    good &= say(
        f"{what}: pages ({pages.total():,}) that the ledger and the reading disagree on", off, "0", off == 0, "pages"
    )
    names = ["book_exam", *(f"{name}{end}" for name in FILES for end in ("", "_rejected"))]
    files = [pd.read_parquet(data / f"04_feature/{name}.parquet", columns=COLUMNS) for name in names]
    records = pd.concat(files, ignore_index=True)
    records = records[records["call_id"] != ""]  # the others were stopped before anything was asked
    steps = records["method"].str.partition(":")[0]
    gone = (set(lines["step"]) - {"reading", "exercises"}) ^ set(steps)
    good &= say(f"{what}: steps that only the ledger or only the files have", len(gone), "0", not gone, "steps")
    for step, made in records.groupby(steps):
        good &= reconciled(what, str(step), lines[lines["step"] == step], passages, made, data)
    return good


def reconciled(what: str, step: str, own: pd.DataFrame, passages: set[str], made: pd.DataFrame, data: Path) -> bool:
    """The figures of one step: passages without a line, and sums that differ from those of the files."""
    named = set(own.loc[own["unit"] == "passage", "name"])
    without = len(passages ^ named if named else ()) + len(own) - own["name"].nunique()
    good = say(
        f"{what}, {step}: passages of {len(passages):,} without exactly one line",
        without,
        "0",
        without == 0,
        "passages",
    )
    gates = Counter(map(stopped_by, made["gates"]))
    told = Counter({"": int(own["kept"].sum())})
    for stops in own["stopped"]:
        told.update({one["gate"]: one["count"] for one in stops})
    told["reply"] += int(own["failed"].sum())
    off = sum(abs(gates[name] - told[name]) for name in gates | told)
    sums = int((own["made"] != own["kept"] + own["failed"] + own["stopped"].map(total)).sum())
    said = f"{what}, {step}: {gates.total():,} records, {gates['']:,} kept; records counted otherwise, and uneven lines"
    good &= say(said, off + sums, "0", off + sums == 0, "records")
    with closing(sqlite3.connect(data / "02_intermediate/teacher.sqlite")) as ledger:
        tasks = TASKS.get(step, (step,))
        marks = ", ".join("?" * len(tasks))
        paid = {row[0] for row in ledger.execute(f"SELECT call_id FROM calls WHERE task IN ({marks})", tasks)}
    lost = len(paid ^ set(made["call_id"]))
    said = (
        f"{what}, {step}: {own['asked'].sum():,} requests, {len(paid):,} calls; calls without a record, or the reverse"
    )
    return good & say(said, lost, "0", lost == 0, "calls")


def total(stops: Any) -> int:
    """The records that all gates stopped."""
    return sum(one["count"] for one in stops)


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        plain = copy(Path(folder) / "plain")
        good = ran(plain) and accounted("default run", plain / "data")
        if not BOOK.exists():
            say(f"coverage of {BOOK.name}", "skipped", "0", None)
            return 0 if good else 1
        real = copy(Path(folder) / "real")
        put_on_shelf(real, BOOK)
        ended = ran(real, "--env", "own_books")
        return 0 if ended and accounted(BOOK.name, real / "data/own_books") and good else 1


if __name__ == "__main__":
    sys.exit(main())
