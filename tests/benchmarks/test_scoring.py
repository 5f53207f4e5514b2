"""Scores, intervals and comparisons against numbers worked out by hand and by other libraries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from med_small_lm.benchmarks.scoring import chance, compare, score
from med_small_lm.benchmarks.statistics import accuracy_interval, holm, is_whole, mcnemar_p
from med_small_lm.schemas.rows import Option, Prediction, Question


def made(question_id: str, key: str, state: str = "parsed", model: str = "tuned", **changes: Any) -> Prediction:
    keys = [key] if key else []
    entry = Prediction(model, question_id, "exam", "generation", "explain/0-shot", 0, "", state, keys, [], 3)
    return replace(entry, **changes)


def test_accuracy_by_hand(questions: list[Question]) -> None:
    """Right keys are A, B, C, C."""
    answers = [
        made("exam-0001", "A"),
        made("exam-0002", "B", "repaired"),
        made("exam-0003", "A"),
        made("exam-0004", "", "truncated"),
    ]
    (found,) = score(answers, {"exam": questions})
    assert (found.value, found.n, found.n_unparsed, found.subset, found.metric) == (0.5, 4, 1, "all", "accuracy")
    assert (found.model, found.benchmark, found.mode, found.variant) == (
        "tuned",
        "exam",
        "generation",
        "explain/0-shot",
    )
    assert (found.ci_low, found.ci_high) == pytest.approx((0.15004, 0.84996), abs=1e-4)


def test_missing_and_unread_answers_stay_in_the_denominator(questions: list[Question]) -> None:
    (found,) = score([made("exam-0001", "A"), made("exam-0002", "B", "ambiguous")], {"exam": questions})
    assert (found.value, found.n, found.n_unparsed) == (0.25, 4, 3)


def test_all_comes_first_then_kinds_and_languages(questions: list[Question]) -> None:
    mixed = [replace(questions[0], kind="multi", answer_keys=["A", "B"]), replace(questions[1], language="fr")]
    mixed += questions[2:]
    answers = [made("exam-0001", "", answer_keys=["B", "A"]), made("exam-0002", "A"), made("exam-0003", "C")]
    found = {entry.subset: (entry.value, entry.n) for entry in score(answers, {"exam": mixed})}
    assert list(found) == ["all", "kind=multi", "kind=single", "language=en", "language=fr"]
    assert found["all"] == (0.5, 4) and found["kind=multi"] == (1.0, 1) and found["kind=single"] == (1 / 3, 3)
    assert found["language=fr"] == (0.0, 1)


def test_answers_to_nothing_and_twice(questions: list[Question]) -> None:
    with pytest.raises(ValueError, match="no question of 'exam'"):
        score([made("exam-9999", "A")], {"exam": questions})
    with pytest.raises(ValueError, match="no question of 'exam'"):
        score([made("exam-0001", "A")], {"other": questions})
    with pytest.raises(ValueError, match="answers exam-0001 twice"):
        score([made("exam-0001", "A"), made("exam-0001", "B", sample=1)], {"exam": questions})


def test_chance(questions: list[Question]) -> None:
    assert chance(questions) == pytest.approx((1 / 4 + 1 / 2 + 1 / 5 + 1 / 3) / 4)


def many(n: int, right_a: set[int], right_b: set[int]) -> tuple[list[Question], list[Prediction]]:
    listed = [Option("A", "x"), Option("B", "y")]
    asked = [Question(f"q{i}", "exam", "test", "single", "s", listed, ["A"], "x") for i in range(n)]
    answers = [made(f"q{i}", "A" if i in right_a else "B", model="tuned") for i in range(n)]
    return asked, answers + [made(f"q{i}", "A" if i in right_b else "B", model="base") for i in range(n)]


def test_comparison_by_hand() -> None:
    """10 right with tuned alone, 2 with base alone: p = 2 * (1 + 12 + 66) / 2**12."""
    asked, answers = many(100, set(range(60)), set(range(10, 62)))
    hidden = [replace(answer, variant="stem_hidden/0-shot") for answer in answers]
    (found,) = compare(answers + hidden, {"exam": asked}, [("tuned", "base"), ("tuned", "none")])
    assert (found.n, found.only_a, found.only_b) == (100, 10, 2)
    assert found.difference == pytest.approx(0.08)
    assert found.p == pytest.approx(2 * 79 / 4096, abs=1e-12) and found.p_holm == found.p


def test_holm_over_all_comparisons() -> None:
    asked, answers = many(100, set(range(60)), set(range(10, 62)))
    direct = [replace(a, variant="direct") if a.model == "tuned" else replace(a, variant="direct") for a in answers]
    found = compare(answers + direct, {"exam": asked}, [("tuned", "base")])
    assert [entry.p_holm for entry in found] == pytest.approx([2 * entry.p for entry in found])
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06]) and holm([]) == []
    assert mcnemar_p(0, 0) == 1.0 and mcnemar_p(3, 3) == 1.0
    assert mcnemar_p(12, 40) == pytest.approx(stats.binomtest(12, 52).pvalue, abs=1e-12)


@pytest.mark.parametrize(("n", "right"), [(100, 30), (100, 90), (440, 390), (1273, 700)])
def test_interval_is_scipys(n: int, right: int) -> None:
    sample = (np.arange(n) < right).astype(float)
    other = stats.bootstrap(
        (sample,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1), batch=2_000
    ).confidence_interval
    assert accuracy_interval(right, n, samples=20_000) == pytest.approx((other.low, other.high), abs=0.005)


def test_interval_is_seeded_and_holds_the_value() -> None:
    assert accuracy_interval(300, 440, seed=3) == accuracy_interval(300, 440, seed=3)
    for right in (1, 2, 29, 30, 439):
        low, high = accuracy_interval(right, 440, samples=200)
        assert 0 <= low <= right / 440 <= high <= 1


def test_wilson_for_few_and_for_all_or_none() -> None:
    assert accuracy_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert accuracy_interval(440, 440) == pytest.approx((0.99135, 1.0), abs=1e-4)
    assert accuracy_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    for wrong in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="right answers"):
            accuracy_interval(*wrong)


@pytest.mark.parametrize(("n", "p"), [(100, 0.3), (440, 0.85), (1273, 0.9)])
def test_interval_covers_the_truth(n: int, p: float) -> None:
    """Weighted by the chance of each count, so that no simulation's noise is in it."""
    counts = np.arange(n + 1)
    weights = stats.binom.pmf(counts, n, p)
    likely = counts[weights > 1e-7]
    intervals = {int(right): accuracy_interval(int(right), n, samples=4_000) for right in likely}
    covered = sum(weights[right] for right, (low, high) in intervals.items() if low <= p <= high)
    assert 0.93 <= covered <= 0.97


def test_whole_number_of_right_answers() -> None:
    assert is_whole(390 / 440, 440) and not is_whole(0.8, 441)
    assert is_whole(0.886, 440, decimals=3)
    assert not is_whole(0.886, 17, decimals=3)
    assert is_whole(1.0, 7) and is_whole(0.0, 7) and not is_whole(1.2, 5)
