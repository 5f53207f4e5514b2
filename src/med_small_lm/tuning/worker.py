"""What every rank of a training does: the model and the rows opened, the loop run, the weights written.

It reads all that it needs from the draft's own folder and imports neither Kedro nor MLflow, so that it runs on a bare
GPU machine.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from torch.distributed.tensor import DTensor

from med_small_lm.params.launch import Launch
from med_small_lm.tuning import flops, injection, modes, states, tune
from med_small_lm.tuning.checkpoint import WORK, Checkpoint
from med_small_lm.tuning.curve import Curve, Log, Pace, no_log
from med_small_lm.tuning.estimate import what_fits
from med_small_lm.tuning.stage import BEST, Result, Spec
from med_small_lm.tuning.trainer import Diverged, Loop, TrainingError, train, training_arguments
from med_small_lm.tuning.weights import config_of

LOG = logging.getLogger(__name__)

STAGES: dict[str, Any] = {injection.STAGE: injection, tune.STAGE: tune}
UNEVEN = 0.1  # share of the weights that a rank may hold beyond its part: rows that do not divide, adapters
FULL = ("out of memory", "can't allocate memory", "not enough memory")


def work(path: Path, log: Log = no_log) -> None:
    """Trains as the spec at ``path`` says; leaves the model in the draft and what came of it beside the spec.

    Raises:
        TrainingError: it cannot go on; the last whole state stays.
        Stopped: it was asked to stop; its state is saved.
    """
    spec, began = Spec.read(path), time.perf_counter()
    stage = STAGES[spec.stage]
    params, start = stage.Params.model_validate(spec.params), Checkpoint.read(Path(spec.start))
    if not spec.steps:
        params = params.model_copy(update={"mode": "full"})  # an adapter that nothing has changed is none
    loop = Loop(spec.stage, spec.steps, params, params.optimiser, spec.seed, spec.plan)
    arguments = training_arguments(loop, path.parent)
    if arguments.world_size != spec.ranks:
        raise TrainingError(f"{spec.ranks} ranks are to train together, but this one sees {arguments.world_size}")
    try:
        model, tokenizer = modes.trainable(start, params, spec.ranks if spec.sharded else 1, spec.seed)
        if spec.sharded:
            log({f"{spec.stage}/share_held": check_sharded(model, spec.ranks)}, 0)
        pace = Pace(
            spec.step_tokens, flops.utilisation(model, params, arguments), params.evaluations, params.save_steps
        )  # fmt: skip
        curve = Curve(spec.stage, pace, log if arguments.should_log else no_log, stage.measure(spec, tokenizer))
        if spec.steps:
            train(model, stage.rows(spec, tokenizer), loop, path.parent, curve, arguments)
        else:
            history: list[dict[str, Any]] = []
            curve.look(model.to(arguments.device), 0, history)
            curve.take(history)
    except Diverged as error:
        raise Diverged(f"{error}; {last_good(model, tokenizer, start, spec, params, arguments)}") from error
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(word in str(error).lower() for word in FULL):
            raise
        said = str(error).partition("\n")[0]
        raise TrainingError(
            f"out of memory ({said}): {what_fits(config_of(start), params, launch_of(spec))}"
        ) from error
    published = publish(model, tokenizer, start, spec, params, curve, arguments)
    if arguments.should_save:
        Result.of(curve, published, time.perf_counter() - began).write(path.parent)


def publish(
    model: Any, tokenizer: Any, start: Checkpoint, spec: Spec, params: Any, curve: Curve, arguments: Any
) -> int:
    """Writes the model, and beside it the best states that are not the model itself; returns the model's step.

    ::

        draft/model.safetensors                       the last state, or the best one
        draft/best/step-1000/model.safetensors        the others of the best k
    """
    draft, saved, last = Path(spec.draft), Path(spec.draft) / WORK, spec.steps
    best = states.best_steps(saved, curve.scores, params.best_kept, last)
    chosen = best[0] if params.publish == "best" and best else last
    for step in sorted({chosen, *best}, key=lambda step: step != last):  # the last state is in the model already
        if step != last and (state := states.saved_at(saved, step)):
            states.load_weights(model, state, arguments.process_index)
        modes.write(model, tokenizer, start, params, draft if step == chosen else draft / BEST / f"step-{step}")
    return chosen


def last_good(
    model: Any, tokenizer: Any, start: Checkpoint, spec: Spec, params: Any, arguments: Any
) -> str:  # fmt: skip
    """Writes the newest saved state as a model of its own beside the draft; returns where it is, in words."""
    state = states.newest_state(Path(spec.draft) / WORK, spec.plan)
    if state is None:
        return "no state had been saved before"
    states.load_weights(model, state, arguments.process_index)
    folder = Path(spec.draft).with_suffix(".last_good")
    modes.write(model, tokenizer, start, params, folder)
    return f"the model of step {states.step_of(state)} is kept in {folder}"


def launch_of(spec: Spec) -> Launch:
    """Returns the launch that a spec is of, as one host's."""
    if spec.ranks == 1:
        return Launch()
    return Launch(how="torchrun", processes=spec.ranks, strategy="fsdp" if spec.sharded else "ddp")


def check_sharded(model: Any, ranks: int) -> float:
    """Returns the share of the weights' bytes that this rank holds.

    Raises:
        TrainingError: weights are not shared out, though that was asked for.
    """
    weights = list(model.parameters())
    whole = sum(weight.numel() * weight.element_size() for weight in weights)
    parts = [weight.to_local() for weight in weights if isinstance(weight, DTensor)]
    held = sum(part.numel() * part.element_size() for part in parts)
    held += sum(one.numel() * one.element_size() for one in weights if not isinstance(one, DTensor))
    if not parts or held / whole > 1 / ranks + UNEVEN:
        raise TrainingError(
            f"launch.strategy: fsdp, but this rank holds {held / whole:.0%} of the weights, not 1/{ranks}"
        )
    LOG.info("holds %s of %s bytes of weights", f"{held:,}", f"{whole:,}")
    return float(held / whole)
