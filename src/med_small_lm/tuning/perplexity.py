"""Perplexity on held-out text: the loss of each text, its mean over sources and books, and how sure that is.

What is drawn by chance is the texts, so that the intervals are bootstrapped over them and not over their tokens. Two
models are compared on the same texts, pair by pair: how hard a text is cancels, and the interval is the narrower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from med_small_lm.atomic import written_aside
from med_small_lm.schemas.rows import Perplexity
from med_small_lm.tuning.packing import IGNORED

Losses: TypeAlias = NDArray[np.float64]
"""[texts, 2]: nats, and the tokens that they were lost on."""
Measured: TypeAlias = tuple[float, float, float]
"""A value and its 95 % interval; NaN where there are too few texts for one."""

BATCH_TOKENS = 4096  # of a forward pass, padding too; a text longer than that goes alone
RESAMPLES = 2000
DRAWS_AT_ONCE = 1 << 22  # counts held at a time, 32 MiB
GREATEST = 700.0  # nats of which exp is still a number


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The token ids of a text, and which of them are under loss: all where that is not said."""

    input_ids: Sequence[int] | NDArray[np.int64]
    under_loss: Sequence[bool] | NDArray[np.bool_] | None = None

    def stretches(self, longest: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Token ids of stretches of at most ``longest`` tokens, and which are predicted: at least one, never the first.

        They are views: the texts of ten thousand papers stand in memory once.
        """
        ids = np.asarray(self.input_ids, dtype=np.int64)
        learnt = np.ones(len(ids), np.bool_) if self.under_loss is None else np.array(self.under_loss, np.bool_)
        learnt[::longest] = False
        for start in range(0, len(ids), longest):
            piece = slice(start, start + longest)
            if learnt[piece].any():
                yield ids[piece], learnt[piece]


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """A piece of the text ``place`` that the model reads at once."""

    place: int
    ids: NDArray[np.int64]
    learnt: NDArray[np.bool_]


@torch.no_grad()
def losses(model: Any, texts: Sequence[Text], batch_tokens: int = BATCH_TOKENS) -> Losses:
    """Returns nats and tokens under loss of each text, each read on its own; the same on every rank.

    In a distributed run the batches are dealt out to the ranks. A sharded model gathers its weights in every forward
    pass, on all ranks together, so each makes as many: who has no batch left reads one for nothing::

        batches  0 1 2 3 4        rank 0 reads 0 2 4
                                  rank 1 reads 1 3 (0, thrown away)

    Args:
        model: a causal language model; left in the mode that it was in.
        texts: what is longer than the model's positions is read in stretches.
        batch_tokens: most tokens of a forward pass.
    """
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    batches = list(_batches(texts, int(getattr(model.config, "max_position_embeddings", 0) or 2048), batch_tokens))
    own, mode = np.zeros((len(texts), 2)), model.training
    model.eval()
    for number in range(rank, math.ceil(len(batches) / ranks) * ranks, ranks):
        batch = batches[number % len(batches)]
        nats = _nats(model, batch)
        if number < len(batches):
            for stretch, lost in zip(batch, nats, strict=True):
                own[stretch.place] += lost, np.count_nonzero(stretch.learnt)
    model.train(mode)
    return _over_ranks(own, ranks)


def perplexity_of(lost: Losses, seed: int = 0) -> Measured:
    """Returns exp of the mean loss a token, with its interval over the texts; NaN if no token was under loss."""
    read = lost[lost[:, 1] > 0]
    if not len(read):
        return math.nan, math.nan, math.nan
    sums = _resampled(read, seed)
    return _exp(read.sum(0)[0] / read.sum(0)[1], sums[:, 0] / sums[:, 1])


def change_of(before: Losses, after: Losses, seed: int = 0) -> Measured:
    """Returns the perplexity after as a multiple of that before, over the same texts, with the paired interval.

    Below 1 the model gained, above it forgot.
    """
    read = before[:, 1] > 0
    if not read.any():
        return math.nan, math.nan, math.nan
    pairs = np.column_stack([after[read, 0] - before[read, 0], before[read, 1]])
    sums = _resampled(pairs, seed)
    return _exp(pairs.sum(0)[0] / pairs.sum(0)[1], sums[:, 0] / sums[:, 1])


def measured(
    model: Any,
    texts: Mapping[tuple[str, str], Sequence[Text]],
    stage: str,
    step: int,
    seed: int = 0,
    start: Path | None = None,
    batch_tokens: int = BATCH_TOKENS,
) -> list[Perplexity]:
    """Returns the perplexity of a model at a step: a row for each source as a whole, then one for each of its books.

    All ranks call it together, and each gets all rows.

    Args:
        model: see ``losses``.
        texts: by source and book; a book of the name "" counts in its source alone.
        stage: name of the training.
        step: optimiser steps done.
        seed: of the intervals.
        start: file of the losses at the stage's start, which the ratios stand against: written where it is not there
            yet, so that a resumed training is compared with its own start.
        batch_tokens: see ``losses``.
    """
    lost = losses(model, [text for own in texts.values() for text in own], batch_tokens)
    before = _start(lost, start)
    sources, books = (np.array([key[i] for key, own in texts.items() for _ in own], dtype=str) for i in (0, 1))
    rows = []
    for source, book in _groups(texts):
        chosen = (sources == source) & ((books == book) if book else True)
        value, ratio = perplexity_of(lost[chosen], seed), change_of(before[chosen], lost[chosen], seed)
        rows.append(
            Perplexity(stage, step, source, book, int(chosen.sum()), int(lost[chosen, 1].sum()), *value, *ratio)
        )
    return rows


def _batches(texts: Sequence[Text], longest: int, batch_tokens: int) -> Iterator[list[_Stretch]]:
    """The stretches by length, so that little is padded, in batches of at most ``batch_tokens``, at least one each."""
    stretches = [_Stretch(n, *piece) for n, text in enumerate(texts) for piece in text.stretches(longest)]
    batch: list[_Stretch] = []
    for stretch in sorted(stretches, key=lambda one: len(one.ids)):
        if batch and len(stretch.ids) * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(stretch)
    if batch:
        yield batch


def _nats(model: Any, batch: Sequence[_Stretch]) -> list[float]:
    """The summed loss of each stretch; padding stands at the end, where a causal model does not see it."""
    shape = len(batch), max(len(stretch.ids) for stretch in batch)
    padded, labels = np.zeros(shape, np.int64), np.full(shape, IGNORED, np.int64)
    for row, one in enumerate(batch):
        padded[row, : len(one.ids)] = one.ids
        labels[row, : len(one.ids)][one.learnt] = one.ids[one.learnt]
    wanted = torch.from_numpy(labels).to(model.device)[:, 1:]
    logits = model(input_ids=torch.from_numpy(padded).to(model.device), use_cache=False).logits[:, :-1]
    lost = [  # row by row: logits of a large vocabulary in fp32 take gigabytes
        torch.nn.functional.cross_entropy(row.float(), own, ignore_index=IGNORED, reduction="none").double().sum()
        for row, own in zip(logits, wanted, strict=True)
    ]
    told: list[float] = torch.stack(lost).tolist()
    return told


def _over_ranks(own: Losses, ranks: int) -> Losses:
    """The sum of what the ranks have read."""
    if ranks == 1:
        return own
    parts: list[Losses] = [own] * ranks
    dist.all_gather_object(parts, own)
    total: Losses = np.sum(parts, axis=0)
    return total


def _start(lost: Losses, file: Path | None) -> Losses:
    """The losses that stand in ``file``, or these, which then stand there."""
    if file is None:
        return np.full_like(lost, math.nan)
    if file.is_file():
        return np.asarray(np.load(file), dtype=np.float64)
    if not dist.is_initialized() or dist.get_rank() == 0:  # all ranks have the same
        with written_aside(file) as aside, aside.open("wb") as written:
            np.save(written, lost)
    return lost


def _groups(texts: Mapping[tuple[str, str], Sequence[Text]]) -> Iterator[tuple[str, str]]:
    """The sources that have a text, each before its books."""
    for source in dict.fromkeys(source for (source, _), own in texts.items() if own):
        yield source, ""
        yield from ((source, book) for (of, book), own in texts.items() if of == source and book and own)


def _resampled(columns: Losses, seed: int) -> Losses:
    """The columns' sums over the texts of each resample [resamples, columns]; all NaN for a single text."""
    n, rng = len(columns), np.random.default_rng(seed)
    if n < 2:
        return np.full((RESAMPLES, columns.shape[1]), math.nan)
    at_once = max(DRAWS_AT_ONCE // n, 1)
    sizes = [min(at_once, RESAMPLES - done) for done in range(0, RESAMPLES, at_once)]
    sums = [rng.multinomial(n, np.full(n, 1 / n), size) @ columns for size in sizes]
    return np.concatenate(sums, dtype=np.float64)


def _exp(mean: float, means: NDArray[np.float64]) -> Measured:
    """Perplexities of a mean loss and of the middle 95 % of its resamples."""
    low, high = np.exp(np.minimum(np.percentile(means, [2.5, 97.5]), GREATEST))
    return float(np.exp(min(mean, GREATEST))), float(low), float(high)
