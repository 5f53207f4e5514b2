"""A checkpoint's model and tokenizer, to and from its folder: safetensors only, no code of the folder run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from med_small_lm.errors import UserError
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

Model: TypeAlias = Any

_CLOSED: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load(checkpoint: Checkpoint) -> tuple[Model, PreTrainedTokenizer]:
    """Returns a checkpoint's model, in the precision that it was saved in, and its tokenizer."""
    folder = str(checkpoint.path)
    with without_bars():
        tokenizer = AutoTokenizer.from_pretrained(folder, **_CLOSED)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype="auto", **_CLOSED)
    return model, tokenizer


def read_local(kind: Any, folder: Path, parameter: str) -> tuple[Model, Any]:
    """Returns the model of a kind, and its tokenizer, from a folder of the user's own in Hugging Face layout.

    Nothing is fetched, no code of the folder is run, and only safetensors are read.

    Args:
        kind: transformers' class for it, such as ``AutoModel``.
        folder: where it lies.
        parameter: the parameter that names the folder, for the error.

    Raises:
        UserError: the folder holds no such model that can be read.
    """
    try:
        with without_bars():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **_CLOSED)
            model = kind.from_pretrained(str(folder), use_safetensors=True, dtype="float32", **_CLOSED)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{parameter}: no model can be read from {folder}: {' '.join(str(error).split())}") from error
    return model.eval(), tokenizer


def save(model: Model, tokenizer: PreTrainedTokenizer, folder: Path) -> None:
    """Leaves model and tokenizer, with its chat template, in ``folder``."""
    with without_bars():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


@contextmanager
def without_bars() -> Iterator[None]:
    """No progress bars of reading and writing weights, which last for seconds at most here."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
