"""A prompt of the teacher, as a YAML file in ``conf``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Never

import yaml
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from med_small_lm.teacher.prompts import Prompt


class PromptDataset(AbstractDataset[Never, Prompt]):
    """A prompt with its id, version, messages with slots and reply schema; an input of the nodes that use it."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the YAML file."""
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Prompt:
        """The parsed prompt; a wrong file is an error that names the key."""
        return Prompt.parse(yaml.safe_load(self._filepath.read_text(encoding="utf-8")))

    def save(self, data: Never) -> None:
        """Prompts are written by hand."""
        raise DatasetError(f"{self._filepath}: prompts are read-only")

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def preview(self) -> JSONPreview:
        """The prompt as it is written."""
        import json

        return JSONPreview(json.dumps(yaml.safe_load(self._filepath.read_text(encoding="utf-8"))))
