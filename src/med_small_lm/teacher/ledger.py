"""The ledger: every call to a teacher, written down before it leaves and completed when it returns.

SQLite in WAL mode. A commit survives the death of the process at any moment (SIGKILL): a row is either pending, and
the call is made again, or complete, and it never is.

    begin()   status pending, the request  ──► the call leaves
    finish()  status ok/…, the response    ◄── the call returned
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from med_small_lm.teacher.requests import OK, TeacherError

VERSION = 1
PENDING = "pending"
ERROR = "error"
ANSWERED = (OK, "invalid", "length", "content_filter", "refusal")
"""States in which the endpoint gave a whole reply: it is paid for, and asking again would buy the same."""

_COLUMNS = (
    "call_id", "task", "model", "sample", "parent", "status", "reason", "request", "response", "usage", "cost",
    "attempts", "causes", "created", "finished",
)  # fmt: skip
_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    call_id  TEXT PRIMARY KEY,
    task     TEXT NOT NULL,
    model    TEXT NOT NULL,
    sample   INTEGER NOT NULL,
    parent   TEXT NOT NULL,     -- of a repair: the call whose reply it puts right
    status   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    request  TEXT NOT NULL,     -- raw, JSON
    response TEXT NOT NULL,     -- raw, JSON; empty while pending
    usage    TEXT NOT NULL,     -- the server's count of tokens, JSON
    cost     REAL NOT NULL,
    attempts INTEGER NOT NULL,
    causes   TEXT NOT NULL,     -- why attempts before the last one failed, JSON
    created  REAL NOT NULL,     -- seconds since 1970
    finished REAL NOT NULL      -- 0 while pending
) WITHOUT ROWID"""
_PUT = f"INSERT OR REPLACE INTO calls ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LOOKUP_BATCH = 500  # SQLite takes 999 variables in one statement on old builds


@dataclass(slots=True)
class Call:
    """One row of the ledger; ``request`` and ``response`` are raw JSON text."""

    call_id: str
    task: str
    model: str
    sample: int
    request: str
    parent: str = ""
    status: str = PENDING
    reason: str = ""
    response: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    cost: float = 0.0
    attempts: int = 0
    causes: list[str] = field(default_factory=list)
    created: float = 0.0
    finished: float = 0.0

    @property
    def answered(self) -> bool:
        """Return whether the endpoint gave a whole reply, so that the call is never made again."""
        return self.status in ANSWERED


class Ledger:
    """An open ledger. One process may write at a time; others may read."""

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time) -> None:
        """Open the ledger at ``path``, or make it.

        Raises:
            TeacherError: The file is no ledger, is damaged, is locked, or has another version.
        """
        self.path = Path(path)
        self._clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, check_same_thread=False)
            self._prepare()

    def _prepare(self) -> None:
        """Set WAL mode and make the table, once the version is known to be ours."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version != VERSION and tables:
            self._db.close()
            raise TeacherError(f"the ledger {self.path} has version {version}; this program writes version {VERSION}")
        self._db.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses nothing when the process dies; only a power failure can take the last commits.
        self._db.execute("PRAGMA synchronous = NORMAL")
        with self.batch():
            self._db.execute(_TABLE)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into one that says which file is meant and what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise TeacherError(f"the ledger {self.path} cannot be used: {error}; does another run hold it?") from error
        except sqlite3.DatabaseError as error:
            raise TeacherError(
                f"the ledger {self.path} is damaged or no ledger: {error}; move it aside, or restore a copy"
            ) from error

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Commit all that is written inside at once: either all of it is kept or none."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def lookup(self, call_ids: Iterable[str]) -> dict[str, Call]:
        """Return the rows that are known among ``call_ids``, pending ones too."""
        ids = list(dict.fromkeys(call_ids))
        found: dict[str, Call] = {}
        with self._explained():
            for start in range(0, len(ids), _LOOKUP_BATCH):
                part = ids[start : start + _LOOKUP_BATCH]
                marks = ",".join("?" * len(part))
                rows = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM calls WHERE call_id IN ({marks})", part)
                found.update((row[0], _from_row(row)) for row in rows)
        return found

    def begin(self, call: Call) -> None:
        """Write a call that is about to leave."""
        call.status, call.created = PENDING, self._clock()
        self._put([call])

    def finish(self, call: Call) -> None:
        """Complete a call that returned, or that was given up."""
        call.finished = self._clock()
        self._put([call])

    def record(self, calls: Sequence[Call]) -> None:
        """Write calls that were made and answered in this process in one commit; they cost nothing to make again."""
        now = self._clock()
        for call in calls:
            call.created = call.finished = now
        with self.batch():
            self._put(calls)

    def calls(self) -> Iterator[Call]:
        """Yield every row, for reports and exports."""
        with self._explained():
            for row in self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM calls ORDER BY created, call_id"):
                yield _from_row(row)

    def close(self) -> None:
        """Close the file; what was written is kept."""
        self._db.close()

    def _put(self, calls: Sequence[Call]) -> None:
        with self._explained():
            self._db.executemany(_PUT, [_to_row(call) for call in calls])


def _to_row(call: Call) -> tuple[Any, ...]:
    values: Mapping[str, Any] = {name: getattr(call, name) for name in _COLUMNS}
    return tuple(json.dumps(v) if name in ("usage", "causes") else v for name, v in values.items())


def _from_row(row: Sequence[Any]) -> Call:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["usage"], values["causes"] = json.loads(values["usage"]), json.loads(values["causes"])
    return Call(**values)
