"""Where the teacher's key and prompts go, and where not: `python bench/teacher_privacy.py`.

A small project (three pocket textbooks, a tiny model) is run whole: first with the built-in teacher, then with an
endpoint over HTTP that knows those replies, and that repeats the caller's key in headers, errors and replies. The key
is then searched for in every file of the project but the credentials (Parquet, SQLite and packed files are opened) and
in all output, with the client's own debug log on. The other figure counts what a guard in each process sees of
connections and look-ups of names.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from _figures import say
from _teacher import ROOT

sys.path.insert(0, str(ROOT))
from tests.conftest import Project  # noqa: E402
from tests.teacher.replaying import LEDGER, places_of, replaying  # noqa: E402

KEY = "sk-planted-by-the-bench-4711"
CREDENTIALS = "conf/local/credentials.yml"
FOREIGN = (
    "https://api.openai.com/v1",
    "https://api.elsewhere.example/v1",
    "https://127.0.0.1.elsewhere.example/v1",
    "https://192.0.2.1/v1",
)
PRICES = "teacher.price_in=1,teacher.price_out=1"


def small_project(folder: Path) -> Project:
    """A small project, run once with the built-in teacher."""
    project = Project.small(folder)
    code, said = project.kedro("run")
    if code:
        sys.exit(said)
    return project


def planted_key(project: Project) -> bool:
    """The hits of a search for the key after a run with an endpoint that repeats it."""
    project.configure(credentials=f"teacher: {{api_key: {KEY}}}\n")
    with replaying(project.data / LEDGER) as endpoint:
        params = f"teacher.model=test-model,teacher.base_url={endpoint.url}"
        code, said = project.kedro("run", "--params", params, OPENAI_LOG="debug")
    with closing(sqlite3.connect(project.data / LEDGER)) as db:
        told = db.execute("SELECT count(*) FROM calls WHERE response || tries LIKE '%***%'").fetchone()[0]
    files = sum(file.is_file() for file in project.root.rglob("*"))
    places = [place for place in places_of(KEY, project.root) if place != CREDENTIALS] + ["output"] * (KEY in said)
    print({"files": files, "calls": len(endpoint.seen), "repeated": told, "hits": places}, file=sys.stderr)
    ok = code == 0 and told > 0 and not places
    name = "a planted key searched for in every file of a run, its MLflow store and all output: hits"
    return say(name, len(places), "0", ok, "hits")


def foreign_hosts(project: Project) -> bool:
    """The sockets that are opened where `on_premises` is true and a host is foreign."""
    refused = 0
    for address in FOREIGN:
        for command in (("run",), ("teacher", "probe")):
            params = f"teacher.model=m,teacher.on_premises=true,teacher.base_url={address},{PRICES}"
            code, said = project.kedro(*command, "--params", params, **project.guard())
            refused += code == 1 and said.count("\n") == 1 and "nothing is sent there" in said
    opened, wanted = len(project.connections()), 2 * len(FOREIGN)
    print({"refused": refused, "of": wanted, "connections": project.connections()}, file=sys.stderr)
    name = "on_premises and a foreign host: sockets opened"
    return say(name, opened, "0", opened == 0 and refused == wanted, "sockets")


def main() -> int:
    """The exit status: 0 if both figures met their goals."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        project = small_project(Path(folder))
        return 0 if foreign_hosts(project) & planted_key(project) else 1


if __name__ == "__main__":
    sys.exit(main())
