"""Intervals and tests behind the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# statsmodels takes seconds to import, so the functions do it: who only counts or lists pipelines does not wait.

FEW = 30
"""Below so many items an interval is Wilson's: resamples of so few take too few values."""


def accuracy_interval(n_right: int, n: int, *, samples: int = 2_000, seed: int = 0) -> tuple[float, float]:
    """Returns the 95 % interval of an accuracy: percentiles of a seeded bootstrap over the items.

    Wilson's interval where there are fewer than 30 items, or where all are right or all wrong: every resample is then
    like the other, and the bootstrap's interval would have no width.

    Args:
        n_right: items answered rightly.
        n: items, at least 1.
        samples: resamples.
        seed: of the resamples.
    """
    if not 0 <= n_right <= n or n < 1:
        raise ValueError(f"{n_right} right answers of {n} items")
    if n < FEW or n_right in (0, n):
        from statsmodels.stats.proportion import proportion_confint

        low, high = proportion_confint(n_right, n, alpha=0.05, method="wilson")
        return max(0.0, float(low)), min(1.0, float(high))
    # Drawing n items of which each is right with n_right / n, and counting, is the binomial distribution itself.
    means = np.random.default_rng(seed).binomial(n, n_right / n, size=samples) / n
    low, high = np.quantile(means, [0.025, 0.975])
    # A few hundred resamples of a skewed share can leave the share itself outside by a rounding.
    return min(float(low), n_right / n), max(float(high), n_right / n)


def is_whole(accuracy: float, n: int, decimals: int | None = None) -> bool:
    """Returns whether some whole number of right answers of ``n`` gives this accuracy.

    Args:
        accuracy: a share, 0 to 1.
        n: items.
        decimals: digits to which a published share was rounded (a percentage with one digit has 3); None for exact.
    """
    nearest = round(accuracy * n)
    half = 1e-9 if decimals is None else 0.5 * 10.0**-decimals + 1e-9
    return any(0 <= count <= n and abs(count / n - accuracy) <= half for count in (nearest - 1, nearest, nearest + 1))


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Returns the two-sided p-value of McNemar's exact test; 1 where no item differs.

    Args:
        only_a: items that only the first model answers rightly.
        only_b: items that only the second answers rightly.
    """
    if only_a + only_b == 0:
        return 1.0
    from statsmodels.stats.contingency_tables import mcnemar

    return min(1.0, float(mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns the p-values corrected for how many there are, by Holm's method, in the same order."""
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(list(p_values), method="holm")[1]]
