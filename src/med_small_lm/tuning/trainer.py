"""The training loop that injection and tuning share: transformers' Trainer, with saves and stops of our own."""

from __future__ import annotations

import json
import logging
import math
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.distributed
from torch.distributed.tensor import DTensor
from torch.utils.data import Dataset
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from med_small_lm.params.training import LoopParams, OptimiserParams
from med_small_lm.tuning import states
from med_small_lm.tuning.curve import Curve
from med_small_lm.tuning.heap import give_back_at_once
from med_small_lm.tuning.optimiser import make_optimiser
from med_small_lm.tuning.packing import Features, stack
from med_small_lm.tuning.weights import without_bars

LOG = logging.getLogger(__name__)

Model: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Loop:
    """One training run: what it is called, how long it is, its parameters, and the fingerprint of its plan."""

    stage: str
    steps: int
    params: LoopParams
    optimiser: OptimiserParams
    seed: int
    plan: str


class TrainingError(RuntimeError):
    """Why a training cannot go on."""


class Diverged(TrainingError):
    """A loss that is no number."""


class Stopped(TrainingError):
    """A training that was asked to stop, and saved its state before it did."""


def train(
    model: Model, rows: Dataset[Features], loop: Loop, work: Path, curve: Curve, arguments: TrainingArguments
) -> None:
    """Trains ``model`` in place for ``loop.steps`` steps, from the newest whole state in ``work`` if there is one.

    The rows are taken in their order, so that the order is the dataset's own and is the same after a resume; with
    several ranks each takes its part of every batch.

    Args:
        model: as ``modes.trainable`` gives it.
        rows: all rows of the training, ``steps`` times the batches of all ranks.
        loop: length and parameters.
        work: where states are saved.
        curve: measures and logs on the way.
        arguments: of ``training_arguments``.

    Raises:
        TrainingError: the loss is not a number any more, or the saved state is another launch's.
        Stopped: SIGTERM or SIGINT came; the state is saved.
    """
    set_seed(loop.seed)
    give_back_at_once(model, arguments.device)
    if arguments.should_save:
        states.sweep(work, loop.plan)
    with _stops() as stop:
        trainer = _Trainer(model, rows, loop, work, curve, stop, arguments)
        state = states.newest_state(work, loop.plan)
        if state is not None:
            check_launch(state, arguments.world_size, states.is_sharded(model))
            LOG.info("%s: goes on from step %d", loop.stage, states.step_of(state))
        with without_bars():
            trainer.train(resume_from_checkpoint=str(state) if state else None)
    step = trainer.state.global_step
    if stop.asked and states.saved_at(work, step):
        raise Stopped(f"{loop.stage} was stopped at step {step} of {loop.steps}; the same command goes on from there")


