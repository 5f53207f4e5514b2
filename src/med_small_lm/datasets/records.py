"""Parquet files of records: one Arrow schema each, from the record's dataclass, with a version in the file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.datasets.atomic import written_aside
from med_small_lm.schemas.rows import SCHEMA_VERSION
from med_small_lm.schemas.tables import arrow_schema

VERSION_KEY = b"med_small_lm.schema_version"


class RecordsDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """A frame of records in a Parquet file.

    Example::

        passages:
          type: med_small_lm.datasets.records.RecordsDataset
          filepath: data/03_primary/passages.parquet
          record: Passage
          validator: med_small_lm.schemas.frames.Passages
    """

    def __init__(self, *, filepath: str, record: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file and the class of ``schemas.rows`` that says what its columns are."""
        self._filepath = Path(filepath)
        self._record = getattr(importlib.import_module("med_small_lm.schemas.rows"), record)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The frame; nested fields as lists of dicts.

        Raises:
            DatasetError: The file was written with another version of the records.
        """
        table = pq.read_table(self._filepath)
        version = (table.schema.metadata or {}).get(VERSION_KEY, b"none").decode()
        if version != SCHEMA_VERSION:
            raise DatasetError(
                f"{self._filepath} holds records of version {version}, this code reads {SCHEMA_VERSION}: "
                "run the pipeline that writes it again"
            )
        simple = {"string": "str", "int64": "int64", "double": "float64", "bool": "bool"}
        return pd.DataFrame(
            {
                field.name: pd.Series(table[field.name].to_pylist(), dtype=simple.get(str(field.type), "object"))
                for field in table.schema
            }
        )

    def save(self, data: pd.DataFrame) -> None:
        """Write ``data`` with the record's schema, whole or not at all."""
        schema = arrow_schema(self._record)
        table = pa.Table.from_pylist(data.to_dict("records"), schema=schema)
        table = table.replace_schema_metadata({VERSION_KEY: SCHEMA_VERSION.encode()})
        with written_aside(self._filepath) as aside:
            pq.write_table(table, aside, compression="zstd")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "record": self._record.__name__}

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        head = next(pq.ParquetFile(self._filepath).iter_batches(nrows)).to_pylist() if self._exists() else []
        columns = list(head[0]) if head else []
        return TablePreview(
            {
                "index": list(range(len(head))),
                "columns": columns,
                "data": [[str(row[c])[:300] for c in columns] for row in head],
            }
        )
