"""Parquet files of records: one Arrow schema each, from the record's dataclass, with a version in the file."""

from __future__ import annotations

import importlib
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.schemas.parquet import OtherVersion, read_records, written_records
from med_small_lm.schemas.streams import Frames


class RecordsDataset(AbstractDataset[pd.DataFrame | Frames, pd.DataFrame]):
    """Records in a Parquet file, loaded as a frame; more than memory holds are saved as frames one after another.

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
        try:
            return read_records(self._filepath)
        except OtherVersion as problem:
            raise DatasetError(str(problem)) from problem

    def save(self, data: pd.DataFrame | Frames) -> None:
        """Write ``data`` with the record's schema, whole or not at all."""
        with written_records(self._filepath, self._record) as write:
            for frame in data if isinstance(data, Frames) else [data]:
                write(frame.to_dict("records"))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "record": self._record.__name__}

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        if not self._exists():
            return TablePreview({"index": [], "columns": [], "data": []})
        with pq.ParquetFile(self._filepath) as parquet:
            columns = parquet.schema_arrow.names
            head = [row for batch in islice(parquet.iter_batches(nrows), 1) for row in batch.to_pylist()]
        data = [[str(row[column])[:300] for column in columns] for row in head]
        return TablePreview({"index": list(range(len(head))), "columns": columns, "data": data})
