"""The node that judges open answers: over HTTP, through the teacher's ledger; and what it comes to among the scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.benchmarks.judging import worked
from tests.benchmarks.judging.judges import prompts, saying
from tests.teacher.endpoint import Answer, serving

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.evaluate.judging import judge_predictions
from med_small_lm.pipelines.evaluate.reporting import score_predictions
from med_small_lm.schemas.frames import Judgements, TeacherReport
from med_small_lm.schemas.rows import Exposure, Judgement, Prediction, Question
from med_small_lm.schemas.tables import to_frame, to_rows

PARAMS = Evaluate.model_validate({"bootstrap_samples": 200})
ITEMS = to_frame(worked.CLAIMS, Question).assign(source="claims")
PREDICTIONS = to_frame(worked.ANSWERS, Prediction)


def told(url: str, **more: Any) -> TeacherParams:
    return TeacherParams.model_validate({"model": "judge", "base_url": url, "backoff": 0.01, **more})


def judged(
    verdicts: Mapping[Any, Any], ledger: Path, params: Evaluate = PARAMS, **teacher: Any
) -> tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Any]]]:
    """Judgements, what was asked for them, and the bodies of the requests."""
    with serving(saying(verdicts)) as endpoint:
        asked = told(endpoint.url, **teacher)
        made, use = judge_predictions(PREDICTIONS, ITEMS, TeacherAccess(ledger), asked, params, **prompts())
    return made, use, [body for body, _ in endpoint.seen]


def test_what_a_judge_says_joins_the_scores(tmp_path: Path) -> None:
    made, use, bodies = judged(worked.VERDICTS, tmp_path / "l.sqlite", pilot={"calls": 2})
    scores = score_predictions(PREDICTIONS, ITEMS, to_frame([], Exposure), Judgements.validate(made), PARAMS)
    found = scores[scores["subset"] == "all"].set_index("metric")["value"]
    assert found.to_dict() == pytest.approx(worked.CLAIM_SCORES, abs=1e-12)
    assert len(made) == len(bodies) == 18 and {body["temperature"] for body in bodies} == {0.0}
    use = TeacherReport.validate(use)
    assert set(use["method"]) == {"entails", "contradicts"} and use["calls"].sum() == use["records_kept"].sum() == 18


def test_a_second_run_asks_nobody(tmp_path: Path) -> None:
    first, _, _ = judged(worked.VERDICTS, tmp_path / "l.sqlite")
    again, use, bodies = judged(worked.VERDICTS, tmp_path / "l.sqlite")
    assert not bodies and use["from_ledger"].sum() == 18
    assert to_rows(again, Judgement) == to_rows(first, Judgement)


def test_what_is_no_verdict_is_counted(tmp_path: Path) -> None:
    made, use, _ = judged(worked.VERDICTS | worked.UNREAD, tmp_path / "l.sqlite", repairs=0)
    assert (made["state"] == "unclear").sum() == 2 and use["records_kept"].sum() == 16
    scores = score_predictions(PREDICTIONS, ITEMS, to_frame([], Exposure), made, PARAMS)
    unread = scores[scores["metric"] == "judge_unread"].iloc[0]
    assert (unread["n"], unread["n_unparsed"]) == (18, 2)


def test_a_judge_that_is_cut_has_failed(tmp_path: Path) -> None:
    cut = dict.fromkeys(worked.VERDICTS, Answer("{", finish="length"))
    made, use, _ = judged(cut, tmp_path / "l.sqlite", repairs=0)
    assert {"failed"} == set(made.loc[made["label"] == "", "state"]) and use["failed"].sum() > 0


def test_no_open_question_asks_nobody_and_leaves_no_ledger(tmp_path: Path) -> None:
    access, own = TeacherAccess(tmp_path / "l.sqlite"), {"judge": {"model": "another"}}
    params = Evaluate.model_validate(own)
    made, use = judge_predictions(
        PREDICTIONS, ITEMS.assign(kind="single"), access, TeacherParams(), params, **prompts()
    )
    assert made.empty and use.empty and not access.ledger.exists()
    Judgements.validate(made), TeacherReport.validate(use)


def test_a_judge_of_its_own_has_its_own_prices() -> None:
    teacher = told("https://api.example.org/v1", price_in=1, price_out=2, budget=5)
    params = Evaluate.model_validate({"judge": {"model": "large", "price_in": 10, "price_out": 20}})
    asked = params.judge.asked_by(teacher)
    assert (asked.model, asked.price_in, asked.price_out, asked.budget) == ("large", 10, 20, 5)
    assert params.judge.model_copy(update={"model": ""}).asked_by(teacher).price_in == 1
    with pytest.raises(ValueError, match="price_in and price_out are missing for large"):
        Evaluate.model_validate({"judge": {"model": "large"}}).judge.asked_by(teacher)


@pytest.mark.parametrize("pair", [["tuned", "tuned"], ["tuned", "other"]], ids=str)
def test_pairs_are_of_two_models_that_are_asked(pair: list[str]) -> None:
    with pytest.raises(ValueError, match="judge.pairs: "):
        Evaluate.model_validate({"judge": {"pairs": [pair]}})
