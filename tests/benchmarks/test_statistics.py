"""Intervals and tests against SciPy, statsmodels, exhaustive enumeration and numbers worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from med_small_lm.benchmarks.resampling import interval, percentile, studentised, units, weights
from med_small_lm.benchmarks.statistics import (
    accuracy_interval,
    counts_of,
    detectable,
    holm,
    is_whole,
    mcnemar_p,
    mean_interval,
    paired,
    power_note,
    sign_flip_p,
    whole_note,
)


@pytest.mark.parametrize(("n", "right"), [(100, 30), (100, 90), (440, 390), (1273, 700)])
def test_percentiles_are_scipys(n: int, right: int) -> None:
    sample = (np.arange(n) < right).astype(float)
    other = stats.bootstrap(
        (sample,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1), batch=2_000
    ).confidence_interval
    assert percentile(units(sample), samples=20_000, seed=0) == pytest.approx((other.low, other.high), abs=0.005)


def test_percentiles_of_other_means_are_scipys() -> None:
    draw = np.random.default_rng(2)
    points = draw.choice([1.0, 0.5, 0.2, 0.0], size=200)
    other = stats.bootstrap((points,), np.mean, n_resamples=20_000, method="percentile", rng=draw, batch=2_000)
    own = percentile(units(points), samples=20_000, seed=0)
    assert own == pytest.approx(tuple(other.confidence_interval), abs=0.005)

    first, second = draw.random(300) < 0.7, draw.random(300) < 0.6
    other = stats.bootstrap(
        (first * 1.0, second * 1.0), lambda a, b, axis: a.mean(axis) - b.mean(axis), paired=True, method="percentile",
        n_resamples=20_000, rng=draw, batch=2_000,
    )  # fmt: skip
    found = paired(first, second, samples=20_000)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(other.confidence_interval), abs=0.005)
    assert found.difference == pytest.approx(first.mean() - second.mean())


def test_interval_is_seeded_and_holds_the_value() -> None:
    assert accuracy_interval(300, 440, seed=3) == accuracy_interval(300, 440, seed=3)
    assert accuracy_interval(300, 440, seed=3, samples=300) != accuracy_interval(300, 440, seed=4, samples=300)
    for right in (1, 2, 29, 30, 439):
        low, high = accuracy_interval(right, 440, samples=200)
        assert 0 <= low <= right / 440 <= high <= 1


@pytest.mark.parametrize(("right", "n"), [(0, 10), (5, 10), (20, 29), (440, 440), (9, 440), (431, 440), (0, 1)])
def test_wilson_where_there_are_few(right: int, n: int) -> None:
    other = proportion_confint(right, n, method="wilson")
    assert accuracy_interval(right, n) == pytest.approx(other, abs=1e-9)


def test_no_accuracy_of_more_than_all() -> None:
    for wrong in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="right answers"):
            accuracy_interval(*wrong)


@pytest.mark.parametrize(("n", "p"), [(100, 0.3), (100, 0.9), (440, 0.85), (1273, 0.3), (1273, 0.9)])
def test_interval_covers_the_truth(n: int, p: float) -> None:
    """Weighted by the chance of each count, so that no simulation's noise is in it."""
    counts = np.arange(n + 1)
    chances = stats.binom.pmf(counts, n, p)
    likely = counts[chances > 1e-7]
    intervals = {int(right): accuracy_interval(int(right), n, samples=4_000) for right in likely}
    covered = sum(chances[right] for right, (low, high) in intervals.items() if low <= p <= high)
    assert 0.93 <= covered <= 0.97


def test_items_of_a_case_are_drawn_together() -> None:
    """Cases whose items are all right or all wrong know as much as their number of items that stand alone."""
    right = np.random.default_rng(0).random(60) < 0.6
    alone = mean_interval(right, samples=4_000)
    copied, cases = np.repeat(right, 5), np.repeat(np.arange(60), 5)
    together = mean_interval(copied, clusters=cases, samples=4_000)
    assert together == pytest.approx(alone, abs=0.03)
    plain = mean_interval(copied, samples=4_000)
    assert plain[1] - plain[0] < 0.5 * (together[1] - together[0])


def test_studentised_by_hand() -> None:
    """Against resamples written out one by one."""
    draw = np.random.default_rng(4)
    sizes = draw.integers(2, 6, 35)
    cases = np.repeat(np.arange(35), sizes)
    values = (draw.random(len(cases)) < 0.5).astype(float)
    sums = np.bincount(cases, weights=values)

    def error(picked: np.ndarray) -> tuple[float, float]:
        mean = sums[picked].sum() / sizes[picked].sum()
        apart = (sums[picked] - mean * sizes[picked]) / sizes[picked].sum()
        return mean, math.sqrt(35 / 34 * (apart**2).sum())

    mean, own = error(np.arange(35))
    told = [error(draw.integers(0, 35, 35)) for _ in range(20_000)]
    low, high = np.quantile([(value - mean) / spread for value, spread in told], [0.025, 0.975])
    found = studentised(units(values, clusters=cases), samples=20_000, seed=0)
    assert found == pytest.approx((mean - high * own, mean - low * own), abs=0.005)


