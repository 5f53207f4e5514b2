"""Metrics of questions with several right options, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, hamming_loss, jaccard_score

from med_small_lm.benchmarks.metrics import MULTI_SELECT, Marks, by_case, exact, exam_scale, mark
from med_small_lm.benchmarks.resampling import units
from med_small_lm.schemas.rows import Option, Question


def asked(number: int, right: str, n_options: int = 5, case: str = "") -> Question:
    options = [Option(key, f"option {key}") for key in "ABCDEFGH"[:n_options]]
    return Question(f"q{number}", "exam", "test", "multi", "s", options, list(right), "", case_id=case)


def value(marks: Marks, metric: str) -> float:
    return units(*MULTI_SELECT[metric](marks)).value


def test_five_questions_by_hand() -> None:
    """Right are ABC, AB, A, DE, B; answered ABC, AC, ABCD, nothing read, and none of them."""
    rights, named = ["ABC", "AB", "A", "DE", "B"], ["ABC", "AC", "ABCD", None, ""]
    marks = mark((asked(n, right), keys) for n, (right, keys) in enumerate(zip(rights, named, strict=True)))
    assert marks.discordant.tolist() == [0, 2, 3, 5, 1]
    assert exact(marks).tolist() == [1, 0, 0, 0, 0]
    assert exam_scale(marks).tolist() == [1, 0.2, 0, 0, 0.5]
    expected = {
        "exact_match": 1 / 5,
        "jaccard": (1 + 1 / 3 + 1 / 4 + 0 + 0) / 5,
        "one_minus_hamming_loss": (5 + 3 + 2 + 0 + 4) / 25,
        "proposition_accuracy": 14 / 25,
        "f1_samples": (1 + 2 / 4 + 2 / 5 + 0 + 0) / 5,
        # named and right 3 + 1 + 1, named and wrong 1 + 3, right and not named 1 + 2 + 1
        "f1_micro": 10 / (10 + 4 + 4),
        # of the false ones 2 + 2 + 1 + 4 were left out; 1 + 1 right ones too, and 1 + 3 + 3 were not
        "f1_macro": (10 / 18 + 18 / (18 + 2 + 7)) / 2,
        "exam_scale": 1.7 / 5,
    }
    assert {metric: value(marks, metric) for metric in MULTI_SELECT} == pytest.approx(expected)


def test_two_options_and_no_answer_get_no_points() -> None:
    """Two discordant propositions would be 0.2 points."""
    assert exam_scale(mark([(asked(0, "A", 2), None), (asked(1, "A", 2), "B")])).tolist() == [0, 0.2]


def test_questions_where_all_is_false() -> None:
    marks = mark([(asked(0, ""), ""), (asked(1, ""), "A"), (asked(2, ""), None)])
    assert exact(marks).tolist() == [1, 0, 0]
    assert value(marks, "jaccard") == value(marks, "f1_samples") == pytest.approx(1 / 3)


def test_options_of_different_number() -> None:
    """The share of propositions is another figure than the mean of the questions' shares."""
    marks = mark([(asked(0, "A", 2), "A"), (asked(1, "A", 8), "BC")])
    assert value(marks, "proposition_accuracy") == pytest.approx(7 / 10)
    assert value(marks, "one_minus_hamming_loss") == pytest.approx((1 + 5 / 8) / 2)


def test_against_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    right, named = draw.random((200, 5)) < 0.4, draw.random((200, 5)) < 0.5
    keys = [["".join(np.array(list("ABCDE"))[row]) for row in table] for table in (right, named)]
    marks = mark((asked(n, a), b) for n, (a, b) in enumerate(zip(*keys, strict=True)))
    assert value(marks, "one_minus_hamming_loss") == pytest.approx(1 - hamming_loss(right, named))
    assert value(marks, "jaccard") == pytest.approx(jaccard_score(right, named, average="samples", zero_division=1))
    assert value(marks, "f1_samples") == pytest.approx(f1_score(right, named, average="samples", zero_division=1))
    assert value(marks, "f1_micro") == pytest.approx(f1_score(right, named, average="micro"))
    assert value(marks, "f1_macro") == pytest.approx(f1_score(right.ravel(), named.ravel(), average="macro"))
    assert value(marks, "proposition_accuracy") == pytest.approx((right == named).mean())
    assert value(marks, "exact_match") == pytest.approx((right == named).all(axis=1).mean())


def test_the_scale_has_nothing_from_three_on() -> None:
    marks = mark((asked(n, "ABC"), "ABC"[n:]) for n in range(4))
    assert exam_scale(marks).tolist() == [1, 0.5, 0.2, 0]


def test_means_by_case() -> None:
    assert by_case(np.array([1.0, 0, 1, 1]), ["b", "b", "a", "b"]).tolist() == pytest.approx([1, 2 / 3])
