"""Copies of the project in which a bench runs the pipelines, so that the user's own data and configuration stay."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BOOK = Path(os.environ.get("REAL_BOOK") or ROOT.parent / "shared/data/textbooks/pharmacology.pdf")
PIPELINES = ("ingest_textbooks", "generate_questions", "synthesize_cot")


def ran(folder: Path, *options: str) -> bool:
    """Whether the three pipelines end well in a copy of the project."""
    for name in PIPELINES:
        command = [sys.executable, "-m", "kedro", "run", "--pipeline", name, *options]
        done = subprocess.run(
            command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            print(done.stdout[-3000:], file=sys.stderr)
            return False
    return True


def environment(folder: Path) -> dict[str, str]:
    """The environment of a command in a copy of the project."""
    return os.environ | {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}


def copy(folder: Path) -> Path:
    """A copy of the project without the user's own configuration and without data."""
    for part in ("src", "conf", "data/01_raw"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "local", "own_books"))
    shutil.copytree(ROOT / "conf/own_books", folder / "conf/own_books")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "conf/local").mkdir()
    return folder


def put_on_shelf(folder: Path, book: Path) -> None:
    """Let a copy read this one book, in the environment `own_books`."""
    shelf = {book.stem: {"file": str(book), "licence": "its own"}}
    (folder / "conf/local/shelf.yml").write_text(json.dumps(shelf), encoding="utf-8")
