"""The curve of a training: loss, rates, speed and held-out perplexity, as rows and as live metrics."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from transformers import TrainerCallback

from med_small_lm.tuning.checkpoint import Row
from med_small_lm.tuning.packing import IGNORED

LOG = logging.getLogger(__name__)

Log: TypeAlias = Callable[[Mapping[str, float], int], None]
"""Takes metrics and the step that they belong to."""

COLUMNS = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "perplexity")
PERPLEXITY_ROWS = 32  # rows of a forward pass when perplexity is measured
LINES = 10  # lines of a training in the log


def no_log(metrics: Mapping[str, float], step: int) -> None:
    """Takes metrics and does nothing with them."""


class Curve(TrainerCallback):
    """Gathers the history of a training in the trainer's state, so that it is whole after a resume too.

    A row is ``{stage, step, tokens, loss, learning_rate, grad_norm, tokens_per_second, perplexity}``; what was not
    measured at a step is nan. Losses are means over the steps since the row before, in nats a token.
    """

    def __init__(
        self,
        stage: str,
        tokens_per_step: float,
        log: Log,
        held_out: Sequence[Sequence[int]],
        evaluations: int,
        others: Mapping[str, Sequence[Sequence[int]]] | None = None,
    ) -> None:
        """Take what the rows are called, and the held-out documents (token ids) for the perplexity.

        The perplexity of ``others``, by name, is logged beside it and stands in no row.
        """
        self.rows: list[Row] = []
        self._stage, self._log, self._held_out = stage, log, held_out
        self._others = {name: documents for name, documents in (others or {}).items() if documents}
        self.measures = bool(held_out or self._others)
        self._tokens_per_step, self._evaluations = tokens_per_step, evaluations
        self._last: tuple[float, int] = (time.perf_counter(), 0)
        self._paused = 0.0

    @property
    def final_loss(self) -> float:
        """The last logged loss, nan if there is none."""
        return next((row["loss"] for row in reversed(self.rows) if not math.isnan(row["loss"])), math.nan)

    def measure(self, model: Any, step: int) -> Row:
        """Returns a row with the held-out perplexity at a step, and logs it."""
        began = time.perf_counter()
        row = self._row(step, {"perplexity": perplexity(model, self._held_out)})
        self._send(row)
        for name, documents in self._others.items():
            self._log({f"{self._stage}/perplexity_{name}": perplexity(model, documents)}, step)
        self._paused += time.perf_counter() - began
        return row

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the start, unless the training goes on from a saved state."""
        if state.global_step == 0 and self.measures:
            state.log_history.append(self.measure(kwargs["model"], 0))
        self._last, self._paused = (time.perf_counter(), state.global_step), 0.0

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Add speed to the trainer's own row."""
        if not logs or "loss" not in logs:
            return
        (began, first), now = self._last, time.perf_counter()
        spent = max(now - began - self._paused, 1e-9)
        speed = (state.global_step - first) * self._tokens_per_step / spent
        self._last, self._paused = (now, state.global_step), 0.0
        row = self._row(state.global_step, {**logs, "tokens_per_second": speed})
        state.log_history[-1] = row
        self._send(row)
        if state.global_step * LINES // state.max_steps > first * LINES // state.max_steps:
            left = (state.max_steps - state.global_step) * self._tokens_per_step / max(speed, 1e-9)
            LOG.info("%s: step %d of %d, loss %.3f, %.0f tokens a second, %.0f s left", self._stage,
                     state.global_step, state.max_steps, row["loss"], speed, left)  # fmt: skip

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure on the way: ``evaluations`` times in all, at even distances, the end left out."""
        step, gaps = state.global_step, self._evaluations + 1
        due = step < state.max_steps and step * gaps // state.max_steps > (step - 1) * gaps // state.max_steps
        if self.measures and due:
            state.log_history.append(self.measure(kwargs["model"], step))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure the end and keep the rows."""
        if self.measures:
            state.log_history.append(self.measure(kwargs["model"], state.global_step))
        self.rows = [row for row in state.log_history if "stage" in row]

    def _row(self, step: int, known: Mapping[str, Any]) -> Row:
        measured = {name: float(known.get(name, math.nan)) for name in COLUMNS}
        return {"stage": self._stage, "step": step, "tokens": round(step * self._tokens_per_step), **measured}

    def _send(self, row: Row) -> None:
        known = {f"{self._stage}/{name}": row[name] for name in COLUMNS if math.isfinite(row[name])}
        if known:
            self._log(known, row["step"])


@torch.no_grad()
def perplexity(model: Any, documents: Sequence[Sequence[int]], row_tokens: int | None = None) -> float:
    """Returns exp of the mean loss a token over the documents, each read on its own; nan if there are none.

    Args:
        model: a causal language model; left in the mode that it was in.
        documents: token ids; what is longer than the model's positions is read in stretches.
        row_tokens: longest stretch, in tokens; the model's positions by default.
    """
    longest = row_tokens or int(getattr(model.config, "max_position_embeddings", 0) or 2048)
    stretches = [list(d[i : i + longest]) for d in documents for i in range(0, len(d), longest)]
    stretches = sorted((s for s in stretches if len(s) > 1), key=len)
    total, tokens, mode = 0.0, 0, model.training
    model.eval()
    for i in range(0, len(stretches), PERPLEXITY_ROWS):
        batch = stretches[i : i + PERPLEXITY_ROWS]
        width = max(len(stretch) for stretch in batch)
        ids = torch.tensor([s + [0] * (width - len(s)) for s in batch], device=model.device)
        labels = torch.tensor([s + [IGNORED] * (width - len(s)) for s in batch], device=model.device)
        n = sum(len(stretch) - 1 for stretch in batch)
        total += float(model(input_ids=ids, labels=labels).loss) * n
        tokens += n
    model.train(mode)
    return math.exp(min(total / tokens, 700.0)) if tokens else math.nan
