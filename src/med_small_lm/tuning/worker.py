"""What every rank of a training does: the model and the rows opened, the loop run, the weights written.

It reads all that it needs from the draft's own folder and imports neither Kedro nor MLflow, so that it runs on a bare
GPU machine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.distributed.tensor import DTensor
from transformers import TrainingArguments

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


@dataclass(frozen=True, slots=True)
class _Job:
    """What a rank's work is: the spec, what it names, read, and the Trainer's settings."""

    spec: Spec
    params: Any
    start: Checkpoint
    arguments: TrainingArguments
    loop: Loop

    @classmethod
    def of(cls, spec: Spec, folder: Path) -> _Job:
        """Returns the work of a spec; from here on the ranks know each other."""
        params = STAGES[spec.stage].Params.model_validate(spec.params)
        if not spec.steps:
            params = params.model_copy(update={"mode": "full"})  # an adapter that nothing has changed is none
        loop = Loop(spec.stage, spec.steps, params, params.optimiser, spec.seed, spec.plan)
        arguments = training_arguments(loop, folder)
        if arguments.world_size != spec.ranks:
            raise TrainingError(f"{spec.ranks} ranks are to train together, but this one sees {arguments.world_size}")
        return cls(spec, params, Checkpoint.read(Path(spec.start)), arguments, loop)

    def write(self, model: Any, tokenizer: Any, folder: Path) -> None:
        """Writes the model as its mode wants it."""
        modes.write(model, tokenizer, self.start, self.params, folder)


def work(path: Path, log: Log = no_log) -> None:
    """Trains as the spec at ``path`` says; leaves the model in the draft and what came of it beside the spec.

    Raises:
        TrainingError: it cannot go on; the last whole state stays.
        Stopped: it was asked to stop; its state is saved.
    """
    spec, began = Spec.read(path), time.perf_counter()
    job = _Job.of(spec, path.parent)
    with _memory_told(job):
        model, tokenizer = modes.trainable(job.start, job.params, spec.ranks if spec.sharded else 1, spec.seed)
        if spec.sharded:
            log({f"{spec.stage}/share_held": check_sharded(model, spec.ranks)}, 0)
        curve = curve_of(job, model, tokenizer, log)
        try:
            run(job, model, tokenizer, curve)
        except Diverged as error:
            raise Diverged(f"{error}; {last_good(job, model, tokenizer)}") from error
    published = publish(job, model, tokenizer, curve)
    if job.arguments.should_save:
        Result.of(curve, published, time.perf_counter() - began).write(path.parent)


def curve_of(job: _Job, model: Any, tokenizer: Any, log: Log) -> Curve:
    """Returns what measures and logs the training; only the first rank's metrics go anywhere."""
    speed = flops.utilisation(model, job.params, job.arguments)
    pace = Pace(job.spec.step_tokens, speed, job.params.evaluations, job.params.save_steps)
    measure = STAGES[job.spec.stage].measure(job.spec, tokenizer)
    return Curve(job.spec.stage, pace, log if job.arguments.should_log else no_log, measure)


def run(job: _Job, model: Any, tokenizer: Any, curve: Curve) -> None:
    """Trains the model; one that is not to be trained is measured."""
    if job.spec.steps:
        rows = STAGES[job.spec.stage].rows(job.spec, tokenizer)
        train(model, rows, job.loop, Path(job.spec.draft) / WORK, curve, job.arguments)
    else:
        history: list[dict[str, Any]] = []
        curve.look(model.to(job.arguments.device), 0, history)
        curve.take(history)


def publish(job: _Job, model: Any, tokenizer: Any, curve: Curve) -> int:
    """Writes the model, and beside it the best states that are not the model itself; returns the model's step.

    ::

        draft/model.safetensors                       the last state, or the best one
        draft/best/step-1000/model.safetensors        the others of the best k
    """
    draft, saved, last = Path(job.spec.draft), Path(job.spec.draft) / WORK, job.spec.steps
    best = states.best_steps(saved, curve.scores, job.params.best_kept, last)
    chosen = best[0] if job.params.publish == "best" and best else last
    for step in sorted({chosen, *best}, key=lambda step: step != last):  # the last state is in the model already
        if step != last and (state := states.saved_at(saved, step)):
            states.load_weights(model, state, job.arguments.process_index)
        job.write(model, tokenizer, draft if step == chosen else draft / BEST / f"step-{step}")
    return chosen


def last_good(job: _Job, model: Any, tokenizer: Any) -> str:
    """Writes the newest saved state as a model of its own beside the draft; returns where it is, in words."""
    draft = Path(job.spec.draft)
    state = states.newest_state(draft / WORK, job.spec.plan)
    if state is None:
        return "no state had been saved before"
    states.load_weights(model, state, job.arguments.process_index)
    folder = draft.with_suffix(".last_good")
    job.write(model, tokenizer, folder)
    return f"the model of step {states.step_of(state)} is kept in {folder}"


@contextmanager
def _memory_told(job: _Job) -> Iterator[None]:
    """Turns memory that is short into an error that says what would fit."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(word in str(error).lower() for word in FULL):
            raise
        said, sharded = str(error).partition("\n")[0], job.spec.sharded
        launch = Launch(
            how="torchrun" if job.spec.ranks > 1 else "inline", processes=job.spec.ranks,
            strategy="fsdp" if sharded else "ddp",
        )  # fmt: skip
        cure = what_fits(config_of(job.start), job.params, launch)
        raise TrainingError(f"out of memory ({said}): {cure}") from error


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
