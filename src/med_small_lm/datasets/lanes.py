"""A book's lane, which ingestion reads into a folder shard by shard, and the files that it could not read."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.atomic import written_aside
from med_small_lm.schemas.streams import Frames
from med_small_lm.textbooks.library import Lane

REASONS = "reasons.csv"


class LaneDataset(AbstractDataset[Frames, Frames]):
    """One part of a lane: its passages, exercises or report, as frames that are loaded one after another.

    Example::

        "ingest_textbooks.{book}.passages":
          type: med_small_lm.datasets.lanes.LaneDataset
          filepath: data/02_intermediate/books/{book}
          part: passages
          validator: {class: med_small_lm.schemas.streams.EachFrame, options: {model: Passages}}

    Shards are written by the domain, because only it knows which are whole and still good. ``save`` therefore proves
    that the records are those that lie here.
    """

    def __init__(self, *, filepath: str, part: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the lane's folder and the part of it."""
        self._folder = Path(filepath)
        self._part = part
        self.metadata = metadata

    def load(self) -> Frames:
        """The records.

        Raises:
            DatasetError: The lane was not read to its end.
        """
        try:
            return Lane.at(self._folder).part(self._part)
        except OSError as problem:
            raise DatasetError(f"{self._folder} holds no lane that was read: {problem}") from problem

    def save(self, data: Frames) -> None:
        """Prove that ``data`` lies in this folder."""
        if data.files != self.load().files:
            raise DatasetError(f"the lane's {self._part} lie elsewhere, the catalog expects them in {self._folder}")

    def _exists(self) -> bool:
        return (self._folder / "manifest.json").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "part": self._part}

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        head = next(iter(self.load()), pd.DataFrame()).head(nrows) if self._exists() else pd.DataFrame()
        data = [[str(value)[:300] for value in row] for row in head.to_numpy().tolist()]
        return TablePreview({"index": list(range(len(head))), "columns": list(head.columns), "data": data})


class QuarantineDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """A folder of links to the files that were not read, by book, and ``reasons.csv``: book, file, status, reason."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder."""
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The reasons."""
        return pd.read_csv(self._folder / REASONS, dtype=str, keep_default_na=False)

    def save(self, data: pd.DataFrame) -> None:
        """Link to each file of ``data``; what else lies in the folder goes."""
        files = zip(data["book"], data["file"], strict=True)
        links = {self._folder / (book + Path(file).suffix): Path(file) for book, file in files}
        if self._folder.exists():
            for path in sorted(self._folder.rglob("*"), reverse=True):  # what is in a folder before the folder
                if path.is_dir() and not path.is_symlink():
                    if not any(path.iterdir()):
                        path.rmdir()
                elif path not in links and path != self._folder / REASONS:
                    path.unlink()
        for link, file in links.items():
            _point(link, file)
        with written_aside(self._folder / REASONS) as aside:
            data.to_csv(aside, index=False, quoting=csv.QUOTE_MINIMAL)

    def _exists(self) -> bool:
        return (self._folder / REASONS).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first reasons, for kedro-viz."""
        head = self.load().head(nrows) if self._exists() else pd.DataFrame()
        return TablePreview(
            {"index": list(head.index), "columns": list(head.columns), "data": head.to_numpy().tolist()}
        )


def _point(link: Path, file: Path) -> None:
    """Make a link to the file: symbolic, hard, or a copy, whichever the file system can."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    for way in (os.symlink, os.link, shutil.copyfile):
        try:
            way(file.absolute(), link)
            return
        except OSError as problem:
            fault = problem
    raise fault
