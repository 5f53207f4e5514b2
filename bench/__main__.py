"""Run the scripts of this folder and write what they measured into docs/measurements.md.

``python bench`` runs all of them; ``python bench main_job`` only that one, and leaves the document alone. A script
prints one JSON line a figure, ``{"figure", "value", "unit", "goal", "peer", "ratio", "ok"}``, and exits 1 if one falls
short; so does this.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "measurements.md"
COLUMNS = ("figure", "value", "unit", "goal", "peer", "ratio", "ok")
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
SKELETON = f"# Measurements\n\nWritten by `make bench`.\n\n{BEGIN}\n{END}\n"


def run(script: Path) -> tuple[list[dict[str, Any]], bool]:
    """The figures that a script printed, its output passed on as it comes, and whether it ended well."""
    figures = []
    with subprocess.Popen(
        [sys.executable, "-u", str(script)], cwd=HERE.parent, stdout=subprocess.PIPE, text=True
    ) as job:
        for line in job.stdout or ():
            print(line, end="", flush=True)
            if line.startswith('{"figure"'):
                figures.append({"script": script.stem, **json.loads(line)})
    return figures, job.returncode == 0


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def table(figures: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table, under a line that says where and when they were taken."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    where = f"{date.today()}, {machine}, Python {platform.python_version()}"
    rows = [" | ".join(cell(figure.get(name)) for name in ("script", *COLUMNS)) for figure in figures]
    head = ["script | " + " | ".join(COLUMNS), " | ".join("---" for _ in range(len(COLUMNS) + 1))]
    return f"{where}\n\n" + "\n".join(f"| {row} |" for row in head + rows)


def write(text: str) -> None:
    """Return nothing; put ``text`` between the document's two marks, by a file aside that takes its place."""
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else SKELETON
    new = re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{text}\n{END}", old, flags=re.DOTALL)
    DOCUMENT.parent.mkdir(exist_ok=True)
    aside = DOCUMENT.with_suffix(".part")
    aside.write_text(new, encoding="utf-8")
    aside.replace(DOCUMENT)


def main(names: list[str]) -> int:
    """The exit status: 0 if every script ended well, 1 otherwise, 2 for a name that is no script."""
    scripts = {path.stem: path for path in sorted(HERE.glob("*.py")) if not path.stem.startswith("_")}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        print(
            f"no such script in bench/: {', '.join(unknown)}; there are {', '.join(scripts) or 'none'}", file=sys.stderr
        )
        return 2
    figures, failed = [], []
    for name in names or scripts:
        print(f"bench/{name}.py", flush=True)
        found, well = run(scripts[name])
        figures += found
        failed += [] if well else [name]
    if not names:
        write(table(figures))
        print(f"written: {DOCUMENT.relative_to(HERE.parent)}")
    if failed:
        print(f"fell short: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
