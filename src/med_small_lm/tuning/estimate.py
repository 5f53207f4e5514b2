"""What a run will need: disk, memory and time, said before it starts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import TINY, BaseModelParams, InjectionParams
from med_small_lm.params.training import LoopParams
from med_small_lm.tuning.injection import n_steps
from med_small_lm.tuning.optimiser import make_optimiser

FLOAT = 4  # bytes
LIBRARIES = 700 * 2**20  # bytes of memory that torch and transformers take before any model is there
PROBE_STEPS = 3
PROBE_MAX = 50_000_000  # parameters; a larger model is not tried out before a run
ACTIVATIONS = 34  # floats a token, layer and unit of width (Korthikanti et al. 2022, in bytes at 16 bits)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What both trainings need.

    Attributes:
        parameters: weights of the model.
        disk: bytes of the checkpoints, saved states among them.
        memory: bytes at the peak of training, libraries among them.
        seconds: of both trainings on this machine as busy as it is now; nan where it was not tried out.
    """

    parameters: int
    disk: int
    memory: int
    seconds: float

    def __str__(self) -> str:
        """One line for the log."""
        told = f"about {_time(self.seconds)}" if self.seconds == self.seconds else "time not tried out (a large model)"
        return (
            f"training needs: {told} on this machine, {_bytes(self.memory)} of memory, {_bytes(self.disk)} of disk "
            f"({self.parameters / 1e6:.1f} M parameters)"
        )


def estimate(
    base: BaseModelParams, injection: InjectionParams, tuning: TuneParams, corpus_tokens: int, probe: bool = True
) -> Estimate:
    """Returns what injection and tuning will need, from the parameters and a few steps on random tokens.

    Args:
        base: the base model; of another source than "tiny" its configuration must lie here.
        injection: its parameters.
        tuning: its parameters.
        corpus_tokens: tokens of the corpus, asked for where ``injection`` counts epochs.
        probe: whether to time a few steps (about a second for the tiny model).
    """
    model = _shape(base)
    n = sum(weight.numel() for weight in model.parameters())
    seconds = float("nan")
    if probe and n <= PROBE_MAX:
        of_step = {loop: step_seconds(model, loop) for loop in (injection, tuning)}
        seconds = n_steps(injection, corpus_tokens) * of_step[injection] + tuning.steps * of_step[tuning]
    saving = any(loop.save_steps for loop in (injection, tuning))
    states = 3 * n * FLOAT  # weights and two moments
    disk = 3 * n * FLOAT + (2 * states if saving else 0)
    memory = LIBRARIES + n * FLOAT + states + max(_batch_bytes(model.config, loop) for loop in (injection, tuning))
    return Estimate(n, disk, memory, seconds)


def step_seconds(model: Any, loop: InjectionParams | TuneParams) -> float:
    """Returns the wall time of an optimiser step on random tokens: the fastest of a few; the weights are spoilt."""
    if loop.threads:
        torch.set_num_threads(loop.threads)
    optimiser = make_optimiser(model, loop.optimiser)
    ids = torch.randint(model.config.vocab_size, (loop.batch_size, min(loop.block_size, _positions(model.config))))
    spent = []
    for _ in range(PROBE_STEPS + 1):
        began = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        spent.append(time.perf_counter() - began)
    return min(spent[1:]) * loop.accumulation


def _shape(base: BaseModelParams) -> Any:
    """Returns a model of the base model's shape with random weights, without weights where it is large."""
    if base.source == TINY:
        config: Any = LlamaConfig(
            vocab_size=base.vocab_size,
            hidden_size=base.hidden_size,
            intermediate_size=base.intermediate_size,
            num_hidden_layers=base.layers,
            num_attention_heads=base.heads,
            max_position_embeddings=base.positions,
            tie_word_embeddings=True,
        )
    else:
        config = AutoConfig.from_pretrained(
            base.source, local_files_only=not base.allow_download, trust_remote_code=False
        )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    small = sum(weight.numel() for weight in model.parameters()) <= PROBE_MAX
    return AutoModelForCausalLM.from_config(config) if small else model


def _batch_bytes(config: Any, loop: LoopParams) -> int:
    """Returns the bytes of a batch's activations and logits (the latter with their gradient and softmax)."""
    tokens = loop.batch_size * loop.block_size
    layers = int(config.num_hidden_layers) * int(config.hidden_size) * ACTIVATIONS
    return tokens * FLOAT * (layers + 4 * int(config.vocab_size))


def _positions(config: Any) -> int:
    return int(getattr(config, "max_position_embeddings", 0) or 1 << 30)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB", "MB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
