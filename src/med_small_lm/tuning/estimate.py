"""What a training will need, and what it would take to fit where it runs: said before it starts."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import psutil
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

from med_small_lm.errors import UserError
from med_small_lm.hub import hub_open
from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import TINY, BaseModelParams, InjectionParams
from med_small_lm.params.launch import Launch
from med_small_lm.tuning.flops import peak_flops, token_flops
from med_small_lm.tuning.injection import n_steps, step_tokens
from med_small_lm.tuning.memory import Memory, in_bytes, training_memory
from med_small_lm.tuning.modes import check_shared
from med_small_lm.tuning.optimiser import make_optimiser
from med_small_lm.tuning.states import NEWEST_KEPT
from med_small_lm.tuning.weightless import BITS
from med_small_lm.tuning.weights import CLOSED

Training: TypeAlias = InjectionParams | TuneParams

LIBRARIES = 900 << 20  # bytes of memory that torch, transformers and peft take before any model is there
PROBE_STEPS = 3
PROBE_MAX = 50_000_000  # parameters; a larger model is not tried out before a run
USED = 0.4  # share of the hardware's arithmetic that a large model's training is expected to use
SPARE = 0.05  # share of a GPU's memory that its allocator loses between tensors
FREE = "import sys, torch; print(*(torch.cuda.mem_get_info(gpu)[0] for gpu in range(int(sys.argv[1]))))"


@dataclass(frozen=True, slots=True)
class Place:
    """Where training runs.

    Attributes:
        device: ``cuda`` or ``cpu``.
        memory: bytes that are free: of the smallest GPU, or of this machine.
        gpus: how many there are.
    """

    device: str
    memory: int
    gpus: int = 0

    @classmethod
    def here(cls, launch: Launch) -> Place:
        """Returns what this machine has free now for a launch; what this process has taken is free for it.

        Raises:
            UserError: its GPUs do not say what they have free.
        """
        if not torch.cuda.is_available():
            return cls("cpu", psutil.virtual_memory().available + psutil.Process().memory_info().rss)
        n = torch.cuda.device_count()
        if torch.cuda.is_initialized():  # this process trains, on a GPU of its own
            return cls("cuda", torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved(), n)
        return cls("cuda", _free(min(n, launch.processes)), n)

    def takes(self, memory: Memory, launch: Launch) -> int:
        """Returns the bytes that a training takes of it, libraries and other ranks of this host among them."""
        if self.device == "cuda":
            return int(memory.total * (1 + SPARE))
        return launch.processes * (memory.total + LIBRARIES)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What both trainings need.

    Attributes:
        parameters: weights of the model.
        disk: bytes of the checkpoints, of the best ones kept beside them, and of the states saved on the way.
        memory: by stage, on each device.
        seconds: of both trainings on this machine as busy as it is now; none of what Slurm runs elsewhere.
    """

    parameters: int
    disk: int
    memory: Mapping[str, Memory]
    seconds: float

    def host_memory(self, launch: Launch, place: Place) -> int:
        """Returns the bytes of this host's own memory: where it does not train, what the weights pass through."""
        if place.gpus or launch.how == "slurm":
            return (1 if launch.how == "slurm" else launch.processes) * (LIBRARIES + 4 * self.parameters)
        return max(place.takes(one, launch) for one in self.memory.values())

    def __str__(self) -> str:
        """One line for the log."""
        most = max(self.memory.values(), key=lambda one: one.total)
        return (
            f"training needs: about {_time(self.seconds)} on this machine, {most} of memory a device, "
            f"{in_bytes(self.disk)} of disk ({self.parameters / 1e6:.1f} M parameters)"
        )


def estimate(
    base: BaseModelParams, injection: InjectionParams, tuning: TuneParams, corpus_tokens: int,
    launch: Launch = Launch(), place: Place | None = None,  # noqa: B008  frozen
) -> Estimate:  # fmt: skip
    """Returns what injection and tuning will need, from the parameters alone; a small model's step is timed.

    Args:
        base: the base model; of another source than "tiny" its configuration must lie here.
        injection: its parameters.
        tuning: its parameters.
        corpus_tokens: tokens of the corpus, asked for where ``injection`` counts epochs.
        launch: ranks and strategy.
        place: where it runs; here by default.
    """
    config, place = config_of(base), place or Place.here(launch)
    stages: dict[str, Training] = {"injection": injection, "tuning": tuning}
    memory = {name: stage_memory(config, stage, launch, place) for name, stage in stages.items()}
    weights, ranks = _weights(config), launch.processes * launch.hosts
    passes = (tuning.epochs or 0) * corpus_tokens / (ranks * step_tokens(tuning))  # examples come to about the books
    steps = {
        "injection": n_steps(injection, corpus_tokens, ranks),
        "tuning": math.ceil(passes) if tuning.steps is None else tuning.steps,
    }
    here = {name: n for name, n in steps.items() if n and launch.how != "slurm"}
    seconds = math.fsum(n * step_seconds(config, stages[name], place) for name, n in here.items())
    return Estimate(weights, _disk(weights, stages), memory, seconds)


