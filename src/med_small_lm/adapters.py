"""Checkpoints that are an adapter alone: the whole model that they stand on, and how they are merged into it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PARENT = "base_model_name_or_path"
"""PEFT's own name for it in the configuration; here a path from the adapter's folder."""


class AdapterError(ValueError):
    """Why an adapter cannot be put on the model that it was trained on."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A whole model, and the adapters that were trained on it one after the other.

    ::

        base/  <-  injected/ (adapter)  <-  tuned/ (adapter)        Chain(base, (injected, tuned))
    """

    base: Path
    adapters: tuple[Path, ...]


def chain(folder: Path) -> Chain:
    """Returns what a checkpoint's folder stands on: itself alone where it holds a whole model.

    Raises:
        AdapterError: a parent is gone, or is not the model any more that its adapter was trained on.
    """
    adapters: list[Path] = []
    while (folder / CONFIG).is_file() and not (folder / "config.json").is_file():
        if folder in adapters:
            raise AdapterError(f"{folder} is an adapter on itself")
        adapters.insert(0, folder)
        folder = _parent(folder)
    return Chain(folder, tuple(adapters))


def merged(model: Any, adapters: Sequence[Path]) -> Any:
    """Returns a whole model with adapters merged into its weights, in their order and in the weights' precision.

    Raises:
        AdapterError: an adapter's file is missing, lacks weights, or is of a model of another shape.
    """
    if not adapters:
        return model
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError, safe_open

    for folder in adapters:
        try:
            with safe_open(folder / WEIGHTS, "pt") as file:
                saved = set(file.keys())
            with warnings.catch_warnings(action="ignore"):  # of missing keys, which end it below
                adapted = PeftModel.from_pretrained(model, str(folder), local_files_only=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise AdapterError(f"{folder}: the adapter cannot be read: {' '.join(str(error).split())}") from error
        if saved != set(get_peft_model_state_dict(adapted, save_embedding_layers=False)):
            raise AdapterError(f"{folder / WEIGHTS} does not hold the adapter that {CONFIG} describes")
        model = adapted.merge_and_unload(safe_merge=True)
    return model


def _parent(folder: Path) -> Path:
    """Returns the folder that an adapter was trained on, its fingerprint compared where the adapter knows it."""
    named = str(_json(folder / CONFIG).get(PARENT))
    parent = (folder / named).resolve()
    if not parent.is_dir():
        raise AdapterError(f"{folder} is an adapter on {named}, which is gone; with adapter.merge: true it needs none")
    if (folder / "manifest.json").is_file():
        wanted = set(_json(folder / "manifest.json").get("parents", {}).values())
        if _json(parent / "manifest.json").get("fingerprint") not in wanted:
            raise AdapterError(f"{folder} is an adapter on another model than the one in {parent}: train it again")
    return parent


def _json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"{file} cannot be read: {error}") from error
    return read if isinstance(read, dict) else {}
