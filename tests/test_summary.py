"""The closing lines of a run: a score for each exam, and what could not be asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from med_small_lm import hooks
from med_small_lm.schemas.rows import Prediction, Score
from med_small_lm.schemas.tables import to_frame
from med_small_lm.summary import closing_lines

ENDPOINT = {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:1/v1"}}


def score(model: str, exam: str, mode: str, variant: str, metric: str, value: float) -> Score:
    return Score(model, exam, "all", mode, variant, metric, value, 20, 1, 0.1, 0.9)


def lines(params: Any, scores: list[Score], states: list[str]) -> list[str]:
    """What a run that made these scores, and answers of far in these states, closes with."""
    answers = [
        Prediction("far", f"q{n // 2}", "ex", "generation", "explain/0-shot", n % 2, "", state, [], [], 0)
        for n, state in enumerate(states)
    ]
    made = {"scores": to_frame(scores, Score), "predictions": to_frame(answers, Prediction), "params:evaluate": params}
    catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in made.items()})
    return list(closing_lines(Pipeline([Node(lambda: (), None, ["scores", "predictions"], name="make")]), catalog))


def test_one_leading_score_an_exam_and_no_control() -> None:
    scores = [
        score("tuned", "ex", "likelihood", "stem_hidden/0-shot", "accuracy", 0.25),
        score("tuned", "ex", "likelihood", "option_text/0-shot", "accuracy", 0.7),
        score("tuned", "ex", "generation", "explain/0-shot", "accuracy", 0.6),
        score("tuned", "open", "generation", "explain/0-shot", "completeness", 0.5),
        score("far", "ex", "generation", "explain/0-shot", "accuracy", 0.9),
    ]
    assert lines({"candidates": {"far": ENDPOINT}}, scores, ["parsed"]) == [
        "tuned on ex, likelihood: 0.700 [0.100, 0.900] of 20, 1 without a readable answer",
        "tuned on open, generation, completeness: 0.500 [0.100, 0.900] of 20, 1 without a readable answer",
    ]


def test_candidates_alone_and_what_could_not_be_asked() -> None:
    scores = [score("far", "ex", "generation", "explain/0-shot", "accuracy", 0.9)]
    told = lines({"models": (), "candidates": {"far": ENDPOINT}}, scores, ["failed", "failed", "parsed", "parsed"])
    assert told[0].startswith("far on ex, generation: 0.900") and len(told) == 2
    assert told[1].startswith("INCOMPLETE: far on ex: 1 of 2 questions could not be asked: neither right nor wrong")


def test_candidates_kept_to_some_exams_leave_the_others_to_those_before_them() -> None:
    way = ("generation", "explain/0-shot", "accuracy")
    scores = [score("near", "ex", *way, 0.4), score("near", "medqa", *way, 0.5), score("far", "medqa", *way, 0.9)]
    told = lines({"models": (), "candidates": {"near": ENDPOINT, "far": ENDPOINT | {"exams": ["medqa"]}}}, scores, [])
    assert [line.partition(",")[0] for line in told] == ["near on ex", "far on medqa"]


def test_the_lock_is_released_whatever_the_last_lines_meet(monkeypatch: Any) -> None:
    def broken(*_: Any) -> Any:
        raise IndexError

    released = list[bool]()
    run = hooks.RunHooks()
    monkeypatch.setattr(hooks, "closing_lines", broken)
    monkeypatch.setattr(run, "_release", lambda: released.append(True))
    with pytest.raises(IndexError):
        run.after_pipeline_run(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    assert released
