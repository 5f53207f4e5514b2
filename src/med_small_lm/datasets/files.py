"""Text and figures, whole or not there; figures and text are logged to MLflow as artifacts of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io
from kedro.io import AbstractDataset
from kedro_datasets._typing import PlotlyPreview

from med_small_lm.atomic import written_aside
from med_small_lm.tracking.artifacts import log_artifact


class TextDataset(AbstractDataset[str, str]):
    """A text file, such as the report; ``default`` is what one says that is not there, where that is no fault."""

    def __init__(self, *, filepath: str, default: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Name the file."""
        self._filepath = Path(filepath)
        self._default = default
        self.metadata = metadata

    def load(self) -> str:
        """The text."""
        if self._default is not None and not self._filepath.exists():
            return self._default
        return self._filepath.read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Write the text, whole or not at all."""
        with written_aside(self._filepath) as aside:
            aside.write_text(data, encoding="utf-8")
        log_artifact(self._filepath)

    def _exists(self) -> bool:
        return self._default is not None or self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class FigureDataset(AbstractDataset[go.Figure, go.Figure]):
    """A Plotly figure as JSON, which kedro-viz shows."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the file."""
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> go.Figure:
        """The figure."""
        return plotly.io.from_json(self._filepath.read_text(encoding="utf-8"))

    def save(self, data: go.Figure) -> None:
        """Write the figure, whole or not at all."""
        with written_aside(self._filepath) as aside:
            aside.write_text(data.to_json(), encoding="utf-8")
        log_artifact(self._filepath)

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}

    def preview(self) -> PlotlyPreview:
        """The figure, for kedro-viz."""
        import json

        return PlotlyPreview(json.loads(self._filepath.read_text(encoding="utf-8")))
