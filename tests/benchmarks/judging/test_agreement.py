"""How a judge agrees with physicians: as scikit-learn, statsmodels and SciPy say; rows that are none are set aside."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from med_small_lm.benchmarks.judging.agreement import agreement, fleiss
from med_small_lm.benchmarks.judging.annotations import (
    LABELS,
    Annotated,
    judge_labels,
    judge_report,
    read_annotations,
)
from med_small_lm.errors import UserError

from .judges import judge_at, prompts, saying

DATA = Path(__file__).parents[4] / "shared" / "data"


def raters(n: int, seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    draw = np.random.default_rng(seed)
    truth = draw.choice(LABELS, size=n, p=[0.4, 0.5, 0.1])
    noisy = [[str(draw.choice(LABELS)) if draw.random() < 0.3 else str(one) for one in truth] for _ in range(3)]
    return noisy[0], noisy[1], noisy[2]


def test_agreement_and_kappa_are_those_of_scikit_learn() -> None:
    first, second, _ = raters(200)
    found = agreement(first, second, LABELS, samples=200)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found.table == confusion_matrix(first, second, labels=LABELS).tolist()
    assert found.agreement == pytest.approx(np.mean(np.array(first) == np.array(second)), abs=1e-12)


def test_fleiss_kappa_is_that_of_statsmodels() -> None:
    rows = list(zip(*raters(150), strict=True))
    table, _ = aggregate_raters(np.array([[LABELS.index(label) for label in row] for row in rows]))
    assert fleiss(rows, LABELS, samples=200).kappa == pytest.approx(fleiss_kappa(table), abs=1e-12)


def test_intervals_are_those_of_scipys_percentile_bootstrap() -> None:
    first, second, _ = raters(120, 3)
    found = agreement(first, second, LABELS, samples=4_000, seed=1)
    codes = [np.array([LABELS.index(label) for label in side]) for side in (first, second)]
    told = {"paired": True, "vectorized": False, "n_resamples": 1_000, "method": "percentile", "rng": 2}
    whole = bootstrap(codes, cohen_kappa_score, **told).confidence_interval
    assert (found.kappa_low, found.kappa_high) == pytest.approx(tuple(whole), abs=0.02)


def test_groups_are_drawn_whole() -> None:
    first, second, _ = raters(40)
    many, groups = [side * 10 for side in (first, second)], list(range(40)) * 10
    alone, grouped = (agreement(*many, LABELS, names, samples=2_000) for names in (None, groups))
    once = agreement(first, second, LABELS, samples=2_000)
    assert grouped.kappa_high - grouped.kappa_low == pytest.approx(once.kappa_high - once.kappa_low, abs=0.03)
    assert alone.kappa_high - alone.kappa_low < 0.5 * (grouped.kappa_high - grouped.kappa_low)


def test_full_agreement_by_chance_alone_has_no_kappa() -> None:
    found = agreement(["Neutral"] * 5, ["Neutral"] * 5, LABELS, samples=200)
    assert found.agreement == 1 and np.isnan(found.kappa) and np.isnan(found.kappa_low)


STATEMENTS = [
    Annotated("Q1?", "Rest.", "Rest helps.", ("Entailment", "Entailment", "Neutral")),
    Annotated("Q1?", "Rest.", "Rest harms.", ("Contradiction", "Contradiction", "Contradiction")),
    Annotated("Q2?", "Drink.", "Sleep helps.", ("Neutral", "Neutral", "Neutral")),
    Annotated("Q2?", "Drink.", "Water helps.", ("Entailment", "Entailment", "Entailment")),
    Annotated("Q2?", "Drink.", "Tea helps.", ("Entailment", "Neutral", "Contradiction")),
    Annotated("Q3?", "Wait.", "Waiting helps.", ("Neutral", "Entailment", "Entailment")),
    Annotated("Q3?", "Wait.", "Haste helps.", ("Neutral", "Contradiction", "Contradiction")),
]


def test_the_judges_two_verdicts_make_one_label(tmp_path: Path) -> None:
    verdicts = {
        ("entails", "Rest helps."): True,
        ("contradicts", "Rest harms."): True,
        ("entails", "Waiting helps."): True, ("contradicts", "Waiting helps."): True,
        ("contradicts", "Haste helps."): "perhaps",
    }  # fmt: skip
    with judge_at(saying(verdicts), tmp_path / "l.sqlite") as (ask, _):
        labels = judge_labels(STATEMENTS, prompts(), ask, {"temperature": 0})
    assert labels == ["Entailment", "Contradiction", "Neutral", "Neutral", "Neutral", "both", "unread"]
    report = judge_report(STATEMENTS, labels, samples=200)
    assert (report.n_unread, report.n_both, report.n_split) == (1, 1, 1)
    # Of the four that are left the judge misses one: Entailment that it calls Neutral.
    assert (report.with_majority.n, report.with_majority.agreement) == (4, 3 / 4)
    assert report.with_majority.table == [[1, 0, 0], [1, 1, 0], [0, 0, 1]] and report.contradiction.agreement == 1
    assert report.with_majority.kappa == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))


def test_rows_that_are_none_are_told(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(
        "Question,answer,claim,label_0,label_1,label_2\n"
        "Q?,A.,S.,Entailment,neutral,Neutral\nQ?,A.,S.,Yes,Neutral,Neutral\nQ?,,S.,Neutral,Neutral,Neutral\n"
    )
    found, problems = read_annotations(file)
    assert [one.majority for one in found] == ["Neutral"]
    assert problems == ["line 3: the label 'Yes'", "line 4: an empty field"]
    file.write_text("Question,claim\nQ?,S.\n")
    with pytest.raises(UserError, match="lacks the columns answer"):
        read_annotations(file)
    with pytest.raises(UserError, match="no file"):
        read_annotations(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("label_0,label_1", "Q?,d\xe9j\xe0,S.,Neutral,Neutral".encode("latin-1"), "line 3: no UTF-8"),
        ("label_0,label_1", b"Q?," + b"x" * 140_000 + b",S.,Neutral,Neutral", "line 3: no row of a CSV: field larger"),
        ("label_0", b"Q?,A.,S.,Neutral", "lacks the columns label_0, label_1 … of two physicians"),
    ],
    ids=["latin-1", "long", "one physician"],
)
def test_a_file_that_cannot_be_compared_is_told_with_its_line(tmp_path: Path, head: str, row: bytes, said: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_bytes(f"Question,answer,claim,{head}\nQ?,A.,S.,Neutral,Neutral\n".encode() + row)
    with pytest.raises(UserError, match=re.escape(str(file)) + ".*" + re.escape(said)):
        read_annotations(file)


@pytest.mark.real_data
def test_the_physicians_of_k_qa() -> None:
    file = DATA / "benchmarks/k_qa/NLI_medical_annotator.csv"
    if not file.is_file():
        pytest.skip(f"{file} is not here")
    found, problems = read_annotations(file)
    assert len(found) == 399 and not problems and all(one.majority for one in found)
