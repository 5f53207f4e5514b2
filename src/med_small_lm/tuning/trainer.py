"""The training loop that injection and tuning share: transformers' Trainer, its reports switched off."""

from __future__ import annotations

import logging
import math
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch.utils.data import Dataset
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from med_small_lm.params.training import LoopParams, OptimiserParams
from med_small_lm.tuning.curve import Curve
from med_small_lm.tuning.optimiser import make_optimiser
from med_small_lm.tuning.packing import Features, stack
from med_small_lm.tuning.weights import without_bars

LOG = logging.getLogger(__name__)

COMPLETE = "complete"
"""A file that stands in a saved state only once the state is whole."""

Model: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Loop:
    """One training run: what it is called, how long it is, and its parameters."""

    stage: str
    steps: int
    params: LoopParams
    optimiser: OptimiserParams
    seed: int


class TrainingError(RuntimeError):
    """Why a training cannot go on."""


def train(model: Model, rows: Dataset[Features], loop: Loop, work: Path, curve: Curve) -> None:
    """Trains ``model`` in place for ``loop.steps`` steps, from the newest whole state in ``work`` if there is one.

    The rows are taken in their order, so that the order is the dataset's own and is the same after a resume.

    Raises:
        TrainingError: the loss is not a number any more.
    """
    if loop.params.threads:
        torch.set_num_threads(loop.params.threads)
    set_seed(loop.seed)
    arguments = training_arguments(loop, work)
    cached = model.config.use_cache  # the Trainer switches it off, and rows with position ids rely on that
    optimiser = make_optimiser(model, loop.optimiser)
    trainer = Trainer(
        model=model, args=arguments, train_dataset=rows, data_collator=stack, optimizers=(optimiser, None),
        callbacks=[curve, _Keeper()],
    )  # fmt: skip
    for unwanted in (PrinterCallback, *([] if sys.stderr.isatty() else [ProgressCallback])):
        trainer.remove_callback(unwanted)
    state = newest_state(work)
    if state is not None:
        LOG.info("%s: goes on from step %s", loop.stage, state.name.rpartition("-")[2])
    with without_bars():
        trainer.train(resume_from_checkpoint=str(state) if state else None)
    model.config.use_cache = cached


def training_arguments(loop: Loop, work: Path) -> TrainingArguments:
    """Returns the Trainer's settings: one fixed length, a log, no reports, no hub, saves only if asked for."""
    params, optimiser = loop.params, loop.optimiser
    return TrainingArguments(
        output_dir=str(work),
        max_steps=loop.steps,
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
        save_total_limit=2,
        bf16=params.precision == "bf16",
        seed=loop.seed,
        data_seed=loop.seed,
        report_to="none",
        push_to_hub=False,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=not sys.stderr.isatty(),
    )


def newest_state(work: Path) -> Path | None:
    """Returns the newest whole state in ``work``; those that a kill cut short are deleted."""
    states = sorted(work.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    whole = [path for path in states if (path / COMPLETE).is_file()]
    for path in set(states) - set(whole):
        shutil.rmtree(path)
    return whole[-1] if whole else None


class _Keeper(TrainerCallback):
    """Marks a saved state as whole, and stops a training whose loss is no number."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if logs and "loss" in logs and not math.isfinite(float(logs["loss"])):
            raise TrainingError(
                f"the loss is {logs['loss']} at step {state.global_step}: a lower learning rate may help"
            )
