"""The arithmetic of training: operations a token, what the hardware can do, and the share of it that is used (MFU)."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from med_small_lm.params.training import LoopParams

# TFLOP/s of a card without sparsity, in bf16 and in fp32, by NVIDIA's data sheets (those of the tensor cores halved
# where the sheet counts sparsity).
SHEETS = {
    r"H200": (989.4, 67.0),  # H200 Tensor Core GPU, SXM, data sheet 2024: 1,979 with sparsity
    r"H100 PCIe": (756.0, 51.0),  # H100 Tensor Core GPU, data sheet 2023: 1,513 with sparsity
    r"H100 NVL": (835.5, 60.0),  # H100 NVL, data sheet 2024: 1,671 with sparsity
    r"H100": (989.4, 67.0),  # H100 SXM, data sheet 2023: 1,979 with sparsity
    r"A100": (312.0, 19.5),  # A100 Tensor Core GPU, data sheet 2021
    r"L40S": (362.05, 91.6),  # L40S, data sheet 2023
    r"L4\b": (121.0, 30.3),  # L4, data sheet 2023: 242 with sparsity
    r"A10\b": (125.0, 31.2),  # A10, data sheet 2021
}
SQUARE = {"cuda": 8192, "cpu": 1024}  # side of the matrices that are multiplied to measure the rate
MEASURED = 0.1  # seconds of that
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def token_flops(config: Any, mode: str, length: int) -> float:
    """Returns the operations that a token of training takes, forward and backward; nothing that is computed again.

    ::

        full        6 N     2 forward, 2 for the gradient of what comes in, 2 for that of the weights
        adapters    4 N     the weights' own is left out (the adapters themselves are below 1 %)
        attention   6 layers × width × length, in either mode: half of the square, the other half is the future

    N counts neither input nor output embeddings (Kaplan et al. 2020); of a mixture of experts it counts all of them,
    so that its utilisation is an upper bound.

    Args:
        config: the model's configuration.
        mode: full, or one with adapters.
        length: tokens of a row.
    """
    text = config.get_text_config()
    width = text.num_attention_heads * (getattr(text, "head_dim", 0) or text.hidden_size // text.num_attention_heads)
    attention: float = 6.0 * text.num_hidden_layers * width * length
    return (6 if mode == "full" else 4) * inner_weights(config) + attention


def inner_weights(config: Any) -> int:
    """Returns the weights of a model between its embeddings and its output layer."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(copy.deepcopy(config))
    ends = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
    output = model.get_output_embeddings()
    outside = {id(weight) for weight in (*ends, *([output.weight] if output is not None else []))}
    return sum(weight.numel() for weight in model.parameters() if id(weight) not in outside)


def peak_flops(device: torch.device, precision: str) -> float:
    """Returns the operations a second of a device: by the data sheet of a known GPU, else as measured in 0.1 s."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        for pattern, (bf16, fp32) in SHEETS.items():
            if re.search(pattern, name):
                return float(1e12 * (bf16 if precision == "bf16" else fp32))
    return matmul_rate(device, precision)


@lru_cache(maxsize=8)
def matmul_rate(device: torch.device, precision: str) -> float:
    """Returns the operations a second of multiplying large square matrices, the best of a few in 0.1 s."""
    side = SQUARE.get(device.type, SQUARE["cuda"])
    one = torch.ones(side, side, dtype=DTYPES[precision], device=device)
    torch.mm(one, one)  # the first is slower
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < MEASURED:
        _wait(device)
        start = time.perf_counter()
        torch.mm(one, one)
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return float(2 * side**3 / best)


def utilisation(model: Any, params: LoopParams, arguments: Any) -> Callable[[float], float]:
    """Returns what turns tokens a second of all ranks into the share of the ranks' peak that they use (MFU).

    Args:
        model: the model that is trained.
        params: mode, precision, length.
        arguments: the Trainer's: the device and how many ranks there are.
    """
    work = token_flops(model.config, params.mode, params.block_size)
    peak = peak_flops(arguments.device, params.precision) * arguments.world_size
    return lambda speed: speed * work / peak


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
