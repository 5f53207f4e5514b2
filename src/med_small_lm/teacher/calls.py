"""The rows of the ledger: calls and batches, and how SQLite holds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from med_small_lm.teacher.requests import OK

PENDING = "pending"
ERROR = "error"
ANSWERED = (OK, "invalid", "length", "content_filter", "refusal")
"""States in which the endpoint gave a whole reply: it is paid for, and is never asked for again under the same key."""
ENDED = "the process ended before the reply"
"""The cause of a try that a killed process left behind: whether it was answered, and paid for, is not known."""

TABLES = """
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
    attempts INTEGER NOT NULL,  -- tries that left, the last one too
    tries    TEXT NOT NULL,     -- those that failed, JSON: endpoint, cause, seconds, cost if the server named any
    created  REAL NOT NULL,     -- seconds since 1970
    finished REAL NOT NULL      -- 0 while pending
) WITHOUT ROWID;
-- sums read the index alone, and not the texts
CREATE INDEX IF NOT EXISTS costs ON calls (model, task, cost);
CREATE TABLE IF NOT EXISTS batches (
    batch_id TEXT PRIMARY KEY,  -- ours, written into the batch that is made, so that it is found again
    remote   TEXT NOT NULL,     -- the endpoint's name for it; empty until it has one
    endpoint TEXT NOT NULL,
    model    TEXT NOT NULL,
    status   TEXT NOT NULL,     -- open until its results are in the calls, then as the endpoint says
    calls    TEXT NOT NULL,     -- call_ids, JSON
    created  REAL NOT NULL,
    finished REAL NOT NULL
) WITHOUT ROWID;
"""
_JSON = ("usage", "tries", "calls")


@dataclass(slots=True)
class Call:
    """One row of the ledger; ``request`` and ``response`` are raw JSON text.

    ``tries`` are the attempts that failed: each with its ``cause``, and where they are known the ``endpoint``, the
    ``seconds`` that it took and the ``cost`` that the server named.
    """

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
    tries: list[dict[str, Any]] = field(default_factory=list)
    created: float = 0.0
    finished: float = 0.0

    @property
    def answered(self) -> bool:
        """Return whether the endpoint gave a whole reply, so that the call is never made again."""
        return self.status in ANSWERED

    def goes_on(self, old: Call) -> None:
        """Take over the tries that an earlier process made of this call."""
        ended = [{"cause": ENDED}] if old.status == PENDING and old.attempts > len(old.tries) else []
        self.tries, self.attempts, self.cost = [*old.tries, *ended], old.attempts, old.cost


@dataclass(slots=True)
class OpenBatch:
    """One batch of calls at an endpoint: ``calls`` are their ids, ``remote`` the endpoint's name for the batch."""

    batch_id: str
    endpoint: str
    model: str
    calls: list[str]
    remote: str = ""
    status: str = "open"
    created: float = 0.0
    finished: float = 0.0


Row = TypeVar("Row", Call, OpenBatch)


class Table(Generic[Row]):
    """How the rows of one table are written and read."""

    def __init__(self, name: str, row: type[Row]) -> None:
        """Name the table and the record that its rows are."""
        self.row: Callable[..., Row] = row
        self.columns = tuple(one.name for one in fields(row))
        names = ", ".join(self.columns)
        self.put = f"INSERT OR REPLACE INTO {name} ({names}) VALUES ({', '.join('?' * len(self.columns))})"
        self.get = f"SELECT {names} FROM {name}"

    def values(self, row: Row) -> tuple[Any, ...]:
        """Return a record as SQLite takes it."""
        given = ((name, getattr(row, name)) for name in self.columns)
        return tuple(json.dumps(value) if name in _JSON else _writable(value) for name, value in given)

    def read(self, values: Sequence[Any]) -> Row:
        """Return the record that a row of the table holds."""
        named = zip(self.columns, values, strict=True)
        return self.row(**{name: json.loads(value) if name in _JSON else value for name, value in named})


def _writable(value: Any) -> Any:
    """Return a text with half surrogate pairs as JSON spells them: SQLite takes none, and a teacher may send some."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


CALLS, BATCHES = Table("calls", Call), Table("batches", OpenBatch)
