"""How far raters agree: the share of equal labels, and kappa, which takes off what chance gives; with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from med_small_lm.benchmarks.resampling import Array, units, weights


@dataclass(frozen=True, slots=True)
class Agreement:
    """Raters compared on ``n`` items, with 95 % intervals (percentile bootstrap over items, or over their groups).

    ``agreement`` is the share of equal labels, among more than two raters that of equal pairs. ``kappa`` is Cohen's, or
    Fleiss' among more; NaN where chance gives full agreement. ``table`` counts the labels of the first rater in rows
    and of the second in columns, in the order of ``labels``; it is empty among more than two.
    """

    n: int
    agreement: float
    agreement_low: float
    agreement_high: float
    kappa: float
    kappa_low: float
    kappa_high: float
    labels: tuple[str, ...]
    table: list[list[int]]


def agreement(
    first: Sequence[str],
    second: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[Any] | None = None,
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> Agreement:
    """Returns how two raters agree.

    Args:
        first: the labels of one rater.
        second: the labels of the other, of the same items.
        labels: all labels that there may be.
        groups: what each item belongs to: items of a group are drawn together.
        samples: resamples behind the intervals.
        seed: of the resamples.
    """
    place = {label: number for number, label in enumerate(labels)}
    k = len(place)
    cells = np.zeros((len(first), k * k))
    cells[np.arange(len(first)), [place[a] * k + place[b] for a, b in zip(first, second, strict=True)]] = 1

    def measures(sums: Array) -> Array:
        """Agreement and Cohen's kappa of sums of cells, [resamples, cells]."""
        tables = sums.reshape(-1, k, k) / sums.sum(axis=1)[:, None, None]
        seen = np.trace(tables, axis1=1, axis2=2)
        by_chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1)
        return np.column_stack([seen, _beyond(seen, by_chance)])

    values = _with_intervals(cells, groups, measures, samples, seed)
    table = cells.sum(axis=0).reshape(k, k).astype(int).tolist()
    return Agreement(len(first), *values, tuple(labels), table)


def fleiss(
    rated: Sequence[Sequence[str]],
    labels: Sequence[str],
    groups: Sequence[Any] | None = None,
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> Agreement:
    """Returns how more than two raters agree, by Fleiss' kappa.

    Args:
        rated: the labels of each item, one a rater; every item has as many.
        labels: all labels that there may be.
        groups: what each item belongs to.
        samples: resamples behind the intervals.
        seed: of the resamples.
    """
    counts = np.array([[list(row).count(label) for label in labels] for row in rated], dtype=float)
    raters = counts[0].sum()
    equal = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    cells = np.column_stack([counts, equal, np.ones(len(counts))])

    def measures(sums: Array) -> Array:
        """Agreement of pairs and Fleiss' kappa of sums of counts, of equal shares and of items."""
        n, seen = sums[:, -1], sums[:, -2] / sums[:, -1]
        by_chance = ((sums[:, :-2] / (n * raters)[:, None]) ** 2).sum(axis=1)
        return np.column_stack([seen, _beyond(seen, by_chance)])

    return Agreement(len(rated), *_with_intervals(cells, groups, measures, samples, seed), tuple(labels), [])


def _beyond(seen: Array, by_chance: Array) -> Array:
    """What is seen beyond chance, as a share of what there could be; NaN where chance leaves nothing."""
    room = 1 - by_chance
    return np.divide(seen - by_chance, room, out=np.full_like(seen, np.nan), where=room > 1e-12)


def _with_intervals(
    cells: Array, groups: Sequence[Any] | None, measures: Callable[[Array], Array], samples: int, seed: int
) -> tuple[float, float, float, float, float, float]:
    """Both measures of all items, each with the 2.5th and 97.5th percentile of its resamples."""
    of = units(cells, clusters=groups)
    drawn = np.concatenate([measures(block @ of.sums) for block in weights(of.counts, of.strata, samples, seed)])
    value = measures(cells.sum(axis=0)[None, :])[0]
    seen, kappa = ((float(value[n]), *_middle(drawn[:, n])) for n in (0, 1))
    return *seen, *kappa


def _middle(drawn: Array) -> tuple[float, float]:
    """The bounds of the middle 95 % of what was drawn; of resamples that have a value."""
    known = drawn[~np.isnan(drawn)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return float(low), float(high)