def training_arguments(loop: Loop, work: Path) -> TrainingArguments:
    """Returns the Trainer's settings: one fixed length, a log, no reports, no hub; ranks find each other by them."""
    params, optimiser = loop.params, loop.optimiser
    if params.threads:
        torch.set_num_threads(params.threads)
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=max(loop.steps, 1),
        per_device_train_batch_size=params.batch_size,
        gradient_accumulation_steps=params.accumulation,
        train_sampling_strategy="sequential",
        learning_rate=optimiser.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": optimiser.final_share},
        warmup_steps=min(optimiser.warmup_steps, loop.steps // 2),
        max_grad_norm=optimiser.clip,
        logging_steps=params.log_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps" if params.save_steps else "no",
        save_steps=params.save_steps or 500,
        save_only_model=True,  # what is saved is ours to say, and the Trainer refuses to save what FSDP has shared out
        bf16=params.precision == "bf16",
        use_cpu=not torch.accelerator.is_available(),  # left to itself, the Trainer takes ranks without a GPU for one
        torch_compile=params.compile,
        seed=loop.seed,
        data_seed=loop.seed,
        report_to="none",
        push_to_hub=False,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=not sys.stderr.isatty(),
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # one process drives one GPU; for more there is launch.how
    return arguments


def check_launch(state: Path, ranks: int, sharded: bool) -> None:
    """Raises TrainingError if a state was saved by other ranks than those that want to go on from it."""
    saved = len(list(state.glob("rank-*.json")))
    was_sharded = (state / "weights-1.safetensors").is_file()
    if (saved, was_sharded) != (ranks, sharded and ranks > 1):
        raise TrainingError(
            f"{state} was saved by {saved} process(es){' under FSDP' * was_sharded}, now there are {ranks}"
            f"{' under FSDP' * sharded}: launch as before, or delete {state.parent} to begin anew"
        )


class _Trainer(Trainer):
    """Trainer whose states are ours: exact after a resume, whole or not there, and the same for one rank and many."""

    model: Any
    optimizer: Any
    lr_scheduler: Any

    def __init__(
        self, model: Model, rows: Dataset[Features], loop: Loop, work: Path, curve: Curve, stop: _Stop,
        arguments: TrainingArguments,
    ) -> None:  # fmt: skip
        if not getattr(model, "is_quantized", False) and not model.is_distributed_loading_by_transformers:
            model.to(arguments.device)
        optimiser = make_optimiser(model, loop.optimiser)
        super().__init__(
            model=model, args=arguments, train_dataset=rows, data_collator=stack, optimizers=(optimiser, None),
            callbacks=[curve, _Guard(self, stop)],
        )  # fmt: skip
        for unwanted in (PrinterCallback, *([] if sys.stderr.isatty() else [ProgressCallback])):
            self.remove_callback(unwanted)
        self._work, self._curve, self._loop = work, curve, loop

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self.check_loss()
        rank, folder = self.args.process_index, self._work / f"{states.STATE}{self.state.global_step}"
        if rank == 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.accelerator.wait_for_everyone()
        states.save_weights(self.model, folder, rank)
        states.save_optimiser(self.optimizer, self.model, folder, rank)
        self._save_rng_state(str(folder))
        running = {"loss": float(self._tr_loss), "logged": self._globalstep_last_logged}
        (folder / f"rank-{rank}.json").write_text(json.dumps(running), encoding="utf-8")
        self.accelerator.wait_for_everyone()
        if rank == 0:
            schedule = json.dumps(self.lr_scheduler.state_dict())
            (folder / "schedule.json").write_text(schedule, encoding="utf-8")
            self.state.save_to_json(str(folder / "trainer_state.json"))
            states.seal(folder, self._loop.plan)
            best = states.best_steps(self._work, self._curve.scores, self._loop.params.best_kept)
            states.prune(self._work, best)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        states.load_weights(self.model, Path(resume_from_checkpoint), self.args.process_index)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            states.load_optimiser(self.optimizer, self.model, Path(checkpoint), self.args.process_index)
            schedule = json.loads((Path(checkpoint) / "schedule.json").read_text(encoding="utf-8"))
            self.lr_scheduler.load_state_dict(schedule)

    def check_loss(self) -> None:
        """Raises Diverged, on all ranks alike, if the loss since the last logged step or a weight is no number."""
        weights = [weight.detach().sum() for _, weight in states.trained(self.model)]
        parts = [one.to_local() if isinstance(one, DTensor) else one for one in weights]
        own = self._tr_loss + 0 * torch.stack([part.float() for part in parts]).sum()
        check_finite(float(self.accelerator.gather(own).sum()), self.state.global_step)

    def go_on(self, state: Path) -> None:
        """Takes up the mean of the loss where it was, so that the next logged loss is that of an unbroken run."""
        running = json.loads((state / f"rank-{self.args.process_index}.json").read_text(encoding="utf-8"))
        self._tr_loss += running["loss"]
        self._globalstep_last_logged = running["logged"]


class _Guard(TrainerCallback):
    """Stops a training that is asked to stop, or whose loss is no number."""

    def __init__(self, trainer: _Trainer, stop: _Stop) -> None:
        self._trainer, self._stop = trainer, stop

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step and (saved := states.saved_at(Path(args.output_dir), state.global_step)):
            self._trainer.go_on(saved)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._stop.agreed(args.device):
            control.should_save = control.should_training_stop = True
        if state.global_step == state.max_steps:
            control.should_log = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            check_finite(float(logs["loss"]), state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._trainer.check_loss()


def check_finite(loss: float, step: int) -> None:
    """Raises Diverged if a loss is no number."""
    if not math.isfinite(loss):
        raise Diverged(f"the loss is {loss} at step {step}: a lower learning rate may help")


@dataclass(slots=True)
class _Stop:
    """Whether this rank was asked to stop."""

    asked: bool = False

    def agreed(self, device: torch.device) -> bool:
        """Returns whether any rank was asked, the same on all of them."""
        if torch.distributed.is_initialized():
            flag = torch.tensor(float(self.asked), device=device)
            torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
            self.asked = bool(flag)
        return self.asked


@contextmanager
def _stops() -> Iterator[_Stop]:
    """SIGTERM and SIGINT as a wish that is granted at the end of the step; a second one is not waited for."""
    stop = _Stop()
    before: dict[int, Any] = {}

    def wish(number: int, frame: Any) -> None:
        stop.asked = True
        signal.signal(number, before[number])
        LOG.warning("asked to stop: this step is finished and the state saved")

    try:
        for wanted in (signal.SIGTERM, signal.SIGINT):
            before[wanted] = signal.signal(wanted, wish)
    except ValueError:  # not the main thread, so signals go elsewhere
        pass
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