def config_of(base: BaseModelParams) -> Any:
    """Returns the configuration of the base model: its shape.

    Raises:
        OSError: it does not lie here.
    """
    if base.source != TINY:
        closed = {**CLOSED, "local_files_only": not base.allow_download}
        with hub_open(base.allow_download):
            return AutoConfig.from_pretrained(base.source, revision=base.revision or "main", **closed)
    return LlamaConfig(
        vocab_size=base.vocab_size, hidden_size=base.hidden_size, intermediate_size=base.intermediate_size,
        num_hidden_layers=base.layers, num_attention_heads=base.heads, num_key_value_heads=base.heads,
        max_position_embeddings=base.positions, tie_word_embeddings=True,
    )  # fmt: skip


def stage_memory(config: Any, stage: Training, launch: Launch, place: Place) -> Memory:
    """Returns what a stage takes of one device."""
    packed = not isinstance(stage, InjectionParams) or stage.separate_documents
    ranks, strategy = launch.processes * launch.hosts, "ddp" if stage.mode in BITS else launch.strategy
    return training_memory(config, stage, packed=packed, device=place.device, ranks=ranks, strategy=strategy)


def check(config: Any, stage: Training, launch: Launch, parameter: str) -> None:
    """Raises UserError if a training's parameters do not go with the base model, or with the launch.

    Args:
        config: the base model's.
        stage: parameters of the training.
        launch: ranks and strategy.
        parameter: where the stage's are, for the error.
    """
    check_shared(stage, launch.processes * launch.hosts if launch.strategy == "fsdp" else 1)
    longest = int(getattr(config, "max_position_embeddings", 0) or stage.block_size)
    if stage.block_size > longest:
        raise UserError(
            f"{parameter}.block_size is {stage.block_size} tokens, but the base model reads {longest} at most; take "
            f"block_size: {longest} or less, or a model that reads more (tiny: knowledge_injection.base.positions)"
        )


def refusal(config: Any, stage: Training, memory: Memory, launch: Launch, place: Place) -> str:
    """Returns why a training that takes ``memory`` cannot fit and what would, in one line; nothing where it fits."""
    if place.takes(memory, launch) <= place.memory:
        return ""
    where = (
        f"the smallest GPU has {in_bytes(place.memory)}" if place.gpus else f"this machine has {in_bytes(place.memory)}"
    )
    return (
        f"needs {in_bytes(place.takes(memory, launch))} of memory ({memory.parts()}), {where} free; "
        f"{what_fits(config, stage, launch, place)}"
    )


def what_fits(config: Any, stage: Training, launch: Launch, place: Place | None = None) -> str:
    """Returns in words the first change of the parameters with which a training fits, the gentlest ones first."""
    place = place or Place.here(launch)
    for changes, ranks in _gentle_first(stage, launch, place):
        other = type(stage).model_validate(stage.model_dump() | _nested(stage, changes))
        memory = stage_memory(config, other, ranks, place)
        if (taken := place.takes(memory, ranks)) <= place.memory:
            told = [f"{name}: {_yaml(value)}" for name, value in changes.items()]
            if ranks is not launch:
                told.append(f"launch: {{how: {ranks.how}, processes: {ranks.processes}, strategy: {ranks.strategy}}}")
            return f"this would fit ({in_bytes(taken)}): {', '.join(told)}"
    return "no batch, mode or sharding over the GPUs here would fit: take a smaller base model or block_size"


