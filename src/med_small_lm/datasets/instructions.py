"""An instruction set from outside, as the tuning pipeline takes it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Never

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from med_small_lm.tuning.instructions.forms import read_source
from med_small_lm.tuning.instructions.sources import InstructionSource, Rewrite


class InstructionsDataset(AbstractDataset[Never, InstructionSource]):
    """A file or folder of conversations. Entries are made from ``instructions.yml``; the domain reads the records."""

    def __init__(
        self,
        *,
        filepath: str,
        source: str,
        reader: str,
        licence: str,
        cap: int = 0,
        where: Mapping[str, str] | None = None,
        chats: bool = False,
        published: int = 0,
        published_by: str = "",
        manifest: int = 1,
        rewrite: Rewrite = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Keep what ``instructions.yml`` and the table of known sets say."""
        self._source = InstructionSource(
            source, Path(filepath), reader, licence, cap, dict(where or {}), chats, published, published_by, manifest,
            rewrite,
        )  # fmt: skip
        self.metadata = metadata

    def load(self) -> InstructionSource:
        """The set, to be read as a stream.

        Raises:
            DatasetError: It is gone since ``instructions.yml`` was read.
        """
        if not self._source.path.exists():
            raise DatasetError(f"{self._source.name}: there is no file {self._source.path}")
        return self._source

    def save(self, data: Never) -> None:
        """Instruction sets are read, never written."""
        raise DatasetError(f"{self._source.path}: an instruction set is read-only")

    def _exists(self) -> bool:
        return self._source.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._source.path), "reader": self._source.reader, "licence": self._source.licence}

    def preview(self, nrows: int = 10) -> TablePreview:
        """The first records, for kedro-viz."""
        head = list(islice(read_source(self._source), nrows))
        data = [
            [found.place, " | ".join(f"{m.role}: {m.content}" for m in found.messages)[:300] or found.fault]
            for found in head
        ]
        return TablePreview({"index": list(range(len(head))), "columns": ["place", "conversation"], "data": data})
