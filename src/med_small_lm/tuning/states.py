"""Saved states of a training: all that it needs to go on exactly where it was.

A state is a folder ``checkpoint-STEP``::

    weights-0.safetensors     trained weights; under FSDP a file a rank, each with the rank's own part
    optimiser-0.safetensors   the optimiser's tensors, likewise; what is no tensor stands in optimiser-0.json
    rng_state.pth             state of the random numbers, a file a rank
    rank-0.json               running loss since the last logged step, a file a rank
    trainer_state.json        step and history
    schedule.json             state of the learning rate's schedule
    complete                  the plan's fingerprint, written last: without it the folder is what a kill left

A state of the best k whose turn to go has come keeps its weights alone, as ``best-STEP``.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

COMPLETE = "complete"
STATE, BEST = "checkpoint-", "best-"
NEWEST_KEPT = 2


def save_weights(model: nn.Module, folder: Path, rank: int) -> None:
    """Leaves the trained weights in ``folder``: rank 0's where all ranks have the same, else each rank's part."""
    if rank == 0 or is_sharded(model):
        save_file({name: _local(weight) for name, weight in trained(model)}, folder / f"weights-{rank}.safetensors")


def load_weights(model: nn.Module, folder: Path, rank: int) -> None:
    """Puts the weights of a state into the model."""
    saved = load_file(folder / f"weights-{rank if is_sharded(model) else 0}.safetensors")
    with torch.no_grad():
        for name, weight in trained(model):
            part = weight.to_local() if isinstance(weight, DTensor) else weight
            part.copy_(saved[name])


def save_optimiser(optimiser: torch.optim.Optimizer, model: nn.Module, folder: Path, rank: int) -> None:
    """Leaves the optimiser's state in ``folder``, tensors and plain values apart; nothing is pickled."""
    if rank and not is_sharded(model):
        return
    told = optimiser.state_dict()
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for place, state in told["state"].items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{place}.{key}"] = _local(value)
            else:
                plain.setdefault(str(place), {})[key] = value
    save_file(tensors, folder / f"optimiser-{rank}.safetensors")
    rest = {"groups": told["param_groups"], "state": plain}
    (folder / f"optimiser-{rank}.json").write_text(json.dumps(rest), encoding="utf-8")


def load_optimiser(optimiser: torch.optim.Optimizer, model: nn.Module, folder: Path, rank: int) -> None:
    """Puts a saved state into the optimiser, tensors as parts of what is shared out where the weights are."""
    part = rank if is_sharded(model) else 0
    rest = json.loads((folder / f"optimiser-{part}.json").read_text(encoding="utf-8"))
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Any]] = {int(place): dict(values) for place, values in rest["state"].items()}
    for name, value in load_file(folder / f"optimiser-{part}.safetensors").items():
        place, _, key = name.partition(".")
        state.setdefault(int(place), {})[key] = _shared_like(value, weights[int(place)])
    optimiser.load_state_dict({"state": state, "param_groups": rest["groups"]})


def trained(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Returns the weights that training changes, by name."""
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


def is_sharded(model: nn.Module) -> bool:
    """Returns whether each rank holds a part of the trained weights (FSDP)."""
    return any(isinstance(weight, DTensor) for _, weight in trained(model))


def seal(folder: Path, plan: str) -> None:
    """Forces a state to disk and marks it as whole, and as of this plan: a job left over from another may save too."""
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    (folder / COMPLETE).write_text(plan, encoding="utf-8")


def newest_state(work: Path, plan: str) -> Path | None:
    """Returns the newest whole state of a plan in ``work``, None if there is none."""
    return max((path for path in work.glob(f"{STATE}*") if is_whole(path, plan)), key=step_of, default=None)


def is_whole(state: Path, plan: str) -> bool:
    """Returns whether a state was saved to its end, by a training of this plan."""
    mark = state / COMPLETE
    return mark.is_file() and mark.read_text(encoding="utf-8") == plan


def sweep(work: Path, plan: str) -> None:
    """Deletes what a kill, or a training of another plan, left of states."""
    for path in work.glob(f"{STATE}*"):
        if not is_whole(path, plan):
            shutil.rmtree(path)


def prune(work: Path, best: Sequence[int]) -> None:
    """Keeps the newest states whole and of the best steps the weights; deletes the rest."""
    states = sorted(work.glob(f"{STATE}*"), key=step_of)
    for path in states[:-NEWEST_KEPT]:
        if step_of(path) in best:
            path.rename(work / f"{BEST}{step_of(path)}")
        else:
            shutil.rmtree(path)
    for path in work.glob(f"{BEST}*"):
        if step_of(path) not in best:
            shutil.rmtree(path)
            continue
        for file in path.iterdir():
            if not file.name.startswith("weights-"):
                file.unlink()


def saved_at(work: Path, step: int) -> Path | None:
    """Returns the folder that holds the weights of a step, None if they were not kept."""
    return next((path for name in (STATE, BEST) if (path := work / f"{name}{step}").is_dir()), None)


def best_steps(work: Path, scores: Mapping[int, float], k: int, last: int | None = None) -> list[int]:
    """Returns the ``k`` steps of the lowest scores among those saved in ``work``, best first; nan is no score.

    Args:
        work: the folder of the states.
        scores: by step.
        k: how many.
        last: a step that counts as saved, because its weights are in the model.
    """
    known = {step: score for step, score in scores.items() if step and not math.isnan(score)}
    kept = [step for step in known if step == last or saved_at(work, step)]
    return sorted(kept, key=lambda step: (known[step], step))[:k]


def step_of(state: Path) -> int:
    """Returns the step that a state was saved at."""
    return int(state.name.rpartition("-")[2])


def _local(tensor: Tensor) -> Tensor:
    """Returns what a rank holds of a tensor."""
    return (tensor.to_local() if isinstance(tensor, DTensor) else tensor).detach().contiguous()


def _shared_like(value: Tensor, weight: Tensor) -> Tensor:
    """Returns a rank's part of a tensor as the tensor itself, where it belongs to a weight that is shared out."""
    if not isinstance(weight, DTensor) or value.shape != weight.to_local().shape:
        return value
    return DTensor.from_local(
        value.to(weight.device), weight.device_mesh, weight.placements, shape=weight.shape, stride=weight.stride()
    )
