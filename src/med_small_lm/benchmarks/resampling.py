"""95 % intervals of means over items, over cases and over strata, by resampling what was drawn: items, or whole cases.

Every mean of this project is a mean of ratios of sums: accuracy is one ratio (rights over items), a mean over subjects
one ratio a subject. Items that are alike are resampled together, by how many of each sort a resample holds, so an
accuracy costs as much over 100,000 items as over 100.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FEW = 30
"""Below so many items, or half as many cases, an interval is a formula's: resamples of so few take too few values."""
RARE = 10
"""So it is where fewer (of cases half as many) hold anything wrong, or anything right: many resamples hold none."""
LEAST = 3
"""Of fewer units no interval of their difference is told: it would reach from one end to the other."""
CELLS = 1_000_000
"""Most weights that are held at once."""
TINY = 1e-12
"""A standard error below it is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What is resampled, one row for all units that are alike: items that stand alone, or cases with all their items.

    ``sums`` and ``sizes`` are [rows, ratios]; ``counts`` say how many units are like each row; ``strata`` in which of
    the groups, resampled each for itself, they stand. ``cases`` is true where a unit holds several items. ``signed``
    is of differences, which may be below 0 even if none is.
    """

    sums: Array
    sizes: Array
    counts: npt.NDArray[np.int64]
    strata: npt.NDArray[np.int64]
    cases: bool
    signed: bool = False

    @property
    def value(self) -> float:
        """The mean over the ratios of sum over size."""
        return float(self.ratios(self.whole)[0].mean())

    @property
    def error(self) -> float:
        """Its standard error."""
        return float(self.errors(self.whole)[0])

    @property
    def whole(self) -> Array:
        """The weights of what was drawn itself, [1, rows]."""
        return self.counts[None, :].astype(float)

    @property
    def shares(self) -> bool:
        """Whether every ratio is a share, between 0 and 1."""
        return not self.signed and bool((self.sums >= 0).all() and (self.sums <= self.sizes).all())

    @property
    def number(self) -> bool:
        """Whether these are counts, of which an item may hold several."""
        return not self.signed and not self.shares and bool((self.sums >= 0).all())

    @property
    def bounds(self) -> tuple[float, float]:
        """Below and above what no mean can be."""
        if self.signed:
            return (-1.0, 1.0) if bool((np.abs(self.sums) <= self.sizes).all()) else (-np.inf, np.inf)
        return 0.0 if self.shares or self.number else -np.inf, 1.0 if self.shares else np.inf

    def ratios(self, weights: Array) -> Array:
        """The ratios, [resamples, ratios], of resamples given by their weights, [resamples, rows]; 0 for 0 over 0."""
        sums, sizes = weights @ self.sums, weights @ self.sizes
        return np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0)

    def errors(self, weights: Array) -> Array:
        """The standard errors of the resamples' means, linearised: what each unit adds to the mean, squared, summed."""
        ratios, sizes = self.ratios(weights), weights @ self.sizes
        each = np.divide(1.0, sizes * sizes.shape[1], out=np.zeros_like(sizes), where=sizes > 0)
        parts = each @ self.sums.T - (ratios * each) @ self.sizes.T
        return np.asarray(np.sqrt((weights * parts**2).sum(axis=1) * self._correction))

    @property
    def few(self) -> bool:
        """Whether resampling cannot tell: few units, few of one sort, a stratum of few, or all alike."""
        sums, sizes = self.sums.sum(axis=1), self.sizes.sum(axis=1)
        sorts = (sums < sizes, sums > 0) if self.shares else (sums != 0,)
        rare = min(int(self.counts[sort].sum()) for sort in sorts)
        smallest = np.bincount(self.strata, weights=self.counts).min()
        weight = 2 if self.cases else 1
        few = weight * self.counts.sum() < FEW or weight * min(rare, smallest) < RARE
        return bool(few or self.error < TINY)

    @property
    def _correction(self) -> float:
        """For the means that were estimated from the same units; single right or wrong items need none."""
        return 1.0 if self.plain else float(self.counts.sum()) / max(self._free, 1)

    @property
    def _free(self) -> int:
        return int(self.counts.sum()) - int(self.strata.max()) - 1

    @property
    def plain(self) -> bool:
        """Whether these are items that are right or wrong, of one stratum."""
        binary = bool(np.isin(self.sums, (0, 1)).all() and (self.sizes == 1).all())
        return binary and not self.signed and self.sums.shape[1] == 1

    def by_formula(self) -> tuple[float, float]:
        """The interval without resampling.

        Of shares it is Wilson's, at the effective number of items: as many single right or wrong ones as give this
        standard error, of cases no more than there are (Franco, Little, Louis and Slud 2019), with Student's quantile
        unless they are such items. Of differences it is Agresti and Min's (2005): half an item in each of the four
        cells of the pairs; NaN of fewer than three units. Of counts it is Garwood's (1936), in as many independent
        events as vary like them; of other values Student's t.
        """
        from scipy.stats import norm, t

        value, error = self.value, self.error
        z = float(norm.ppf(0.975) if self.plain else t.ppf(0.975, max(self._free, 1)))
        size = float(self.counts @ self.sizes.sum(axis=1))
        if self.signed:
            half = z * np.sqrt((error * size) ** 2 + 1) / (size + 2) if self.counts.sum() >= LEAST else np.nan
            return value * size / (size + 2) - half, value * size / (size + 2) + half
        if self.number:
            return self._of_events(size)
        if not self.shares:
            half = z * error if self._free else np.inf
            return value - half, value + half
        n = value * (1 - value) / error**2 if error > TINY else float(self.counts.sum())
        n = min(n, size) if self.cases else n
        half = z * np.sqrt(value * (1 - value) / n + (z / n / 2) ** 2)
        return (value + z**2 / n / 2 - half) / (1 + z**2 / n), (value + z**2 / n / 2 + half) / (1 + z**2 / n)

    def _of_events(self, size: float) -> tuple[float, float]:
        """Garwood's interval of a count; counts that vary more than a Poisson's are taken for fewer events."""
        from scipy.stats import gamma

        each = max(1.0, self.error**2 * size / self.value)
        events = self.value * size / each
        low, high = gamma.ppf(0.025, events), gamma.ppf(0.975, events + 1)
        return float(low * each / size), float(high * each / size)


