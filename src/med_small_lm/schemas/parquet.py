"""Parquet files of records: the record's Arrow schema, its version in the file, rows read and written in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from med_small_lm.atomic import written_aside
from med_small_lm.schemas.rows import SCHEMA_VERSION
from med_small_lm.schemas.streams import Frames
from med_small_lm.schemas.tables import arrow_schema

VERSION_KEY = b"med_small_lm.schema_version"
ROWS = 1_000
"""Rows of a row group. Half as many are in memory at once where a file is streamed."""

DTYPES = {"string": "str", "int64": "int64", "double": "float64", "bool": "bool"}


class OtherVersion(ValueError):
    """A file holds another version of the records."""


@contextmanager
def written_records(target: Path, record: type) -> Iterator[Callable[[Iterable[Mapping[Any, Any]]], None]]:
    """A function that takes rows as they come; at the end the file of all of them is there, whole, or the old one is.

    The same rows give the same bytes, however they are dealt out to the calls.
    """
    schema = arrow_schema(record).with_metadata({VERSION_KEY: SCHEMA_VERSION.encode()})
    held: list[Mapping[Any, Any]] = []
    with written_aside(target) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:

        def write(rows: Iterable[Mapping[Any, Any]]) -> None:
            held.extend(rows)
            while len(held) >= ROWS:
                writer.write_table(pa.Table.from_pylist(held[:ROWS], schema=schema))
                del held[:ROWS]

        yield write
        if held:
            writer.write_table(pa.Table.from_pylist(held, schema=schema))


def read_records(file: Path) -> pd.DataFrame:
    """All records of a file; nested fields as lists of dicts.

    Raises:
        OtherVersion: The file was written with another version of the records.
    """
    with _opened(file) as parquet:
        return _frame(parquet.read())


def streamed_records(files: Sequence[Path]) -> Frames:
    """The records of the files, in their order, as frames of at most half of ``ROWS`` lines."""

    def frames() -> Iterator[pd.DataFrame]:
        for file in files:
            with _opened(file) as parquet:
                for batch in parquet.iter_batches(ROWS // 2):
                    yield _frame(batch)

    return Frames(frames, tuple(files))


def _opened(file: Path) -> pq.ParquetFile:
    parquet = pq.ParquetFile(file)
    version = (parquet.schema_arrow.metadata or {}).get(VERSION_KEY, b"none").decode()
    if version != SCHEMA_VERSION:
        raise OtherVersion(
            f"{file} holds records of version {version}, this code reads {SCHEMA_VERSION}: "
            "run the pipeline that writes it again"
        )
    return parquet


def _frame(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    columns = {field.name: table.column(field.name).to_pylist() for field in table.schema}
    kinds = {field.name: DTYPES.get(str(field.type), "object") for field in table.schema}
    return pd.DataFrame({name: pd.Series(values, dtype=kinds[name]) for name, values in columns.items()})