def test_few_cases_have_wilsons_interval_at_their_effective_number() -> None:
    """8 cases of 5, four all right and four all wrong: 7 items' worth, with Student's quantile of 7 degrees."""
    of = units(np.repeat([1, 0], 20), clusters=np.repeat(np.arange(8), 5))
    n, z = 7, stats.t.ppf(0.975, 7)
    half = z / (1 + z**2 / n) * math.sqrt(0.25 / n + (z / n / 2) ** 2)
    assert interval(of) == pytest.approx((0.5 - half, 0.5 + half))
    low, high = interval(units(np.ones(40), clusters=np.repeat(np.arange(8), 5)))
    assert (low, high) == pytest.approx((8 / (8 + z**2), 1.0)), "eight cases, not forty items"


def test_mean_over_strata_is_not_the_mean_over_items() -> None:
    values, groups = np.repeat([1, 0, 1, 0], [90, 10, 20, 80]), np.repeat(["a", "b"], 100)
    of = units(np.r_[values, np.zeros(300)], strata=[*groups, *["c"] * 300])
    assert of.value == pytest.approx((0.9 + 0.2 + 0) / 3)
    low, high = interval(of, samples=20_000)
    spread = math.sqrt(0.9 * 0.1 / 99 + 0.2 * 0.8 / 99) / 3
    assert (low, high) == pytest.approx((of.value - 1.96 * spread, of.value + 1.96 * spread), abs=0.01)


def test_each_stratum_keeps_its_size_in_every_resample() -> None:
    of = units([1, 1, 0, 0, 1, 0], strata=list("aaabbb"))
    drawn = np.concatenate(list(weights(of.counts, of.strata, 50, 0)))
    assert (drawn[:, of.strata == 0].sum(axis=1) == 3).all() and (drawn[:, of.strata == 1].sum(axis=1) == 3).all()


@pytest.mark.parametrize("values", [[0.5] * 40, [1.0] * 40, [0.0], [0.3, 0.4], [1.4, -0.2, 0.3] * 20])
def test_intervals_of_anything_are_numbers(values: list[float]) -> None:
    low, high = mean_interval(values)
    assert low <= np.mean(values) + 1e-12 and np.mean(values) - 1e-12 <= high and math.isfinite(low + high)


def test_differences_where_none_or_all_are_apart() -> None:
    """Half an item in each cell of the pairs, by Agresti and Min."""
    none = paired(np.ones(100), np.ones(100))
    half = stats.t.ppf(0.975, 99) / 102
    assert (none.ci_low, none.ci_high) == pytest.approx((-half, half))
    assert none.p == 1.0 and math.isnan(none.detectable)
    every = paired(np.ones(40), np.zeros(40))
    assert every.ci_low < 1 <= every.ci_high and every.p == pytest.approx(2 * 0.5**40)
    one_way = paired(np.arange(100) < 4, np.zeros(100))
    assert one_way.ci_low < 0, "four items can fall out like that by chance, and the test says so"
    assert one_way.p == pytest.approx(0.125)


