"""The memory of a training, found by going through a step of it with tensors that hold no data.

::

    model, optimiser    under torch's FakeTensorMode: shapes, types and the order of operations are real, data is not
    two steps           the first makes the optimiser's state, the second is metered: forward, backward, update
    meter               adds the bytes of each tensor that is made and takes off those of each that dies

So what a model of transformers, peft and autograd keep is counted as it is, without a formula a kind of model.
"""

from __future__ import annotations

import copy
import weakref
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import convert_to_fp32
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers.modeling_layers import GradientCheckpointingLayer

from med_small_lm.params.training import LoopParams
from med_small_lm.tuning.weightless import materialise, meta_model, weightless_optimiser

CUDA_ITSELF = 600 << 20  # bytes of a CUDA context and of cuBLAS' workspace
DEEP = 6  # layers that are gone through; what more of them take grows by the layer
KINDS = ("weights", "gradients", "optimiser", "logits", "activations")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on one device at the moment of a training step that takes most.

    Attributes:
        weights: of the model, its adapters and the copies that ranks gather for a moment among them.
        gradients: of what is trained.
        optimiser: its state.
        logits: scores of the vocabulary for all tokens, their softmax and their gradient.
        activations: what is kept for the way back, and all else.
    """

    weights: int
    gradients: int
    optimiser: int
    logits: int
    activations: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, kind) for kind in KINDS)

    def __str__(self) -> str:
        """For the log."""
        return f"{in_bytes(self.total)} ({self.parts()})"

    def parts(self) -> str:
        """What is what of it."""
        told = {kind: getattr(self, kind) for kind in KINDS}
        return ", ".join(f"{kind} {in_bytes(size)}" for kind, size in told.items() if size)


def training_memory(
    config: Any, loop: LoopParams, *, packed: bool = True, device: str = "cpu", ranks: int = 1, strategy: str = "ddp"
) -> Memory:
    """Returns what a training takes of one device, nothing of it allocated.

    Args:
        config: the model's configuration, of any causal architecture of transformers.
        loop: mode, precision, batch, length, optimiser.
        packed: whether rows have position ids, which hide the documents of a row from each other by a mask.
        device: ``cpu`` or ``cuda``; AdamW goes over the weights otherwise there.
        ranks: processes in all.
        strategy: ``fsdp`` shares weights, gradients and the optimiser's state out among them, ``ddp`` does not.
    """

    def peaks(layers: int) -> dict[str, Counter[str]]:
        model = meta_model(_of_depth(config, layers), loop)
        found = _metered(model, config.get_text_config().vocab_size, loop, packed, device)
        return {phase: _on_device(peak, phase, model, ranks, strategy) for phase, peak in found.items()}

    depth = int(config.get_text_config().num_hidden_layers)
    found = list(peaks(min(depth, DEEP)).values())
    if depth > DEEP:
        few = list(peaks(DEEP // 2).values())
        found = [_extended(less, more, depth) for less, more in zip(few, found, strict=True)]
    most = max(found, key=Counter.total)
    most["activations"] += CUDA_ITSELF if device == "cuda" else 0
    return Memory(**{kind: most[kind] for kind in KINDS})


def _of_depth(config: Any, layers: int) -> Any:
    """Returns the configuration with its first layers alone."""
    config = copy.deepcopy(config)
    text = config.get_text_config()
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    return config


def _extended(less: Counter[str], more: Counter[str], depth: int) -> Counter[str]:
    """Returns a phase's peak with all layers, from that with half of ``DEEP`` and that with ``DEEP``."""
    half = DEEP // 2
    return Counter({kind: more[kind] + (more[kind] - less[kind]) * (depth - DEEP) // half for kind in KINDS})


def _metered(model: Any, vocabulary: int, loop: LoopParams, packed: bool, device: str) -> dict[str, Counter[str]]:
    """Returns the peaks of a step, by phase, in one process that holds everything."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        materialise(model)
        optimiser = weightless_optimiser(model, loop.optimiser, device)  # type: ignore[attr-defined]
        batch = _batch(loop, packed)
        with _Meter(model, vocabulary) as meter:
            _step(model, optimiser, [batch], loop, meter)
            meter.begin(optimiser)
            _step(model, optimiser, [batch] * min(loop.accumulation, 2), loop, meter)
        found: dict[str, Counter[str]] = meter.peaks
    return found


class _Meter(TorchDispatchMode):
    """Counts the bytes of all living tensors by kind, and keeps the most of each phase."""

    def __init__(self, model: nn.Module, vocabulary: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.phase, self.peaks = "forward", dict[str, Counter[str]]()
        self._vocabulary = vocabulary
        self._live: Counter[str] = Counter()
        self._known: dict[int, tuple[str, int]] = {}  # kind and bytes by storage
        self._total = 0
        for tensor in (*model.parameters(), *model.buffers()):
            self._count(tensor, "weights")
        for weight in model.parameters():
            if weight.requires_grad:
                weight.register_post_accumulate_grad_hook(self._of_gradient)

    def begin(self, optimiser: torch.optim.Optimizer) -> None:
        """The optimiser's state is there: meter from here on."""
        for tensor in tree_leaves([list(state.values()) for state in optimiser.state.values()]):
            if isinstance(tensor, Tensor):
                self._count(tensor, "optimiser")
        self.peaks.clear()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:  # a number is read: there is none, any will do
            return 1
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                wide = tensor.dim() > 1 and tensor.shape[-1] == self._vocabulary
                self._count(tensor, "logits" if wide else "activations", new=False)
        return made

    def _of_gradient(self, weight: Tensor) -> None:
        self.phase = "backward"  # the first gradient is there: the logits are behind
        self._count(weight.grad, "gradients")

    def _count(self, tensor: Tensor | None, kind: str, new: bool = True) -> None:
        """Counts a tensor's storage, once; one that is known gets the kind if that is ``new`` knowledge."""
        assert tensor is not None
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            before, size = self._known[key]
            if new:
                self._live[before] -= size
                self._live[kind] += size
                self._known[key] = (kind, size)
            return
        self._known[key] = (kind, size)
        self._live[kind] += size
        self._total += size
        weakref.finalize(storage, self._free, key).atexit = False
        if self._total > self.peaks.get(self.phase, Counter()).total():
            self.peaks[self.phase] = self._live.copy()

    def _free(self, key: int) -> None:
        kind, size = self._known.pop(key)
        self._live[kind] -= size
        self._total -= size


def _step(model: Any, optimiser: Any, batches: list[dict[str, Tensor]], loop: LoopParams, meter: _Meter) -> None:
    """Goes through one optimiser step as transformers' Trainer does."""
    for batch in batches:
        meter.phase = "forward"
        with torch.autocast("cpu", torch.bfloat16, enabled=loop.precision == "bf16"):
            out = model(**batch)
        if loop.precision == "bf16":
            out = convert_to_fp32(out)  # accelerate does it with all that the model returns
        loss = out["loss"]
        del out
        loss.backward()
    meter.phase = "update"
    nn.utils.clip_grad_norm_([weight for weight in model.parameters() if weight.grad is not None], 1.0)
    optimiser.step()
    optimiser.zero_grad()


def _batch(loop: LoopParams, packed: bool) -> dict[str, Tensor]:
    ids = torch.zeros(loop.batch_size, loop.block_size, dtype=torch.int64)
    places = {"position_ids": torch.zeros_like(ids)} if packed else {}
    return {"input_ids": ids, "labels": torch.zeros_like(ids), **places}


def _on_device(peak: Counter[str], phase: str, model: nn.Module, ranks: int, strategy: str) -> Counter[str]:
    """Returns one device's part of what one process alone would take."""
    if ranks > 1 and strategy == "ddp":
        peak["gradients"] *= 2  # the buckets in which they are summed
    if ranks > 1 and strategy == "fsdp":
        for kind in ("weights", "gradients", "optimiser", *(["activations"] if phase == "update" else [])):
            peak[kind] = -(-peak[kind] // ranks)
        peak["weights"] += _gathered(model) if phase != "update" else 0
    return peak


def _gathered(model: nn.Module) -> int:
    """Returns the bytes that a rank gathers for a moment: the model's ends, two layers, and a layer's gradient."""
    layers = [layer for layer in model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    whole, trained = [_size(layer) for layer in layers], [_size(layer, True) for layer in layers]
    return _size(model) - sum(whole) + 2 * max(whole, default=0) + max(trained, default=0)


def _size(module: nn.Module, trained: bool = False) -> int:
    weights = [weight for weight in module.parameters() if weight.requires_grad or not trained]
    return sum(weight.numel() * weight.element_size() for weight in weights)


def in_bytes(count: float) -> str:
    """Returns a number of bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit == "GB" else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
