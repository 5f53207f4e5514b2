"""A checkpoint's model and tokenizer, to and from its folder: safetensors only, no code of the folder run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

Model: TypeAlias = Any


def load(checkpoint: Checkpoint) -> tuple[Model, PreTrainedTokenizer]:
    """Returns a checkpoint's model, in the precision that it was saved in, and its tokenizer."""
    folder = str(checkpoint.path)
    closed: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with without_bars():
        tokenizer = AutoTokenizer.from_pretrained(folder, **closed)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype="auto", **closed)
    return model, tokenizer


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
