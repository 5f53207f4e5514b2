"""Intervals and tests behind the scores, what a comparison could show, and which counts a published cell allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from med_small_lm.benchmarks.resampling import CELLS, interval, units

# SciPy takes a second to import, so the functions do it: who only counts or lists pipelines does not wait.

LEVEL = 0.05
"""A p-value below it counts as a difference shown; intervals are of the rest, 95 %."""
POWER = 0.8
"""The chance with which a difference is to be shown that a note calls the smallest."""


def accuracy_interval(n_right: int, n: int, *, samples: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Returns the 95 % interval of an accuracy over independent items: a seeded, studentised bootstrap's.

    Wilson's interval where there are fewer than 30 items, or fewer than 10 right or 10 wrong.

    Args:
        n_right: items answered rightly.
        n: items, at least 1.
        samples: resamples.
        seed: of the resamples.
    """
    if not 0 <= n_right <= n or n < 1:
        raise ValueError(f"{n_right} right answers of {n} items")
    return interval(units(np.arange(n) < n_right), samples=samples, seed=seed)


def mean_interval(
    values: npt.ArrayLike, *, clusters: Sequence[Any] | None = None, samples: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """Returns the 95 % interval of the mean of a value an item, over the items or, where given, over their cases.

    Args:
        values: of the items, at least one.
        clusters: the case of each item.
        samples: resamples.
        seed: of the resamples.
    """
    return interval(units(values, clusters=clusters), samples=samples, seed=seed)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same items: the mean of the first less that of the second, its 95 % interval, and a p-value.

    ``detectable`` is the smallest difference that so many items show with 80 % power, NaN where they can show none. The
    interval's bounds are NaN of fewer than three items, or cases.
    """

    difference: float
    ci_low: float
    ci_high: float
    p: float
    detectable: float


def paired(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    clusters: Sequence[Any] | None = None,
    samples: int = 2_000,
    seed: int = 0,
) -> Paired:
    """Returns the comparison of a value an item of two models.

    The interval is the paired bootstrap's (over cases where given). The test flips the signs of the items' differences:
    of right and wrong answers that is McNemar's exact test. Items of a case flip together.

    Args:
        first: values of the first model, at least one.
        second: values of the second, of the same items.
        clusters: the case of each item.
        samples: resamples.
        seed: of the resamples.
    """
    apart = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    drawn = units(apart, clusters=clusters, signed=True)
    low, high = interval(drawn, samples=samples, seed=seed)
    each = np.repeat(drawn.sums[:, 0], drawn.counts)
    single = not drawn.cases and bool(np.isin(each, (-1, 0, 1)).all())
    n_apart = int((each != 0).sum())
    smallest = detectable(n_apart, len(apart)) if single else _detectable_by_error(each, len(apart))
    return Paired(drawn.value, low, high, sign_flip_p(each, samples=samples, seed=seed), smallest)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Returns the two-sided p-value of McNemar's exact test; 1 where no item differs.

    Args:
        only_a: items that only the first model answers rightly.
        only_b: items that only the second answers rightly.
    """
    if only_a + only_b == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(only_a, only_a + only_b).pvalue)


