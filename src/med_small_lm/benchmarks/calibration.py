"""Whether a model is as often right as it is sure: calibration error, Brier score, risk against coverage.

How sure: the probability of the answer among the options, from their log-probabilities, or the share of the samples
that voted for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from med_small_lm.benchmarks.resampling import CELLS, Array, weights
from med_small_lm.benchmarks.statistics import accuracy_interval, mean_interval
from med_small_lm.schemas.rows import KeyScore

BINS = 10
"""Of calibration errors and pictures."""

Binning = Literal["equal_mass", "equal_width"]
"""Bins of as many items each (as far as equal confidences allow), or of as much confidence each."""
BINNINGS: tuple[Binning, ...] = ("equal_mass", "equal_width")


@dataclass(frozen=True, slots=True, eq=False)
class SureAnswers:
    """Single-answer questions: how sure each answer was, whether it was right, and its Brier score, [items]."""

    confidence: Array
    right: Array
    brier: Array


@dataclass(frozen=True, slots=True)
class Bin:
    """The items with confidences of ``low`` to ``high``: their mean confidence, their accuracy with its interval."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration metric with its 95 % interval."""

    metric: str
    value: float
    ci_low: float
    ci_high: float


def probabilities(scores: Sequence[KeyScore], lengths: Mapping[str, int] | None = None) -> dict[str, float]:
    """Returns each option's probability: the softmax of the log-probabilities, divided by ``lengths`` where given."""
    worth = {one.key: one.logprob / (lengths[one.key] if lengths else 1) for one in scores}
    top = max(worth.values())
    parts = {key: math.exp(value - top) for key, value in worth.items()}
    return {key: part / sum(parts.values()) for key, part in parts.items()}


def sure_answers(answers: Iterable[tuple[Mapping[str, float], str, str]]) -> SureAnswers:
    """Returns the items of options' probabilities, the key that was answered ("" for none), the right key.

    The Brier score of an item is the sum, over its options, of the squared distance of probability and truth (Brier
    1950): 0 at best, 2 at worst.
    """
    rows = []
    for shares, named, right in answers:
        missed = 0.0 if right in shares else 1.0
        brier = missed + sum((share - (key == right)) ** 2 for key, share in shares.items())
        rows.append((shares.get(named, 0.0), named == right, brier))
    return SureAnswers(*np.array(rows, dtype=float).reshape(-1, 3).T)


def reliability(answers: SureAnswers, binning: Binning = "equal_mass", bins: int = BINS) -> list[Bin]:
    """Returns the bins that hold an item, from unsure to sure, for a picture of accuracy against confidence."""
    edges = _edges(answers.confidence, binning, bins)
    place = np.searchsorted(edges[1:-1], answers.confidence)
    found = []
    for number in np.unique(place):
        own = place == number
        n, right = int(own.sum()), int(answers.right[own].sum())
        low, high = float(edges[number]), float(edges[number + 1])
        mean = float(answers.confidence[own].mean())
        found.append(Bin(low, high, n, mean, right / n, *accuracy_interval(right, n)))
    return found


def calibration_error(answers: SureAnswers, binning: Binning = "equal_mass", bins: int = BINS) -> float:
    """Returns the expected calibration error: |accuracy - confidence| of the bins, weighted by their items."""
    return float(_errors(answers, binning, bins, np.ones((1, len(answers.right))))[0])


def _edges(confidence: Array, binning: Binning, bins: int) -> Array:
    """The bins' bounds; an item on a bound belongs to the bin below it."""
    steps = np.linspace(0, 1, bins + 1)
    if binning == "equal_width":
        return steps
    edges = np.unique(np.quantile(confidence, steps))
    return edges if len(edges) > 1 else np.repeat(edges, 2)


def _errors(answers: SureAnswers, binning: Binning, bins: int, drawn: Array) -> Array:
    """The calibration errors of resamples; the bins stay those of the items themselves."""
    apart = _apart(answers.confidence, answers.right - answers.confidence, binning, bins)
    return np.asarray(np.abs(drawn @ apart).sum(axis=1) / drawn.sum(axis=1))


def _apart(confidence: Array, values: Array, binning: Binning, bins: int) -> Array:
    """The items' values, [items, bins], each in the column of its bin."""
    place = np.searchsorted(_edges(confidence, binning, bins)[1:-1], confidence)
    return np.asarray(np.eye(bins)[place] * values[:, None])


def risk_coverage(answers: SureAnswers) -> tuple[Array, Array]:
    """Returns the curve of answering only what one is sure of: the share answered, and the share wrong of it.

    One point for each confidence that occurs, the surest first; the last is all items.
    """
    levels, place = np.unique(-answers.confidence, return_inverse=True)
    answered = np.cumsum(np.bincount(place, minlength=len(levels)))
    wrong = np.cumsum(np.bincount(place, weights=1 - answers.right, minlength=len(levels)))
    return answered / len(place), wrong / answered