def _gentle_first(stage: Training, launch: Launch, place: Place) -> Iterator[tuple[dict[str, Any], Launch]]:
    """Changes of the parameters, and the launch: those that leave the result as it is come before those that do not."""
    rows = stage.batch_size * stage.accumulation
    smaller = [size for size in (stage.batch_size // 2, 1) if 0 < size < stage.batch_size and rows % size == 0]
    batches = [{"batch_size": size, "accumulation": rows // size} for size in sorted(set(smaller), reverse=True)]
    least = batches[-1] if batches else {}
    again = {} if stage.checkpointing else {"checkpointing": True}
    how = "slurm" if launch.how == "slurm" else "torchrun"
    sharded = launch.model_copy(update={"how": how, "processes": place.gpus, "strategy": "fsdp"})
    whole = launch if launch.strategy == "ddp" else launch.model_copy(update={"strategy": "ddp"})
    low = {"optimiser.name": "adamw_8bit", "weights": "bf16", "precision": "bf16"}
    modes = ["full", "lora", "lora_8bit", "qlora"]
    smaller_modes = [{"mode": mode} for mode in ("lora", "qlora") if modes.index(mode) > modes.index(stage.mode)]
    yield from ((batch, launch) for batch in batches)
    if again:
        yield again, launch
        yield {**least, **again}, launch
    shareable = stage.mode in ("full", "lora") and (place.gpus > launch.processes or launch.strategy == "ddp")
    if shareable and place.gpus > 1:
        yield {**least, **again}, sharded
    if stage.mode == "full":
        yield {**least, **again, **low}, launch
        if place.gpus > 1:
            yield {**least, **again, **low}, sharded
    for mode in smaller_modes:
        yield {**least, **again, **mode, "precision": "bf16"}, whole if mode["mode"] in BITS else launch


def _nested(stage: Training, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns changes with ``optimiser.name`` put into the optimiser's own."""
    flat = {name: value for name, value in changes.items() if "." not in name}
    if "optimiser.name" in changes:
        flat["optimiser"] = stage.optimiser.model_dump() | {"name": changes["optimiser.name"]}
    return flat


def _free(gpus: int) -> int:
    """Returns the bytes that each of the first GPUs has free at least; who asks takes some, so another process does."""
    told = subprocess.run([sys.executable, "-c", FREE, str(gpus)], capture_output=True, text=True)
    if told.returncode:
        raise UserError(f"the GPUs do not say what memory they have free: {told.stderr.strip().rpartition(chr(10))[2]}")
    return min(map(int, told.stdout.split()))


@lru_cache(maxsize=8)
def _rate(place: Place, precision: str) -> float:
    return peak_flops(torch.device(place.device), precision)


def step_seconds(config: Any, stage: Training, place: Place) -> float:
    """Returns the wall time of an optimiser step: a small model's tried out here, a large one's by its arithmetic."""
    if place.device == "cpu" and _weights(config) <= PROBE_MAX:
        return _tried(config, stage)
    work = token_flops(config, stage.mode, stage.block_size) * (4 / 3 if stage.checkpointing else 1)
    return step_tokens(stage) * work / (USED * _rate(place, stage.precision))


def _tried(config: Any, stage: Training) -> float:
    """Returns the time of a step on random tokens and random weights: the fastest of a few."""
    if stage.threads:
        torch.set_num_threads(stage.threads)
    with torch.random.fork_rng(devices=[]):
        model = AutoModelForCausalLM.from_config(config)
        length = min(stage.block_size, int(getattr(config, "max_position_embeddings", 0) or stage.block_size))
        ids = torch.randint(config.vocab_size, (stage.batch_size, length))
    optimiser, spent = make_optimiser(model, stage.optimiser), []
    for _ in range(PROBE_STEPS + 1):
        began = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        spent.append(time.perf_counter() - began)
    return min(spent[1:]) * stage.accumulation


def _weights(config: Any) -> int:
    """Returns how many weights a model has."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in AutoModelForCausalLM.from_config(config).parameters())


def _disk(n: int, stages: Mapping[str, Training]) -> int:
    """Returns the bytes of base and both results with their best states, and of the states of the greater stage.

    ::

        base   injected + best k   tuned + best k      stay
        work   states, one more while it is written    until their stage is published
    """
    size, states = 4 * n, []
    kept = size
    for stage in stages.values():
        weight = 2 if stage.mode == "full" and stage.weights == "bf16" else 4
        best = stage.best_kept if stage.save_steps else 0
        kept += weight * n * (1 + best)
        trained = weight * n if stage.mode == "full" else n // 50  # adapters: about a hundredth, in float32
        moments = 2 * n if stage.optimiser.name == "adamw_8bit" else 2 * trained
        states.append(((NEWEST_KEPT + 1) * (trained + moments) + best * trained) if stage.save_steps else 0)
    return kept + max(states)


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