def test_differences_stay_within_what_can_occur() -> None:
    one = paired([1], [0])
    assert math.isnan(one.ci_low) and math.isnan(one.ci_high), "one item says nothing"
    three = paired([1, 1, 1], [0, 0, 0])
    assert -1 <= three.ci_low < 0 < three.ci_high == 1.0
    assert paired(np.ones(40), np.zeros(40)).ci_high == 1.0
    cases = paired(np.ones(12), np.zeros(12), clusters=np.arange(12) // 6)
    assert math.isnan(cases.ci_low), "two cases"


def test_counts_are_never_below_nothing() -> None:
    """Contradictions of answers: a few of many, as many in each, and none with one that has two."""
    low, high = interval(units([2, 2, *[0] * 199]))
    assert 0 < low < 4 / 201 < high < 0.1
    assert interval(units([3] * 20)) == pytest.approx(
        (stats.chi2.ppf(0.025, 120) / 40, stats.chi2.ppf(0.975, 122) / 40)
    ), "Garwood's of 60 events"
    draw = np.random.default_rng(0)
    assert interval(units(draw.poisson(0.3, 60)))[0] >= 0
    held = [
        low <= 0.5 <= high
        for seed in range(300)
        for low, high in [interval(units(draw.negative_binomial(1, 1 / 1.5, 25)), samples=200, seed=seed)]
    ]
    assert 0.91 < np.mean(held) < 0.99


def test_values_below_zero_have_students_interval() -> None:
    values = [-0.5, 0.3, 0.2, 0.9]
    found = interval(units(values))
    assert found == pytest.approx(stats.t.interval(0.95, 3, np.mean(values), stats.sem(values)))
    assert interval(units([-0.5])) == (-math.inf, math.inf)


def test_mcnemar_is_statsmodels() -> None:
    draw = np.random.default_rng(0)
    for only_a, only_b in draw.integers(0, 200, size=(200, 2)).tolist():
        other = mcnemar([[7, only_a], [only_b, 9]], exact=True).pvalue
        assert mcnemar_p(only_a, only_b) == pytest.approx(min(1.0, other), abs=1e-10)
        flipped = sign_flip_p(np.r_[np.ones(only_a), -np.ones(only_b), np.zeros(5)])
        assert flipped == pytest.approx(mcnemar_p(only_a, only_b), abs=1e-10)
    assert mcnemar_p(0, 0) == 1.0 and mcnemar_p(3, 3) == 1.0


def test_whole_cases_are_flipped() -> None:
    """Against all signs written out; and drawings of them where values are no whole numbers."""
    differences = [3, -1, 2, 2, 0, 1, -2, 4, 1]
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences))))
    exact = float((np.abs(signs @ differences) >= sum(differences)).mean())
    assert sign_flip_p(differences) == pytest.approx(exact, abs=1e-12)
    assert sign_flip_p(np.array(differences) / 4, samples=20_000) == pytest.approx(exact, abs=0.01)
    cases = np.repeat(np.arange(9), 4)
    first = np.concatenate([np.arange(4) < max(d, 0) for d in differences])
    second = np.concatenate([np.arange(4) < max(-d, 0) for d in differences])
    assert paired(first, second, clusters=cases).p == pytest.approx(exact, abs=1e-12)
    assert paired(first, second).p < exact, "items of a case are not so many proofs"


def test_holm_is_statsmodels() -> None:
    draw = np.random.default_rng(0)
    for n in (1, 2, 5, 40):
        values = draw.random(n) ** 3
        values[: n // 2] = values[0]
        assert holm(values) == pytest.approx(multipletests(values, method="holm")[1], abs=1e-12)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06]) and holm([]) == []


def test_smallest_difference_by_simulation() -> None:
    """40 items apart of 200: the difference that is said to be shown with 80 % power is."""
    smallest = detectable(40, 200)
    share = (smallest * 200 / 40 + 1) / 2
    won = np.random.default_rng(0).binomial(40, share, size=20_000)
    cut = [mcnemar_p(int(count), 40 - int(count)) < 0.05 for count in range(41)]
    shown = np.mean([cut[count] for count in won])
    assert shown == pytest.approx(0.8, abs=0.02)
    assert math.isnan(detectable(5, 200)) and math.isnan(detectable(0, 200)), "six of six: p = 0.03; five of five: 0.06"
    assert detectable(6, 200) < 6 / 200 < detectable(12, 200) < detectable(48, 200)


def test_power_in_words() -> None:
    assert power_note(0.1, 0.01, 0.08, 308) == ""
    said = power_note(-0.0325, 0.3, detectable(40, 308), 308)
    assert said.startswith("308 items show a difference of 0.0") and said.endswith("the one seen is 0.033")
    assert "no difference" in power_note(0.0, 1.0, math.nan, 1273)
    clustered = paired(np.arange(80) % 3 > 0, np.arange(80) % 4 > 0, clusters=np.arange(80) // 4)
    assert 0 < clustered.detectable < 1


def test_whole_number_of_right_answers() -> None:
    assert is_whole(390 / 440, 440) and not is_whole(0.8, 441)
    assert is_whole(0.886, 440, decimals=3)
    assert not is_whole(0.886, 17, decimals=3)
    assert is_whole(1.0, 7) and is_whole(0.0, 7) and not is_whole(1.2, 5) and not is_whole(-0.1, 5)
    for n in (1, 7, 99, 308, 4183):
        assert all(list(counts_of(right / n, n)) == [right] for right in range(n + 1))


@pytest.mark.parametrize(
    ("value", "n", "decimals", "said"),
    [
        (0.315, 92, 3, "29 of 92"),
        (0.602, 123, 3, "74 of 123"),
        (0.602, 122, 3, "no whole number gives this"),
        (0.703, 325, 3, "no whole number gives this"),
        (0.60, 308, 2, "184 to 186 of 308: too few digits to tell, every cell fits"),
        (0.706, 1273, 3, "899 of 1,273: too few digits to tell, every cell fits"),
    ],
)
def test_published_cells(value: float, n: int, decimals: int, said: str) -> None:
    assert whole_note(value, n, decimals) == said
