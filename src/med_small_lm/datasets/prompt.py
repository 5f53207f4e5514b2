"""A prompt of the teacher, as a YAML file in ``conf``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Never

import yaml
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from med_small_lm.errors import UserError, nearest, yaml_fault
from med_small_lm.teacher.prompts import Prompt, PromptError


class PromptDataset(AbstractDataset[Never, Prompt]):
    """A prompt with its id, version, messages with slots and reply schema; an input of the nodes that use it."""

    def __init__(
        self, *, filepath: str, slots: list[str] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the YAML file, and the ``slots`` that its node fills; None: they are checked when it is rendered."""
        self._filepath, self._slots = Path(filepath), slots
        self.metadata = metadata

    def load(self) -> Prompt:
        """The parsed prompt; a wrong file, and a slot that nothing fills, is an error that names file and place."""
        try:
            source = yaml.safe_load(self._filepath.read_text(encoding="utf-8"))
            prompt = Prompt.parse(source if isinstance(source, dict) else {})
        except (yaml.YAMLError, PromptError) as problem:
            raise UserError(f"{self._filepath}: {yaml_fault(problem)}") from problem
        for slot in prompt.slots:
            if self._slots is not None and slot not in self._slots:
                known = f"{nearest(slot, self._slots)}; there are: {', '.join(self._slots)}"
                raise UserError(f"{self._filepath}: nothing fills the slot {slot}{known}")
        return prompt

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
