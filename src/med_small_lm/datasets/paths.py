"""Where a dataset's data lie."""

from __future__ import annotations

from pathlib import Path

from kedro.io import DataCatalog


def path_of(catalog: DataCatalog, name: str) -> Path | None:
    """The file or folder of a dataset, or None for parameters and whatever lies in no file."""
    dataset = None if name.startswith("params:") or name == "parameters" else catalog.get(name)
    described = dataset._describe() if dataset is not None else {}
    return Path(str(described["filepath"])) if "filepath" in described else None
