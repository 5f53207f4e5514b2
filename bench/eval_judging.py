"""Judged scores against those worked by hand, and a judge's calibration against scikit-learn, statsmodels and SciPy.

The judge is a model behind HTTP, asked through the teacher's client and ledger, that says what it was told to say: what
is measured is the arithmetic, not a judge. For the calibration it says what most of K-QA's physicians say, but the
opposite in a seeded tenth of its replies, and in a hundredth a word that is no verdict. The data is read from
`../shared/data` (`SHARED_DATA` names another place) and left where it is.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from _figures import say  # noqa: E402
from scipy.stats import bootstrap  # noqa: E402
from sklearn.metrics import accuracy_score, cohen_kappa_score  # noqa: E402
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa  # noqa: E402
from tests.benchmarks.judging import worked  # noqa: E402
from tests.benchmarks.judging.judges import judge_at, prompts, saying  # noqa: E402
from tests.teacher.endpoint import Answer  # noqa: E402

from med_small_lm.benchmarks.judging.agreement import agreement  # noqa: E402
from med_small_lm.benchmarks.judging.annotations import (  # noqa: E402
    LABELS,
    Annotated,
    judge_labels,
    judge_report,
    read_annotations,
)
from med_small_lm.benchmarks.judging.asking import judge  # noqa: E402
from med_small_lm.benchmarks.judging.scores import judged_scores  # noqa: E402
from med_small_lm.schemas.rows import Prediction, Question  # noqa: E402

DATA = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared/data")
FILE = DATA / "benchmarks/k_qa/NLI_medical_annotator.csv"
RESAMPLES = 20_000
EXACT, NEAR = 1e-10, 0.005


def by_hand(
    questions: Sequence[Question], answers: Sequence[Prediction], verdicts: Mapping[Any, Any], by: str, scratch: Path
) -> dict[str, float]:
    """The scores over HTTP, by their metric or their subset."""
    benchmarks = {answers[0].benchmark: questions}
    with judge_at(saying(verdicts), scratch / f"{len(list(scratch.iterdir()))}.sqlite") as (ask, _):
        made = judge(benchmarks, answers, prompts(), ask, {"temperature": 0})
    return {getattr(score, by): score.value for score in judged_scores(benchmarks, answers, made)}


def told(name: str, found: Mapping[str, float], expected: Mapping[str, float]) -> bool:
    """Whether all scores are the expected ones, said as the largest difference."""
    most = max(abs(found.get(key, np.inf) - value) for key, value in expected.items())
    good = found.keys() == expected.keys() and most <= EXACT
    return say(f"{name}, {len(expected)} scores: largest difference", most, f"<= {EXACT:g}", good, "score")


def physician(annotated: Sequence[Annotated]) -> Callable[[dict[str, Any], int], Answer]:
    """A judge that says what most physicians say, with its seeded errors."""
    draw, verdicts = random.Random(0), dict[str, Any]()
    for one in annotated:
        slots = {"question": one.question, "answer": one.answer, "statement": one.statement}
        for what, label in (("entails", LABELS[0]), ("contradicts", LABELS[2])):
            right, chance = one.majority == label, draw.random()
            verdict = "perhaps" if chance < 0.01 else right != (chance < 0.11)
            verdicts[prompts()[what].render(slots)[-1].content] = verdict

    def decide(body: dict[str, Any], _: int) -> Answer:
        return Answer(json.dumps({"why": "It says so.", "verdict": verdicts[body["messages"][1]["content"]]}))

    return decide


def kappa_of(own: np.ndarray, other: np.ndarray) -> float:
    """Cohen's kappa in two lines, for many resamples: scikit-learn's takes a millisecond."""
    table = np.bincount(own * 3 + other, minlength=9).reshape(3, 3) / len(own)
    by_chance = table.sum(axis=0) @ table.sum(axis=1)
    return float((np.trace(table) - by_chance) / (1 - by_chance))


def drawn_by_question(own: np.ndarray, other: np.ndarray, groups: Sequence[str]) -> tuple[float, float]:
    """The interval of kappa by drawing whole questions, one by one."""
    names = np.unique(np.asarray(groups), return_inverse=True)[1]
    rows = [np.flatnonzero(names == number) for number in range(names.max() + 1)]
    draw = np.random.default_rng(7)
    values = [
        kappa_of(own[picked], other[picked])
        for picked in (
            np.concatenate([rows[n] for n in draw.integers(0, len(rows), len(rows))]) for _ in range(RESAMPLES)
        )
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def calibration(scratch: Path) -> bool:
    """Whether agreement, kappas and intervals on K-QA's annotated statements are the peers'."""
    annotated, problems = read_annotations(FILE)
    with judge_at(physician(annotated), scratch / "calibration.sqlite") as (ask, endpoint):
        labels = judge_labels(annotated, prompts(), ask, {"temperature": 0})
        n_asked = len(endpoint.seen)
    report = judge_report(annotated, labels, samples=RESAMPLES)
    pairs = [(one, label) for one, label in zip(annotated, labels, strict=True) if label in LABELS]
    own, other = (
        np.array([LABELS.index(label) for label in side])
        for side in zip(*[(b, a.majority) for a, b in pairs], strict=True)
    )
    found = report.with_majority
    print({"asked": n_asked, "unread": report.n_unread, "both": report.n_both, "table": found.table}, file=sys.stderr)
    n = len(annotated)
    good = say("annotated statements of K-QA that are read", n, "399", n == 399 and not problems, "statements")
    whole = found.n + report.n_unread + report.n_both + report.n_split
    good &= say("of them compared, unread, both or split: all", whole, str(n), whole == n, "statements")
    rated = np.array([[LABELS.index(label) for label in one.labels] for one in annotated])
    exact = {
        "agreement (peer: scikit-learn)": (found.agreement, accuracy_score(other, own)),
        "Cohen's kappa (peer: scikit-learn)": (found.kappa, cohen_kappa_score(other, own)),
        "Cohen's kappa in two lines (peer: scikit-learn)": (kappa_of(own, other), cohen_kappa_score(other, own)),
        "Fleiss' kappa of the physicians (peer: statsmodels)": (
            report.among.kappa,
            fleiss_kappa(aggregate_raters(rated)[0]),
        ),
    }
    for name, (value, peer) in exact.items():
        good &= say(f"judge on K-QA: {name}", value, "equal", bool(abs(value - peer) <= EXACT), "", float(peer))
    options = {"paired": True, "vectorized": False, "n_resamples": RESAMPLES, "method": "percentile", "rng": 7}
    shares = bootstrap((own, other), lambda a, b: float((a == b).mean()), **options).confidence_interval
    told_by = bootstrap((own, other), kappa_of, **options).confidence_interval
    plain = agreement([LABELS[n] for n in own], [LABELS[n] for n in other], LABELS, samples=RESAMPLES)
    groups = [one.question for one, _ in pairs]
    intervals = {
        "agreement, statements drawn (peer: SciPy)": ((plain.agreement_low, plain.agreement_high), tuple(shares)),
        "kappa, statements drawn (peer: SciPy)": ((plain.kappa_low, plain.kappa_high), tuple(told_by)),
        "kappa, questions drawn (peer: one by one)": (
            (found.kappa_low, found.kappa_high),
            drawn_by_question(own, other, groups),
        ),
    }
    for name, (bounds, peers) in intervals.items():
        most = max(abs(a - b) for a, b in zip(bounds, peers, strict=True))
        shown = [[round(float(bound), 4) for bound in pair] for pair in (bounds, peers)]
        good &= say(f"95 % interval of {name}", shown[0], f"within {NEAR}", bool(most <= NEAR), "", shown[1])
    return good


def main() -> int:
    """0 if every figure is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        found = by_hand(worked.CLAIMS, worked.ANSWERS, worked.VERDICTS, "metric", scratch)
        good = told("K-QA as worked by hand", found, worked.CLAIM_SCORES)
        found = by_hand(worked.CLAIMS, worked.ANSWERS, worked.VERDICTS | worked.UNREAD, "metric", scratch)
        good &= told("K-QA with verdicts that are none", found, worked.UNREAD_SCORES)
        found = by_hand(worked.RUBRICS, worked.RUBRIC_ANSWERS, worked.RUBRIC_VERDICTS, "subset", scratch)
        good &= told("HealthBench as worked by hand", found, worked.RUBRIC_SCORES)
        if FILE.is_file():
            good &= calibration(scratch)
        else:
            say("judge on K-QA", f"skipped: {FILE} is not here", "equal", None)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