def risk_coverage_area(answers: SureAnswers) -> float:
    """Returns the area under that curve: the mean, over the items from the surest on, of the share wrong so far.

    (Geifman and El-Yaniv 2017.) Among items of equal confidence the order is by lot, and the mean over all lots taken.
    """
    return float(_areas(answers, np.ones((1, len(answers.right))))[0])


def _areas(answers: SureAnswers, drawn: Array) -> Array:
    """The areas of resamples, [resamples], given by their weights, [resamples, items]."""
    order = np.argsort(-answers.confidence, kind="stable")
    sure, drawn = answers.confidence[order], drawn[:, order]
    wrong = drawn * (1 - answers.right[order])
    starts = np.flatnonzero(np.r_[True, sure[1:] != sure[:-1]])
    if len(starts) < len(sure):  # of equals, each is as wrong as all together
        sizes, errors = (np.add.reduceat(values, starts, axis=1) for values in (drawn, wrong))
        level = np.divide(errors, sizes, out=np.zeros_like(errors), where=sizes > 0)
        wrong = drawn * np.repeat(level, np.diff(np.r_[starts, len(sure)]), axis=1)
    n = np.cumsum(drawn, axis=1)
    risk = np.cumsum(wrong, axis=1) / np.maximum(n, 1e-9)
    return np.asarray((drawn * risk).sum(axis=1) / n[:, -1])


def measure(
    answers: SureAnswers, *, clusters: Sequence[Any] | None = None, samples: int = 2_000, seed: int = 0
) -> list[Measured]:
    """Returns both calibration errors, the Brier score and the area of risk over coverage, with their intervals.

    A calibration error is too large by chance alone, and its resamples' the more. So its interval is the basic
    bootstrap's, which mirrors the resamples at the value; and it begins at 0 where a model that is right just as often
    as it is sure would err as much (Bröcker and Smith 2007). The area's interval are percentiles. Items of a case are
    drawn together.
    """
    drawn = np.concatenate(
        [_statistics(answers, block) for block in _drawn(len(answers.right), clusters, samples, seed)]
    )
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    by_chance, found = _by_chance(answers, samples, seed), []
    for column, binning in enumerate(BINNINGS):
        value = calibration_error(answers, binning)
        least = max(0.0, min(value, 2 * value - high[column])) if value > by_chance[column] else 0.0
        most = min(1.0, max(value, 2 * value - low[column]))
        found.append(Measured(f"ece_{binning}", value, float(least), float(most)))
    # Half of a Brier score is a share, 0 to 1.
    half = mean_interval(answers.brier / 2, clusters=clusters, samples=samples, seed=seed)
    brier, area = float(answers.brier.mean()), risk_coverage_area(answers)
    found.append(Measured("brier", brier, min(brier, 2 * half[0]), max(brier, 2 * half[1])))
    found.append(Measured("risk_coverage_area", area, min(area, float(low[-1])), max(area, float(high[-1]))))
    return found


def _statistics(answers: SureAnswers, drawn: Array) -> Array:
    """Both calibration errors and the area of each resample, [resamples, 3]."""
    errors = [_errors(answers, binning, BINS, drawn) for binning in BINNINGS]
    return np.column_stack([*errors, _areas(answers, drawn)])


def _by_chance(answers: SureAnswers, samples: int, seed: int) -> Array:
    """The calibration errors, one a binning, that a model as often right as it is sure exceeds once in 40 times."""
    draw, step, found = np.random.default_rng(seed), max(1, CELLS // len(answers.right)), []
    apart = [_apart(answers.confidence, np.ones_like(answers.confidence), binning, BINS) for binning in BINNINGS]
    for start in range(0, samples, step):
        right = draw.random((min(step, samples - start), len(answers.right))) < answers.confidence
        found.append([np.abs((right - answers.confidence) @ bins).sum(axis=1) / len(answers.right) for bins in apart])
    return np.asarray(np.quantile(np.concatenate(found, axis=1), 0.975, axis=1))


def _drawn(n: int, clusters: Sequence[Any] | None, samples: int, seed: int) -> Iterator[Array]:
    """Blocks of weights, [resamples, items]; the items of a case have one weight."""
    names: npt.NDArray[Any] = np.arange(n) if clusters is None else np.asarray(clusters)
    place = np.unique(names, return_inverse=True)[1]
    counts = np.ones(place.max() + 1, dtype=int)
    for block in weights(counts, np.zeros_like(counts), samples, seed):
        yield block[:, place]
