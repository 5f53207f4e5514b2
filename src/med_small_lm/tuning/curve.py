"""The curve of a training: loss, rates, speed, memory and what is measured on the way, as rows and as live metrics."""

from __future__ import annotations

import logging
import math
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import torch
from torch.distributed.fsdp import FSDPModule
from transformers import TrainerCallback

from med_small_lm.schemas.rows import Perplexity
from med_small_lm.tuning.checkpoint import Row

LOG = logging.getLogger(__name__)

Log: TypeAlias = Callable[[Mapping[str, float], int], None]
"""Takes metrics and the step that they belong to."""

COLUMNS = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "perplexity")
LINES = 10  # lines of a training in the log


def no_log(metrics: Mapping[str, float], step: int) -> None:
    """Takes metrics and does nothing with them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model writes at a step when it is asked a dev question, and what it should have written."""

    step: int
    prompt: str
    reply: str
    expected: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured at a step.

    Attributes:
        score: the dev score, the lower the better: a perplexity; nan where there is nothing to measure it on.
        perplexities: by source and book.
        samples: replies to dev questions.
    """

    score: float = math.nan
    perplexities: Sequence[Perplexity] = ()
    samples: Sequence[Sample] = ()


Measure: TypeAlias = Callable[[Any, int], Look]
"""Takes the model and the step; is called on all ranks together."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What speed is counted in.

    Attributes:
        step_tokens: tokens of an optimiser step, of all ranks.
        utilisation: tokens a second to the share of the arithmetic that the hardware could have done.
        evaluations: looks on the way, at even distances, beside those at the start, at each save and at the end.
        save_steps: steps between two saves, 0 for none.
    """

    step_tokens: float
    utilisation: Callable[[float], float] = field(default=lambda speed: math.nan)
    evaluations: int = 0
    save_steps: int = 0


class Curve(TrainerCallback):
    """Gathers the history of a training in the trainer's state, so that it is whole after a resume too.

    A row is ``{stage, step, tokens, loss, learning_rate, grad_norm, tokens_per_second, perplexity}``; what was not
    measured at a step is nan. Losses are means over the steps since the row before, in nats a token. ``perplexity``
    is the dev score.
    """

    def __init__(self, stage: str, pace: Pace, log: Log, measure: Measure | None = None) -> None:
        """Take what the rows are called, how fast is counted, where metrics go and what is measured."""
        self.rows: list[Row] = []
        self.perplexities: list[Perplexity] = []
        self.samples: list[Sample] = []
        self.scores: dict[int, float] = {}
        self._stage, self._pace, self._log, self._measure = stage, pace, log, measure
        self._last: tuple[float, int] = (time.perf_counter(), 0)
        self._paused = 0.0

    @property
    def final_loss(self) -> float:
        """The last logged loss, nan if there is none."""
        return next((row["loss"] for row in reversed(self.rows) if not math.isnan(row["loss"])), math.nan)

    def look(self, model: Any, step: int, history: list[Row]) -> None:
        """Measures at a step, once, and logs it."""
        if self._measure is None or step in self.scores:
            return
        began = time.perf_counter()
        seen = self._measure(model, step)
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()  # a forward pass without a backward one leaves the last layers gathered
        self.scores[step] = seen.score
        row = self._row(step, {"perplexity": seen.score})
        history.append({**row, "look": asdict(seen)})
        self._send(row)
        for one in seen.perplexities:
            if not one.book and math.isfinite(one.perplexity):
                self._log({f"{self._stage}/perplexity_{one.source}": one.perplexity}, step)
        self._paused += time.perf_counter() - began

    def take(self, history: Sequence[Row]) -> None:
        """Takes up what a history holds: the rows, the looks, the scores."""
        told = [row for row in history if "stage" in row]
        looks = [(row["step"], row["look"]) for row in told if "look" in row]
        self.rows = [{key: value for key, value in row.items() if key != "look"} for row in told]
        self.scores = {step: look["score"] for step, look in looks}
        self.perplexities = [Perplexity(**one) for _, look in looks for one in look["perplexities"]]
        self.samples = [Sample(**one) for _, look in looks for one in look["samples"]]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the start, unless the training goes on from a saved state."""
        self.take(state.log_history)
        if state.global_step == 0:
            self.look(kwargs["model"], 0, state.log_history)
        self._last, self._paused = (time.perf_counter(), state.global_step), 0.0

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Add speed to the trainer's own row."""
        if not logs or "loss" not in logs:
            return
        (began, first), now = self._last, time.perf_counter()
        spent = max(now - began - self._paused, 1e-9)
        speed = (state.global_step - first) * self._pace.step_tokens / spent
        self._last, self._paused = (now, state.global_step), 0.0
        row = self._row(state.global_step, {**logs, "tokens_per_second": speed})
        state.log_history[-1] = row
        self._send(row, {"mfu": self._pace.utilisation(speed), "peak_memory": float(peak_memory(args.device))})
        if args.should_log and state.global_step * LINES // state.max_steps > first * LINES // state.max_steps:
            left = (state.max_steps - state.global_step) * self._pace.step_tokens / max(speed, 1e-9)
            LOG.info("%s: step %d of %d, loss %.3f, %.0f tokens a second, %.0f s left", self._stage,
                     state.global_step, state.max_steps, row["loss"], speed, left)  # fmt: skip

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure on the way: at every save, and ``evaluations`` times at even distances, the end left out."""
        step, gaps = state.global_step, self._pace.evaluations + 1
        due = step * gaps // state.max_steps > (step - 1) * gaps // state.max_steps
        saved = self._pace.save_steps and step % self._pace.save_steps == 0
        if step < state.max_steps and (due or saved):
            self.look(kwargs["model"], step, state.log_history)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the end and keep the rows."""
        if state.global_step == state.max_steps:
            self.look(kwargs["model"], state.global_step, state.log_history)
        self.take(state.log_history)

    def _row(self, step: int, known: Mapping[str, Any]) -> Row:
        measured = {name: float(known.get(name, math.nan)) for name in COLUMNS}
        return {"stage": self._stage, "step": step, "tokens": round(step * self._pace.step_tokens), **measured}

    def _send(self, row: Row, more: Mapping[str, float] | None = None) -> None:
        named = {**{name: row[name] for name in COLUMNS}, **(more or {})}
        known = {f"{self._stage}/{name}": value for name, value in named.items() if math.isfinite(value)}
        if known:
            self._log(known, row["step"])


def peak_memory(device: torch.device) -> int:
    """Returns the most bytes that were in use so far: of the GPU, or of this process where there is none."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
