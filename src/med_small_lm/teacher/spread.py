"""How far the mean of a few replies lies from the mean of many, where lengths are skewed.

Lengths of one method are taken as ``scale * shape``: each method has a scale of its own, and all share the shape, so
that a few replies a method tell together how far they spread. The shape is a generalised gamma (Prentice 1974), whose
``tilt`` bends the lognormal: 0 is the lognormal itself, above it the short replies spread further than the long ones
(gamma, Weibull, lengths that max_tokens cuts off), below it the long ones do. Tilt and spread are drawn from their
posterior on a grid; the scales are integrated out exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Draws = NDArray[np.float64]
"""One value in each of the simulated worlds."""

_TILTS = {-0.5: 0.2, 0.0: 0.6, 0.5: 0.1, 1.0: 0.05, 2.0: 0.05}  # and how likely each is before any reply
_SPREADS = np.geomspace(0.02, 3.0, 60)  # standard deviation of the logarithm
_TYPICAL, _WEIGHT = 0.8, 2.0  # of replies to one prompt; counts as much as so many replies
_FLOOR = 1e-3  # of the mean; an empty reply has no logarithm
_MANY = 400  # from here on a mean is drawn from its own distribution, and not value by value


class Spread:
    """The shape that groups of values share, as it may be in each of ``n`` worlds."""

    def __init__(self, groups: Iterable[Sequence[float]], n: int, rng: np.random.Generator) -> None:
        """Learn from the values of each group; fewer than two of a group tell nothing of the shape."""
        weights = _posterior([_logarithms(group) for group in groups if len(group) > 1 and any(group)])
        drawn = rng.choice(weights.size, n, p=weights.ravel())
        self._tilt, self._spread = np.array(list(_TILTS))[drawn // len(_SPREADS)], _SPREADS[drawn % len(_SPREADS)]
        self._rng = rng

    def means(self, n: float) -> Draws:
        """Return in each world the mean of ``n`` values whose expectation is 1."""
        means = np.empty(len(self._tilt))
        for tilt in _TILTS:
            here = np.flatnonzero(self._tilt == tilt)
            means[here] = self._means(n, tilt, self._spread[here])
        return means

    def _means(self, n: float, tilt: float, spread: Draws) -> Draws:
        """Return the same for the worlds of one tilt."""
        if n > _MANY:
            shape = n / _variance(tilt, spread)
            return self._rng.standard_gamma(shape) / shape
        size = (len(spread), max(1, round(n)))
        if tilt == 0:
            values = np.exp(self._rng.standard_normal(size) * spread[:, None] - spread[:, None] ** 2 / 2)
        else:
            power, q = _power(tilt, spread)
            logs = np.log(self._rng.standard_gamma(q, size))
            values = np.exp(logs * power[:, None] + (_log_gamma(q) - _log_gamma(q + power))[:, None])
        return np.asarray(values.mean(axis=1))


def _logarithms(values: Sequence[float]) -> Draws:
    """Return the logarithms of values, their mean taken away."""
    given = np.asarray(values, dtype=float)
    logs = np.log(np.maximum(given, given.mean() * _FLOOR))
    return np.asarray(logs - logs.mean())


def _posterior(groups: Sequence[Draws]) -> NDArray[np.float64]:
    """Return how likely each tilt (row) and spread (column) is after the groups' logarithms."""
    before = -_WEIGHT * (np.log(_SPREADS) + (_TYPICAL / _SPREADS) ** 2 / 2)
    rows = []
    for tilt, weight in _TILTS.items():
        told = sum((_told(group, tilt) for group in groups), np.zeros(len(_SPREADS)))
        rows.append(np.where(np.isfinite(_variance(tilt, _SPREADS)), before + np.log(weight) + told, -np.inf))
    logs = np.array(rows)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _told(logs: Draws, tilt: float) -> Draws:
    """Return the log-likelihood of a group's logarithms at each spread, whatever the scale of the group."""
    n = len(logs)
    if tilt == 0:
        flat = -0.5 * ((n - 1) * np.log(2 * np.pi) + np.log(n))
        return np.asarray(flat - (n - 1) * np.log(_SPREADS) - (logs @ logs) / (2 * _SPREADS**2))
    power, q = _power(tilt, _SPREADS)
    sums = np.logaddexp.reduce(logs / power[:, None], axis=1)
    flat = n * (q * np.log(q) - float(_log_gamma(q))) + float(_log_gamma(n * q)) - n * q * np.log(q)
    return np.asarray(flat - (n - 1) * np.log(np.abs(power)) - n * q * sums)


def _power(tilt: float, spread: Draws) -> tuple[Draws, float]:
    """Return the power and the shape of the gamma variable that a length of this tilt and spread is."""
    q = tilt**-2
    return np.sign(tilt) * spread / np.sqrt(_trigamma(q)), q


def _variance(tilt: float, spread: Draws) -> Draws:
    """Return the variance of lengths whose mean is 1; infinite where it has none, or nearly so."""
    if tilt == 0:
        return np.asarray(np.expm1(spread**2))
    power, q = _power(tilt, spread)
    has = q + 2 * power > 0.1 * q
    power = np.where(has, power, 0.0)
    logs = _log_gamma(q + 2 * power) + _log_gamma(q) - 2 * _log_gamma(q + power)
    return np.where(has, np.expm1(logs), np.inf)


def _log_gamma(value: ArrayLike) -> Draws:
    """Return the logarithm of the gamma function."""
    from scipy.special import gammaln  # here, because it takes a quarter of a second to import

    return np.asarray(gammaln(value))


@lru_cache(maxsize=16)
def _trigamma(q: float) -> float:
    """Return the variance of the logarithm of a gamma variable."""
    from scipy.special import polygamma

    return float(polygamma(1, q))
