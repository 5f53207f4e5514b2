"""A checkpoint's model and tokenizer, to and from its folder: safetensors only, no code of the folder run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch.distributed as dist
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.distributed import gather_full_state_dict
from transformers.utils import logging as transformers_logging

from med_small_lm.adapters import AdapterError, Chain, chain, merged
from med_small_lm.errors import UserError
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

Model: TypeAlias = Any

CLOSED: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
"""What every reading of a folder is told: nothing is fetched, no code of the folder is run."""


def load(checkpoint: Checkpoint) -> tuple[Model, PreTrainedTokenizer]:
    """Returns a checkpoint's model, in the precision that it was saved in, and its tokenizer.

    Raises:
        CheckpointError: it lacks weights, or is an adapter whose parents are gone or are others.
    """
    return merged_model(checkpoint), read_tokenizer(checkpoint.path)


def merged_model(checkpoint: Checkpoint, *further: Path) -> Model:
    """Returns a checkpoint's whole model, its own adapters and ``further`` ones merged into it in their order."""
    known = chain_of(checkpoint)
    model = read(known.base, dtype="auto")
    try:
        return merged(model, [*known.adapters, *further])
    except AdapterError as error:
        raise CheckpointError(str(error)) from error


def chain_of(checkpoint: Checkpoint) -> Chain:
    """Returns the whole model that a checkpoint stands on, and the adapters between."""
    try:
        return chain(checkpoint.path)
    except AdapterError as error:
        raise CheckpointError(str(error)) from error


def read(folder: Path, **how: Any) -> Model:
    """Returns the whole model in a folder, read as transformers is told by ``how``.

    Raises:
        CheckpointError: it lacks weights, which transformers would fill with random numbers.
    """
    with without_bars():
        found: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), use_safetensors=True, output_loading_info=True, **CLOSED, **how
        )
    model, told = found
    if told["missing_keys"]:
        raise CheckpointError(f"{folder} lacks weights: {', '.join(sorted(told['missing_keys'])[:3])} …")
    return model


def config_of(checkpoint: Checkpoint) -> Any:
    """Returns the configuration of the whole model that a checkpoint stands on."""
    return AutoConfig.from_pretrained(str(chain_of(checkpoint).base), **CLOSED)


def read_tokenizer(folder: Path) -> PreTrainedTokenizer:
    """Returns the tokenizer in a folder, with its chat template."""
    return AutoTokenizer.from_pretrained(str(folder), **CLOSED)


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
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **CLOSED)
            model = kind.from_pretrained(str(folder), use_safetensors=True, dtype="float32", **CLOSED)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{parameter}: no model can be read from {folder}: {' '.join(str(error).split())}") from error
    return model.eval(), tokenizer


def save(model: Model, tokenizer: PreTrainedTokenizer, folder: Path) -> None:
    """Leaves model and tokenizer, with its chat template, in ``folder``; every rank calls it, the first one writes."""
    shared_out = getattr(model.config, "distributed_config", None)
    weights = _gathered(model) if shared_out else None
    model.config.distributed_config = None  # or transformers gathers again, and writes tied weights twice
    if first_rank():
        with without_bars():
            model.save_pretrained(folder, state_dict=weights)
            tokenizer.save_pretrained(folder)
    model.config.distributed_config = shared_out


def _gathered(model: Model) -> dict[str, Any]:
    """Returns the whole weights of a model that FSDP has shared out, on the first rank; each tied one once."""
    weights = gather_full_state_dict(model)
    return {name: weight for name, weight in weights.items() if name not in model.all_tied_weights_keys}


def first_rank() -> bool:
    """Returns whether this process is the only one, or the one of several that writes."""
    return not dist.is_initialized() or dist.get_rank() == 0


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
