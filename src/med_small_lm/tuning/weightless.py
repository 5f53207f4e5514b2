"""A model and its optimiser as they are trained, but without data: what the estimate of memory goes through."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM

from med_small_lm.params.training import LoopParams, OptimiserParams
from med_small_lm.tuning.modes import adapt
from med_small_lm.tuning.optimiser import make_optimiser
from med_small_lm.tuning.weights import without_bars

BITS = {"lora_8bit": 8.0, "qlora": 4.127}  # of a weight at rest, scales among them (QLoRA, Dettmers et al. 2023)
SMALLEST_8BIT = 4096  # weights of a matrix; bitsandbytes keeps smaller ones in 32 bits


def meta_model(config: Any, loop: LoopParams) -> Any:
    """Returns the model as it is trained, without data: quantised, with adapters, recomputing, by the parameters."""
    low = loop.weights if loop.mode == "full" else loop.precision
    dtype = torch.bfloat16 if low == "bf16" else torch.float32
    with without_bars(), torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=dtype)
    if loop.mode in BITS:
        outside = {id(end) for end in (model.get_input_embeddings(), model.get_output_embeddings())}
        for module in model.modules():
            if type(module) is nn.Linear and id(module) not in outside:
                _quantise(module, BITS[loop.mode])
    if loop.mode != "full":
        adapt(model, loop.adapter, 0)
    model.config.use_cache = False
    if loop.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return model.train()


def materialise(model: nn.Module) -> None:
    """Gives the model tensors of the fake mode that is on in place of its ``meta`` ones; tied weights stay tied."""
    done: dict[int, Tensor] = {}
    for module in model.modules():
        for name, weight in module._parameters.items():
            if weight is not None and id(weight) not in done:
                empty = torch.empty(weight.shape, dtype=weight.dtype)
                done[id(weight)] = nn.Parameter(empty, weight.requires_grad)
            if weight is not None:
                module._parameters[name] = done[id(weight)]  # type: ignore[assignment]
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def weightless_optimiser(model: nn.Module, params: OptimiserParams, device: str) -> torch.optim.Optimizer:
    """Returns the optimiser, as it works on that device."""
    if params.name == "adamw_8bit":
        return _EightBit(model, device)
    optimiser = make_optimiser(model, params)
    for group in optimiser.param_groups:
        group["foreach"] = device == "cuda"  # on a GPU torch goes over all weights at once, with a copy of them
    return optimiser


def _quantise(module: Any, bits: float) -> None:
    """Turns a linear layer into one whose weight takes so many bits, as bitsandbytes' does, in place."""
    module.shape, module.kept = module.weight.shape, bits == 8
    module.__class__ = _Quantised
    module.weight = nn.Parameter(
        torch.empty(int(module.weight.numel() * bits / 8), dtype=torch.uint8, device="meta"), False
    )


class _Quantised(nn.Linear):
    """A linear layer that writes its weight out in full for each multiplication."""

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Dequantised.apply(x, self.weight, self.shape, self.kept)  # type: ignore[no-untyped-call]
        return out


class _Dequantised(torch.autograd.Function):
    """The multiplication of bitsandbytes: the input is kept in 8 bits alone, the written-out weight never."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shape: torch.Size, kept: bool) -> Tensor:
        ctx.shape, ctx.kept = shape, x if kept else None
        return functional.linear(x, x.new_empty(shape))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient @ gradient.new_empty(ctx.shape), None, None, None


class _EightBit(torch.optim.Optimizer):
    """The memory of AdamW in 8 bits: two bytes a weight, eight of an embedding; a CPU writes out one matrix at once."""

    def __init__(self, model: nn.Module, device: str) -> None:
        super().__init__([weight for weight in model.parameters() if weight.requires_grad], {})
        self._tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
        self._device = device

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for weight in self.param_groups[0]["params"]:
            if not self.state[weight]:
                large = id(weight) not in self._tables and weight.numel() >= SMALLEST_8BIT
                moments = torch.empty(2 * weight.numel(), dtype=torch.uint8 if large else torch.float32)
                self.state[weight].update(moments=moments, scales=torch.empty(2 * -(-weight.numel() // 256)))
            if self._device == "cpu":
                _ = [torch.empty_like(weight, dtype=torch.float32) for _ in range(5)]