def sign_flip_p(differences: npt.ArrayLike, *, samples: int = 2_000, seed: int = 0) -> float:
    """Returns how often random signs of the differences give a sum as far from 0 as theirs, two-sided.

    Whole numbers (right answers that one model has more in a case) are counted out exactly; of others ``samples``
    drawings of the signs are taken. Equals McNemar's exact test where each difference is 1 or -1.
    """
    values = np.asarray(differences, dtype=float)
    sizes = np.abs(values[values != 0])
    if not len(sizes):
        return 1.0
    seen = abs(float(values.sum()))
    if (sizes == np.round(sizes)).all():
        return _exact_flips(sizes.astype(int), round(seen))
    draw, far, step = np.random.default_rng(seed), 0, max(1, CELLS // len(sizes))
    for start in range(0, samples, step):
        signs = draw.integers(0, 2, size=(min(step, samples - start), len(sizes))) * 2 - 1
        far += int((np.abs(signs @ sizes) >= seen - 1e-9).sum())
    return (far + 1) / (samples + 1)


def _exact_flips(sizes: npt.NDArray[np.int64], seen: int) -> float:
    """The chance that the sum under random signs is at least ``seen`` from 0: one convolution for each sort of size."""
    from scipy.stats import binom

    chances = np.ones(1)  # of the sums -reach ... reach, in steps of 1
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        own = np.zeros(2 * size * count + 1)
        own[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, own)
    sums = np.arange(len(chances)) - len(chances) // 2
    return min(1.0, float(chances[np.abs(sums) >= seen].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values corrected for how many there are, by Holm's method, in the same order."""
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return [float(value) for value in corrected]


def detectable(n_apart: int, n: int) -> float:
    """Returns the smallest difference in accuracy that McNemar's exact test shows with 80 % power; NaN for none.

    Args:
        n_apart: items that one of the two models alone answers rightly, taken as given.
        n: items.
    """
    from scipy.special import betaincinv
    from scipy.stats import binom

    needed = int(binom.isf(LEVEL / 2, n_apart, 0.5)) + 1 if n_apart else 1
    if needed > n_apart:
        return math.nan
    share = betaincinv(needed, n_apart - needed + 1, POWER)  # of them right with the better model
    return float((2 * share - 1) * n_apart / n)


def _detectable_by_error(differences: npt.NDArray[np.float64], n: int) -> float:
    """The same for differences of any size: so many standard errors, under no difference, as the power asks for."""
    from scipy.stats import norm, t

    if not differences.any() or len(differences) < 2:
        return math.nan
    error = math.sqrt(float((differences**2).sum())) / n
    return float(t.ppf(1 - LEVEL / 2, len(differences) - 1) + norm.ppf(POWER)) * error


def power_note(difference: float, p: float, smallest: float, n: int) -> str:
    """Returns what a comparison that shows no difference could have shown, in words; nothing where it shows one.

    Args:
        difference: that was seen.
        p: corrected.
        smallest: see ``Paired.detectable``.
        n: items.
    """
    if p < LEVEL:
        return ""
    if math.isnan(smallest):
        return f"{n:,} items on which the two hardly part can show no difference"
    seen = f"the one seen is {abs(difference):.3f}"
    return f"{n:,} items show a difference of {smallest:.3f} or more with {POWER:.0%} power; {seen}"


def counts_of(value: float, n: int, decimals: int | None = None) -> range:
    """Returns the whole numbers of right answers of ``n`` that give this accuracy: none, one, or several in a row.

    Args:
        value: a share, 0 to 1.
        n: items.
        decimals: digits to which a published share was rounded (a percentage with one digit has 3); None for exact.
    """
    half = 1e-9 if decimals is None else 0.5 * 10.0**-decimals + 1e-9
    return range(max(0, math.ceil((value - half) * n)), min(n, math.floor((value + half) * n)) + 1)


def is_whole(accuracy: float, n: int, decimals: int | None = None) -> bool:
    """Returns whether some whole number of right answers of ``n`` gives this accuracy; see ``counts_of``."""
    return len(counts_of(accuracy, n, decimals)) > 0


def whole_note(value: float, n: int, decimals: int) -> str:
    """Returns what a published accuracy says of the number of right answers, in words.

    "no whole number gives this" tells of another number of items, of a mean over runs or parts, of a cut instead of a
    rounding, or of a slip. Where there are more items than the digits tell apart every cell passes, and the note says
    that.
    """
    counts = counts_of(value, n, decimals)
    if not counts:
        return "no whole number gives this"
    found = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{found} of {n:,}" + (": too few digits to tell, every cell fits" if n >= 10**decimals else "")