def units(
    sums: npt.ArrayLike,
    sizes: npt.ArrayLike = 1.0,
    *,
    clusters: Sequence[Any] | None = None,
    strata: Sequence[Any] | None = None,
    signed: bool = False,
) -> Units:
    """Returns the units behind a mean: a row of ``sums`` and ``sizes`` an item, a column a ratio.

    Args:
        sums: what each item adds above: 1 for a right one; [items] or [items, ratios].
        sizes: what it adds below.
        clusters: the case of each item: items of a case are drawn together.
        strata: the group of each item, for the mean over groups; then there is one column. A case is drawn within its
            group.
        signed: these are differences.
    """
    above = np.asarray(sums, dtype=float)
    above = above[:, None] if above.ndim == 1 else above
    below = np.broadcast_to(
        np.asarray(sizes, dtype=float).reshape(-1, 1) if np.ndim(sizes) == 1 else sizes, above.shape
    )
    groups = _codes(strata, len(above))
    cases = _codes(clusters, len(above)) if clusters is not None else np.arange(len(above))
    pairs, place = np.unique(np.column_stack([groups, cases]), axis=0, return_inverse=True)
    table = np.zeros((len(pairs), 1 + 2 * above.shape[1]))
    table[:, 0] = pairs[:, 0]
    np.add.at(table[:, 1:], place.reshape(-1), np.column_stack([above, below]))
    rows, counts = np.unique(table, axis=0, return_counts=True)
    found = rows[:, 0].astype(int)
    above, below = np.hsplit(rows[:, 1:], 2)
    if strata is not None:  # one ratio a group: a row stands in its group's column
        own = np.eye(found.max() + 1)[found]
        above, below = above * own, below * own
    return Units(above, below, counts, found, cases=len(pairs) < len(place.reshape(-1)), signed=signed)


def _codes(names: Sequence[Any] | None, n: int) -> npt.NDArray[np.int64]:
    """Names as numbers from 0; one number for all where there are none."""
    if names is None:
        return np.zeros(n, dtype=int)
    return np.unique(np.asarray(names), return_inverse=True)[1].reshape(-1)


def interval(of: Units, *, samples: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Returns the 95 % interval of a mean, within what a mean can be; the mean itself always lies in it.

    It is the studentised bootstrap's, over whole cases where there are cases: percentiles lean to the wrong side where
    the mean is far from a half, and those of some 40 cases are too narrow. Differences between single items have the
    bootstrap's percentiles. Few units have a formula's, see ``Units.by_formula``.
    """
    method = percentile if of.signed and not of.cases else studentised
    low, high = np.clip(of.by_formula() if of.few else method(of, samples=samples, seed=seed), *of.bounds)
    # A few hundred resamples of a skewed share can leave the share itself outside by a rounding.
    return min(float(low), of.value), max(float(high), of.value)


def percentile(of: Units, *, samples: int, seed: int) -> tuple[float, float]:
    """Returns the 2.5th and 97.5th percentile of the means of the resamples."""
    means = np.concatenate([of.ratios(drawn).mean(axis=1) for drawn in weights(of.counts, of.strata, samples, seed)])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def studentised(of: Units, *, samples: int, seed: int) -> tuple[float, float]:
    """Returns the interval of the bootstrap-t: each resample's distance from the mean, in its own standard errors."""
    value, error, apart = of.value, of.error, []
    for drawn in weights(of.counts, of.strata, samples, seed):
        errors = of.errors(drawn)
        sound = errors > TINY
        apart.append((of.ratios(drawn).mean(axis=1)[sound] - value) / errors[sound])
    low, high = np.quantile(np.concatenate(apart), [0.025, 0.975])
    return value - float(high) * error, value - float(low) * error


def weights(counts: npt.NDArray[np.int64], strata: npt.NDArray[np.int64], samples: int, seed: int) -> Iterator[Array]:
    """Yields blocks, [resamples, rows], of how often each row is drawn, as often in all as its stratum has units."""
    draw = np.random.default_rng(seed)
    step = max(1, CELLS // len(counts))
    for start in range(0, samples, step):
        block = np.empty((min(step, samples - start), len(counts)))
        for stratum in range(strata.max() + 1):
            own = strata == stratum
            block[:, own] = _multinomial(draw, counts[own], len(block))
        yield block


def _multinomial(draw: np.random.Generator, counts: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """How often each row is drawn, [size, rows], in as many draws as there are units."""
    total, rows = int(counts.sum()), len(counts)
    if total > 4 * rows:
        return draw.multinomial(total, counts / total, size=size)
    # Where few units are alike, drawing them one by one is several times as fast.
    picked = np.repeat(np.arange(rows), counts)[draw.integers(0, total, size=(size, total))]
    picked += rows * np.arange(size)[:, None]
    return np.bincount(picked.ravel(), minlength=size * rows).reshape(size, rows)
