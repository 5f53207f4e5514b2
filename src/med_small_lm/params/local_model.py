"""The type of a parameter that names a model of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, DirectoryPath


def _has_model(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ValueError("no model in Hugging Face layout lies there: the folder has no config.json")
    return folder


LocalModel = Annotated[DirectoryPath, AfterValidator(_has_model)]
"""A folder with a model in Hugging Face layout; whether it can be read shows when it is."""
