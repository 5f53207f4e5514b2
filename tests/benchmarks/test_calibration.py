"""Calibration by hand and against scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from med_small_lm.benchmarks.calibration import (
    SureAnswers,
    calibration_error,
    measure,
    probabilities,
    reliability,
    risk_coverage,
    risk_coverage_area,
    sure_answers,
)
from med_small_lm.schemas.rows import KeyScore


def judged(confidence: list[float], right: list[int]) -> SureAnswers:
    return SureAnswers(np.array(confidence), np.array(right, dtype=float), np.zeros(len(right)))


def drawn(n: int, seed: int = 0, sharpness: float = 1.0) -> SureAnswers:
    """Items that are right as often as they are sure, at a sharpness of 1."""
    draw = np.random.default_rng(seed)
    confidence = draw.beta(3, 1.5, n)
    right = draw.random(n) < confidence**sharpness
    return SureAnswers(confidence, right.astype(float), (confidence - right) ** 2)


def test_probabilities() -> None:
    scores = [KeyScore("A", -1000.0, 2), KeyScore("B", -1000.0 - np.log(3), 1)]
    assert probabilities(scores) == pytest.approx({"A": 0.75, "B": 0.25})
    by_token = probabilities([KeyScore("A", -4.0, 2), KeyScore("B", -2.0, 1)], {"A": 2, "B": 1})
    assert by_token == pytest.approx({"A": 0.5, "B": 0.5})


def test_judged_by_hand() -> None:
    found = sure_answers(
        [({"A": 0.7, "B": 0.2, "C": 0.1}, "A", "A"), ({"A": 0.6, "B": 0.4}, "A", "B"), ({"C": 0.2}, "", "A")]
    )
    assert found.confidence.tolist() == [0.7, 0.6, 0.0] and found.right.tolist() == [1, 0, 0]
    assert found.brier.tolist() == pytest.approx([0.09 + 0.04 + 0.01, 0.36 + 0.36, 1 + 0.04])


def test_brier_is_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    shares, right = draw.dirichlet(np.ones(4), 300), draw.integers(0, 4, 300)
    found = sure_answers(
        (dict(zip("ABCD", row, strict=True)), "A", "ABCD"[key]) for row, key in zip(shares, right, strict=True)
    )
    assert found.brier.mean() == pytest.approx(
        brier_score_loss(right, shares, labels=[0, 1, 2, 3], scale_by_half=False)
    )


@pytest.mark.parametrize(("binning", "strategy"), [("equal_width", "uniform"), ("equal_mass", "quantile")])
def test_bins_are_scikit_learns(binning: str, strategy: str) -> None:
    items = drawn(500, sharpness=2)
    bins = reliability(items, binning, 10)  # type: ignore[arg-type]
    accuracy, confidence = calibration_curve(items.right, items.confidence, n_bins=10, strategy=strategy)
    assert [one.accuracy for one in bins] == pytest.approx(accuracy)
    assert [one.confidence for one in bins] == pytest.approx(confidence)
    assert sum(one.n for one in bins) == 500
    if binning == "equal_mass":
        assert {one.n for one in bins} == {50}
    error = sum(one.n * abs(one.accuracy - one.confidence) for one in bins) / 500
    assert calibration_error(items, binning) == pytest.approx(error)  # type: ignore[arg-type]
    assert all(one.ci_low <= one.accuracy <= one.ci_high and one.low <= one.confidence <= one.high for one in bins)


def test_error_by_hand() -> None:
    items = judged([0.95, 0.95, 0.55, 0.55], [1, 0, 1, 1])
    assert calibration_error(items, "equal_width") == pytest.approx((2 * 0.45 + 2 * 0.45) / 4)
    same = judged([0.5] * 4, [1, 0, 0, 1])
    assert calibration_error(same) == 0 and len(reliability(same)) == 1


def test_risk_and_coverage_by_hand() -> None:
    """From the surest on: right, wrong, right, wrong."""
    items = judged([0.6, 0.9, 0.7, 0.8], [0, 1, 1, 0])
    coverage, risk = risk_coverage(items)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0] and risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert risk_coverage_area(items) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_items_as_sure_as_each_other_stand_in_no_order() -> None:
    right = [1, 1, 0, 1, 0]
    items = judged([0.9, 0.8, 0.8, 0.8, 0.1], right)
    orders = [[0, *middle, 4] for middle in itertools.permutations([1, 2, 3])]
    areas = [np.mean([np.mean([1 - right[i] for i in order[: n + 1]]) for n in range(5)]) for order in orders]
    assert risk_coverage_area(items) == pytest.approx(np.mean(areas))
    assert len(risk_coverage(items)[0]) == 3


def test_measures_lie_in_their_intervals() -> None:
    for items in (drawn(200), drawn(200, sharpness=3), drawn(3), judged([0.5, 0.5], [1, 1])):
        found = measure(items, samples=400)
        assert [one.metric for one in found] == ["ece_equal_mass", "ece_equal_width", "brier", "risk_coverage_area"]
        assert all(one.ci_low <= one.value <= one.ci_high for one in found)


def test_a_well_calibrated_models_error_may_be_none() -> None:
    mass, width, *_ = measure(drawn(400), samples=1_000)
    assert mass.ci_low == 0 and width.ci_low == 0 and 0 < mass.value < 0.1
    mass, *_ = measure(drawn(400, sharpness=3), samples=1_000)
    assert 0.1 < mass.ci_low < mass.ci_high < 0.4, "as sure as ever, and right far less often"


def test_items_of_a_case_are_drawn_together() -> None:
    items = drawn(100)
    five = SureAnswers(*(np.repeat(column, 5) for column in (items.confidence, items.right, items.brier)))
    widths = [one.ci_high - one.ci_low for one in measure(five, clusters=np.repeat(np.arange(100), 5).tolist())]
    alone = [one.ci_high - one.ci_low for one in measure(items)]
    assert widths[2] == pytest.approx(alone[2], rel=0.15) and widths[3] == pytest.approx(alone[3], rel=0.15)
