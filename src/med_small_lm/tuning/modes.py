"""The modes of training: all weights, or low-rank adapters on weights in full, in 8 or in 4 bits."""

from __future__ import annotations

import copy
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.distributed as dist
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.fsdp import FSDPModule
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.distributed import DistributedConfig
from transformers.pytorch_utils import Conv1D

from med_small_lm.adapters import PARENT, WEIGHTS
from med_small_lm.errors import UserError
from med_small_lm.params.training import AdapterParams, LoopParams
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError
from med_small_lm.tuning.heap import read_apart
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer
from med_small_lm.tuning.weights import (
    CLOSED,
    chain_of,
    config_of,
    first_rank,
    load,
    merged_model,
    read,
    read_tokenizer,
    save,
)

Model: TypeAlias = Any

ALL_LINEAR = "all-linear"
ADAPTER = "adapter"
"""The folder in a merged checkpoint where the adapter is kept by itself."""

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def trainable(
    start: Checkpoint, params: LoopParams, shards: int = 1, seed: int = 0
) -> tuple[Model, PreTrainedTokenizer]:
    """Returns a checkpoint's model ready to be trained in ``params.mode``, and its tokenizer.

    Every rank calls this, after the process group is there. An adapter is trained on a merged copy of its parents.

    Args:
        start: the checkpoint to start from.
        params: mode, adapter, precision, checkpointing.
        shards: ranks that weights, gradients and moments are shared out over (FSDP2); 1: each holds all of them.
        seed: of the adapters' first values, which are then the same on every rank.

    Raises:
        UserError: the mode cannot be sharded, or a target names no linear layer of the model.
        CheckpointError: the checkpoint, or one that it stands on, cannot be read.
    """
    tokenizer = read_tokenizer(start.path)
    with _whole(start) as folder:
        read_apart(folder)
        model = read(folder, **_reading(folder, params, shards))
    if shards > 1:
        _join_tied(model)
    model.config.use_cache = False
    if params.mode != "full":
        adapt(model, params.adapter, seed)
    if params.checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model, tokenizer


def write(model: Model, tokenizer: PreTrainedTokenizer, start: Checkpoint, params: LoopParams, folder: Path) -> None:
    """Leaves in ``folder`` what ``trainable`` made and training changed; every rank calls it, the first one writes.

    ::

        full                 model.safetensors  config.json  tokenizer, chat template
        adapter, merged      the same, in the precision of ``start``, and adapter/ with the adapter by itself
        adapter, by itself   adapter_model.safetensors  adapter_config.json (names start's folder)  tokenizer, …

    An adapter is merged into the weights of ``start`` read anew: those that it was trained on may have 4 bits.

    Raises:
        CheckpointError: the adapter is still as it was before training, so that there is nothing to save.
    """
    if params.mode == "full":
        model.config.use_cache = config_of(start).use_cache
        save(model, tokenizer, folder)
    elif first_rank() and params.adapter.merge:
        write_adapter(model, start, folder / ADAPTER)
        save(merged_model(start, folder / ADAPTER), tokenizer, folder)
    elif first_rank():
        write_adapter(model, start, folder)
        tokenizer.save_pretrained(folder)


def write_adapter(model: Model, start: Checkpoint, folder: Path) -> None:
    """Leaves the adapter of a model in ``folder``, in PEFT's form, with the way from there to its parent.

    Raises:
        CheckpointError: it is as it was before training, or was not written as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    weights = get_peft_model_state_dict(model, state_dict=trained, save_embedding_layers=False)
    named = {f"base_model.model.{name}": weight.detach().cpu().contiguous() for name, weight in weights.items()}
    save_file(named, folder / WEIGHTS, metadata={"format": "pt"})
    config = copy.copy(model.peft_config["default"])
    config.target_modules = sorted(config.target_modules)  # PEFT's set has another order in each process
    setattr(config, PARENT, os.path.relpath(start.path, folder))
    config.save_pretrained(str(folder))
    written = [weight for name, weight in load_file(folder / WEIGHTS).items() if ".lora_B." in name]
    if not any(weight.any() for weight in written):
        raise CheckpointError(f"{folder / WEIGHTS}: the adapter is empty, no step of training has changed it")


def _reading(folder: Path, params: LoopParams, shards: int) -> dict[str, Any]:
    """Returns how weights are read for a mode: their precision, quantisation and shards."""
    if params.mode == "full":
        return {"dtype": _DTYPES[params.weights], **_sharing(folder, params, shards)}
    precision = _DTYPES[params.precision]
    if params.mode == "lora":
        return {"dtype": precision, **_sharing(folder, params, shards)}
    check_shared(params, shards)
    bits = (
        BitsAndBytesConfig(load_in_8bit=True)
        if params.mode == "lora_8bit"
        else BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=precision,
        )
    )  # fmt: skip
    here: int | str = int(os.environ.get("LOCAL_RANK", 0)) if torch.cuda.is_available() else "cpu"
    return {"dtype": precision, "quantization_config": bits, "device_map": {"": here}}


def check_shared(params: LoopParams, shards: int) -> None:
    """Raises UserError if a mode's weights cannot be shared out over so many ranks."""
    if shards > 1 and params.mode in ("lora_8bit", "qlora"):
        raise UserError(
            f"launch.strategy: fsdp cannot share out the quantised weights of mode {params.mode}; take strategy: ddp, "
            "which holds them once a GPU, or mode: lora"
        )


