"""The ledger: every call to a teacher, written down before it leaves and completed when it returns.

SQLite in WAL mode. A commit survives the death of the process at any moment (SIGKILL): a row is either pending, and
the call is made again, or complete, and it never is.

    begin()   status pending, the request   ──► the call leaves
    failed()  still pending, with the cause ◄── a try failed: begin() again, or finish() as lost
    finish()  status ok/…, the response     ◄── the call returned
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from med_small_lm.teacher.calls import ANSWERED, BATCHES, CALLS, PENDING, TABLES, Call, OpenBatch
from med_small_lm.teacher.requests import TeacherError

VERSION = 2
_LOOKUP_BATCH = 500  # SQLite takes 999 variables in one statement on old builds


class Ledger:
    """An open ledger. One process may ask at a time (``alone``); others may read."""

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time, wait: float = 5.0) -> None:
        """Open the ledger at ``path``, or make it; wait at most ``wait`` seconds for another writer.

        Raises:
            TeacherError: The file is no ledger, is damaged, is locked, or was written by a newer version.
        """
        self.path = Path(path)
        self._clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._db = sqlite3.connect(self.path, timeout=wait, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        """Set WAL mode and make the tables, once the version is known to be ours or an older one."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and not 1 <= version <= VERSION:
            raise TeacherError(
                f"the ledger {self.path} has version {version}; this program reads versions 1 to {VERSION}: "
                "use the program that wrote it, or move the file aside"
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses nothing when the process dies; only a power failure can take the last commits.
        self._db.execute("PRAGMA synchronous = NORMAL")
        if version == VERSION:
            return
        with self.batch():
            if version == 1:
                self._from_version_1()
            for statement in TABLES.split(";\n"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _from_version_1(self) -> None:
        """Turn the plain causes of version 1 into tries."""
        self._db.execute("ALTER TABLE calls RENAME COLUMN causes TO tries")
        rows = self._db.execute("SELECT call_id, tries FROM calls WHERE tries != '[]'").fetchall()
        tries = [(json.dumps([{"cause": cause} for cause in json.loads(old)]), key) for key, old in rows]
        self._db.executemany("UPDATE calls SET tries = ? WHERE call_id = ?", tries)

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
    def alone(self) -> Iterator[None]:
        """Hold the ledger while calls are made: two processes would both pay for what neither has found in it.

        Raises:
            TeacherError: Another one asks. A killed process holds nothing.
        """
        lock = FileLock(f"{self.path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as problem:
            raise TeacherError(
                f"the ledger {self.path} is held by a run or notebook that asks: wait for it"
            ) from problem
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Commit all that is written inside at once: either all of it is kept or none."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk, say, ends it by itself
                    self._db.execute("ROLLBACK")
                raise

    def lookup(self, call_ids: Iterable[str]) -> dict[str, Call]:
        """Return the rows that are known among ``call_ids``, pending ones too."""
        return {row[0]: CALLS.read(row) for row in self._rows(CALLS.get, call_ids)}

    def answered(self, call_ids: Iterable[str]) -> set[str]:
        """Return those of ``call_ids`` that have an answer, without reading it."""
        found = self._rows("SELECT call_id, status FROM calls", call_ids)
        return {call_id for call_id, status in found if status in ANSWERED}

    def _rows(self, select: str, call_ids: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        ids = list(dict.fromkeys(call_ids))
        with self._explained():
            for start in range(0, len(ids), _LOOKUP_BATCH):
                part = ids[start : start + _LOOKUP_BATCH]
                marks = ",".join("?" * len(part))
                yield from self._db.execute(f"{select} WHERE call_id IN ({marks})", part)

    def begin(self, calls: Sequence[Call]) -> None:
        """Write calls that are about to leave, in one commit."""
        for call in calls:
            call.status, call.attempts = PENDING, call.attempts + 1
            call.created = call.created or self._clock()
        self._put(calls)

    def failed(self, call: Call, cause: str, *, cost: float = 0.0, **known: Any) -> None:
        """Write that a try of ``call`` failed; the call stays pending until it is finished or leaves again."""
        call.tries.append({"cause": cause, "cost": cost, **known})
        call.cost += cost
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
        self._put(calls)

    def add(self, calls: Iterable[Call]) -> int:
        """Return how many of ``calls`` were new; an answer replaces a row that has none, and never another answer."""
        new = 0
        with self.batch():
            for call in calls:
                known = self.lookup([call.call_id]).get(call.call_id)
                if known is None or (call.answered and not known.answered):
                    self._db.execute(CALLS.put, CALLS.values(call))
                    new += 1
        return new

    def put_batch(self, batch: OpenBatch) -> None:
        """Write a batch, new or changed."""
        batch.created = batch.created or self._clock()
        if batch.status != "open":
            batch.finished = self._clock()
        with self._explained():
            self._db.execute(BATCHES.put, BATCHES.values(batch))

    def open_batches(self, endpoint: str, model: str) -> list[OpenBatch]:
        """Return the batches at an endpoint whose results are not in the calls yet, oldest first."""
        with self._explained():
            rows = self._db.execute(
                f"{BATCHES.get} WHERE status = 'open' AND endpoint = ? AND model = ? ORDER BY created, batch_id",
                (endpoint, model),
            ).fetchall()
        return [BATCHES.read(row) for row in rows]

    def calls(self) -> Iterator[Call]:
        """Yield every row, oldest first, for reports and exports."""
        with self._explained():
            for row in self._db.execute(f"{CALLS.get} ORDER BY created, call_id"):
                yield CALLS.read(row)

    def spent(self) -> float:
        """Return what all calls cost so far, in the currency of the prices."""
        with self._explained():
            return float(self._db.execute("SELECT total(cost) FROM calls").fetchone()[0])

    def mean_costs(self, model: str) -> dict[str, float]:
        """Return what a call of each task cost in the mean; tasks whose calls cost nothing are left out."""
        with self._explained():
            means = "SELECT task, avg(cost) FROM calls WHERE model = ? AND cost > 0 GROUP BY task"
            return dict(self._db.execute(means, (model,)).fetchall())

    def close(self) -> None:
        """Close the file; what was written is kept."""
        self._db.close()

    def _put(self, calls: Sequence[Call]) -> None:
        with self.batch():
            self._db.executemany(CALLS.put, map(CALLS.values, calls))
