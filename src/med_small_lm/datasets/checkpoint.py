"""A model's folder: Hugging Face layout and a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from med_small_lm.tuning.checkpoint import Checkpoint


class CheckpointDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """A checkpoint that a training function has written into this very folder.

    Training publishes its folder whole, by a rename, because only the trainer knows when it is whole and whether the
    one that lies there is still good. ``save`` therefore proves that the checkpoint is the one that lies here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the folder."""
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoint:
        """The checkpoint.

        Raises:
            DatasetError: There is none, or it is not whole.
        """
        try:
            return Checkpoint.read(self._folder)
        except (OSError, ValueError) as problem:
            raise DatasetError(f"{self._folder} holds no finished checkpoint: {problem}") from problem

    def save(self, data: Checkpoint) -> None:
        """Prove that ``data`` lies in this folder, whole."""
        if Path(data.path).resolve() != self._folder.resolve():
            raise DatasetError(f"the checkpoint was written to {data.path}, the catalog expects {self._folder}")
        self.load()

    def _exists(self) -> bool:
        try:
            self.load()
        except DatasetError:
            return False
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}

    def preview(self) -> JSONPreview:
        """The manifest."""
        return JSONPreview((self._folder / "manifest.json").read_text(encoding="utf-8"))
