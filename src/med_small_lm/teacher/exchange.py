"""The ledger's calls as a Parquet file: to another machine, and into a ledger there.

Rows go in groups both ways, so that a ledger of gigabytes is never in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from med_small_lm.atomic import written_aside
from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.ledger import VERSION, Ledger
from med_small_lm.teacher.requests import TeacherError

VERSION_KEY = b"med_small_lm.ledger_version"
ROWS = 500
"""Rows of a row group, and of a commit of an import."""

_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
_JSON = tuple(one.name for one in fields(Call) if one.type not in _TYPES)
SCHEMA = pa.schema(
    [(one.name, _TYPES.get(str(one.type), pa.string())) for one in fields(Call)], {VERSION_KEY: str(VERSION)}
)


def export_calls(ledger: Ledger, target: Path) -> int:
    """Return how many calls were written to ``target``, pending ones too; the file is whole or not there."""
    calls, written = ledger.calls(), 0
    with written_aside(target) as aside, pq.ParquetWriter(aside, SCHEMA, compression="zstd") as writer:
        while group := [_plain(call) for call in islice(calls, ROWS)]:
            writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA))
            written += len(group)
    return written


def import_calls(ledger: Ledger, source: Path) -> tuple[int, int]:
    """Return how many calls of ``source`` were new to the ledger, and how many there were.

    An answer takes the place of a row that has none; nothing takes the place of an answer.

    Raises:
        TeacherError: The file cannot be read, is no exported ledger, or of another version; what was taken is kept.
    """
    new = total = 0
    for group in _groups(source):
        new += ledger.add(group)
        total += len(group)
    return new, total


def _groups(source: Path) -> Iterator[list[Call]]:
    """Yield the calls of a file, group by group."""
    try:
        with pq.ParquetFile(source) as file:
            _check(source, file.schema_arrow)
            for batch in file.iter_batches(ROWS):
                yield [_call(row) for row in batch.to_pylist()]
    except (OSError, ValueError, TypeError) as error:  # pyarrow's own are among them
        cause = " ".join(str(error).split())[:200]
        raise TeacherError(f"{source} cannot be read as an exported ledger: {cause}") from error


def _check(source: Path, schema: pa.Schema) -> None:
    """Return nothing if ``schema`` is that of an export of this version."""
    version = (schema.metadata or {}).get(VERSION_KEY, b"").decode()
    if not version:
        raise TeacherError(f"{source} is no exported ledger: `kedro teacher export` writes them")
    if version != str(VERSION):
        raise TeacherError(
            f"{source} is a ledger of version {version}, this program reads {VERSION}: "
            "export it again with this program's version, or import it with the other's"
        )
    if not schema.remove_metadata().equals(SCHEMA.remove_metadata()):
        raise TeacherError(f"{source} has other columns than a ledger of version {VERSION}: export it again")


def _plain(call: Call) -> dict[str, Any]:
    """Return a row of the file; what is nested stands in it as JSON text."""
    row = {name: getattr(call, name) for name in SCHEMA.names}
    return row | {name: json.dumps(row[name]) for name in _JSON}


def _call(row: dict[str, Any]) -> Call:
    return Call(**row | {name: json.loads(row[name]) for name in _JSON})
