"""An endpoint that answers a project's prompts as the built-in teacher did in an earlier run, and tells secrets.

What it tells are the key of whoever calls: in headers, in errors and in replies, as careless servers do.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from med_small_lm.teacher.requests import canonical

from .endpoint import Answer, Endpoint, serving

LEDGER = "02_intermediate/teacher.sqlite"
FAULTY, TOLD = 7, 3  # every so many calls an error that repeats the key, a reply that does


@contextmanager
def replaying(ledger: Path) -> Iterator[Endpoint]:
    """Run an endpoint that knows the replies which a ledger holds, by the messages that they answered."""
    with closing(sqlite3.connect(ledger)) as db:
        rows = db.execute("SELECT request, response FROM calls WHERE status = 'ok'").fetchall()
    known = {canonical(json.loads(request)["messages"]): json.loads(response) for request, response in rows}

    def decide(body: dict[str, Any], number: int) -> Answer:
        _, headers = endpoint.seen[number - 1]
        key = headers["authorization"].removeprefix("Bearer ")
        if number % FAULTY == 0:
            said = f"Too many requests for {key} (Authorization: Bearer {key}), see /account?key={key}"
            return Answer(status=429, headers={"Retry-After": "0", "X-Key": key}, error={"message": said, "code": None})
        reply = known.get(canonical(body["messages"]))
        if reply is None:
            return Answer("{}")  # another prompt, made from what a secret in a reply became
        content = reply["choices"][0]["message"]["content"]
        return Answer(_telling(content, key) if number % TOLD == 0 else content, headers={"X-Key": key})

    with serving(decide) as endpoint:
        yield endpoint


def _telling(content: str, key: str) -> str:
    """The reply with the key as a part of its texts."""

    def told(value: Any) -> Any:
        if isinstance(value, str) and " " in value:
            return f"{value} {key}"
        if isinstance(value, list):
            return [told(one) for one in value]
        return {name: told(one) for name, one in value.items()} if isinstance(value, Mapping) else value

    return json.dumps(told(json.loads(content)))


def places_of(secret: str, root: Path) -> list[str]:
    """The files below ``root`` that hold ``secret``: as it stands, in a table, packed, or in their names."""
    return [
        str(file.relative_to(root))
        for file in sorted(root.rglob("*"))
        if secret in file.name or (file.is_file() and any(secret.encode() in part for part in _parts(file)))
    ]


def _parts(file: Path) -> Iterator[bytes]:
    """What a file holds, and what it holds packed or in pieces."""
    data = file.read_bytes()
    yield data
    if data.startswith(b"PAR1"):
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(500):
                yield json.dumps(batch.to_pylist(), default=str).encode()
    elif data.startswith(b"SQLite format 3\0"):  # a long text lies on pages that are not neighbours
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            db.text_factory = bytes
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in db.execute(f'SELECT * FROM "{table.decode()}"'):
                    yield b"\0".join(value for value in row if isinstance(value, bytes))
    elif zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            yield from map(packed.read, packed.namelist())