def _sharing(folder: Path, params: LoopParams, shards: int) -> dict[str, Any]:
    """Returns how weights are shared out over ranks, layer by layer: transformers' own FSDP2."""
    if shards == 1:
        return {}
    config = DistributedConfig(
        fsdp_size=shards, fsdp_mixed_precision=params.precision == "bf16", fsdp_plan=_layers(folder)
    )
    return {"distributed_config": config}


def _layers(folder: Path) -> dict[str, str] | None:
    """Returns the plan of a model that has none of its own, such as GPT-2: each of its layers is gathered by itself."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(str(folder), **CLOSED))
    if model.fsdp_plan:
        return None
    whole = set(model._no_split_modules or ())
    layers = [name for name, module in model.named_modules() if type(module).__name__ in whole]
    return {re.sub(r"\.\d+$", ".*", name): "free_full_weight" for name in layers}


def _join_tied(model: Model) -> None:
    """Lets both names of a tied weight that does not divide by the ranks lie in one memory.

    FSDP pads a rank's short part to the length of the others. Each name has a padded copy of its own: the optimiser
    would change one of them, and the other would be read.
    """
    groups: list[Any] = []
    for module in model.modules():
        if isinstance(module, FSDPModule):
            state = module._get_fsdp_state()
            state._lazy_init()  # of the root first, which is the first module; it does the others
            groups += [group for group in state._fsdp_param_groups if group not in groups]
    parts = [part for group in groups for part in group.fsdp_params]
    held = {part._sharded_param_data.data_ptr(): part._sharded_param_data for part in parts}
    for part in parts:
        part._sharded_param_data = held[part.sharded_param.to_local().data_ptr()]


def adapt(model: Model, params: AdapterParams, seed: int) -> None:
    """Freezes the weights and adds adapters in float32; the first values of B are 0, so that nothing changes yet."""
    targets = _targets(model, params.targets)
    turned = any(isinstance(module, Conv1D) for module in model.modules())  # GPT-2 has its matrices transposed
    alpha: Any = params.alpha  # PEFT says int, and divides it by the rank
    config = LoraConfig(
        r=params.rank, lora_alpha=alpha, lora_dropout=params.dropout, target_modules=targets,
        fan_in_fan_out=turned, task_type="CAUSAL_LM",
    )  # fmt: skip
    model.requires_grad_(False)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.add_adapter(config)
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # its layout for inference cannot be trained on afterwards
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()


def _targets(model: Model, wanted: tuple[str, ...]) -> list[str]:
    """Returns the ends of names of the layers that get an adapter; the output layer is none of them."""
    output = model.get_output_embeddings()
    kinds = (nn.Linear, Conv1D)
    linear = [name for name, one in model.named_modules() if isinstance(one, kinds) and one is not output]
    ends = sorted({name.rpartition(".")[2] for name in linear})
    for target in wanted:
        if target != ALL_LINEAR and not any(f".{name}".endswith(f".{target}") for name in linear):
            raise UserError(
                f"adapter.targets: no linear layer of this model is named {target}; there are {', '.join(ends)}"
            )
    return ends if ALL_LINEAR in wanted else list(wanted)


@contextmanager
def _whole(start: Checkpoint) -> Iterator[Path]:
    """The folder of a checkpoint's whole model: its own, or a merged copy beside it that is deleted afterwards."""
    known = chain_of(start)
    if not known.adapters:
        yield start.path
        return
    beside = start.path.with_name(f".{start.path.name}.merged")
    try:
        if first_rank():
            shutil.rmtree(beside, ignore_errors=True)
            save(*load(start), beside)
        _wait()
        yield beside
        _wait()
    finally:
        if first_rank():
            shutil.rmtree(beside, ignore_errors=True)


def _wait() -> None:
    """Lets every rank come here before any goes on."""
    if dist.is_initialized():
        dist.barrier()
