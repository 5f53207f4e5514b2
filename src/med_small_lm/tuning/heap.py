"""The memory that the C library (glibc) keeps for itself while a CPU trains a large model, made small.

Its heap keeps gaps between tensors of up to 32 MiB: a fifth of the memory of a training. Reading the model leaves gaps
too, in some runs many more than in others, and training fills them by and by.
"""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

import torch
from torch import nn

LARGE = 50_000_000  # weights; the memory of a smaller model is left to glibc
M_MMAP_THRESHOLD = -3  # of malloc.h


def read_apart(folder: Path) -> None:
    """Keeps what reading a large model's ``folder`` makes out of the heap."""
    if sum(file.stat().st_size for file in folder.glob("*.safetensors")) > LARGE * torch.float32.itemsize:
        _tensors_apart()


def give_back_at_once(model: nn.Module, device: torch.device) -> None:
    """Lets a large model's tensors go back to the system as soon as they die, where a CPU trains it."""
    if device.type == "cpu" and sum(weight.numel() for weight in model.parameters()) > LARGE:
        _tensors_apart()
        if getattr(model, "is_quantized", False):  # few weights lie in the file still, and hold all of it in memory
            for weight in model.parameters():
                if weight.dtype.is_floating_point:
                    weight.data = weight.data.clone()


def _tensors_apart() -> None:
    """Takes each tensor of a MiB or more from the system, and gives back what lies unused."""
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, 1 << 20)
        library.malloc_trim(0)
