"""Pictures hold the numbers that they show, with units; the report states every score with its interval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from med_small_lm.benchmarks.pictures import losses_figure, scores_figure
from med_small_lm.benchmarks.report import p_text, report
from med_small_lm.benchmarks.unscored import Asked
from med_small_lm.markdown import table
from med_small_lm.schemas.rows import Comparison, Contamination, Score

SCORES = [
    Score("base", "exam", "all", "likelihood", "option_text/0-shot", "accuracy", 0.25, 440, 0, 0.21, 0.29),
    Score("tuned", "exam", "all", "likelihood", "option_text/0-shot", "accuracy", 0.9, 440, 0, 0.87, 0.93),
    Score("tuned", "exam", "all", "generation", "explain/0-shot", "accuracy", 0.75, 440, 12, 0.71, 0.79),
    Score("tuned", "exam", "kind=multi", "generation", "explain/0-shot", "accuracy", 0.5, 40, 1, 0.35, 0.65),
    Score("tuned", "other", "all", "generation", "explain/0-shot", "accuracy", 0.5, 10, 1, 0.24, 0.76),
]
HISTORY = [
    {"stage": "injection", "step": 1, "tokens": 1000, "loss": 7.0, "learning_rate": 1e-3, "tokens_per_second": 9.0},
    {"stage": "injection", "step": 2, "tokens": 2000, "loss": 5.0, "perplexity": 150.0},
    {"stage": "injection", "step": 2, "tokens": 2500, "loss": None, "perplexity": 140.0},
    {"stage": "tuning", "step": 1, "tokens": 1000, "loss": 3.0},
]


def test_bars_and_intervals() -> None:
    figure = scores_figure(SCORES, chance=0.25)
    likelihood, generation = figure.data
    assert (list(likelihood.x), list(likelihood.y)) == (["base", "tuned"], [0.25, 0.9])
    assert list(likelihood.error_y.array) == pytest.approx([0.04, 0.03])
    assert list(likelihood.error_y.arrayminus) == pytest.approx([0.04, 0.03])
    assert list(generation.x) == ["tuned"] and list(generation.y) == [0.75]
    assert likelihood.marker.color != generation.marker.color
    assert likelihood.marker.pattern.shape != generation.marker.pattern.shape
    assert "exam, n = 440" in figure.layout.title.text and "share" in figure.layout.yaxis.title.text
    assert figure.layout.shapes[0].y0 == 0.25
    assert list(scores_figure(SCORES, "other").data[0].y) == [0.5]
    assert len(scores_figure([]).data) == 0 and not scores_figure(SCORES, chance=0.0).layout.shapes


def test_losses() -> None:
    figure = losses_figure(HISTORY)
    curves = {(trace.name, trace.yaxis): list(trace.y) for trace in figure.data}
    assert curves == {("injection", "y"): [7.0, 5.0], ("injection", "y2"): [150.0, 140.0], ("tuning", "y"): [3.0]}
    assert "nats" in figure.layout.yaxis.title.text and "tokens" in figure.layout.xaxis2.title.text
    assert len(losses_figure(HISTORY[:1]).data) == 1 and len(losses_figure([]).data) == 0


def test_report_states_every_score() -> None:
    versus = [Comparison("tuned", "base", "exam", "likelihood", "v", 440, 290, 4, 0.65, 1e-9, 2e-9, 0.6, 0.7)]
    gate = [Contamination("exam", "questions", "same_fact", 440, 8000, 31, 17)]
    page = report(SCORES, versus, gate, {"exam": "440 questions | sha256 12ab"}, chance={"exam": 0.25})
    for line in (
        "| tuned | likelihood | option_text/0-shot | all | 0.900 | 0.870 to 0.930 | 396 of 440 | 0 |",
        "| tuned | generation | explain/0-shot | all | 0.750 | 0.710 to 0.790 | 330 of 440 | 12 |",
        "| tuned | base | exam | likelihood v | +0.650 | +0.600 to +0.700 | 290 | 4 | 440 | < 0.001 | < 0.001 |",
        "| exam | questions | same_fact | 440 | 17 | 8000 | 31 |",
        "| exam | 440 questions \\| sha256 12ab |",
        "Guessing gives 0.250.",
        "## other",
    ):
        assert line in page
    assert "Not measured" in report([], [], [], {}) and "No scores." in report([], [], [], {})


def test_report_tells_what_was_not_asked_and_other_metrics_where_there_is_no_accuracy() -> None:
    incomplete = replace(SCORES[1], n_failed=7)
    judged = Score("tuned", "k_qa", "all", "generation", "explain/0-shot", "completeness", 0.4, 201, 0, 0.35, 0.45)
    page = report([incomplete, judged], [], [], {}, chance={"exam": 0.25, "k_qa": 0.0})
    assert "| 396 of 440 | 0, 7 not asked |" in page
    assert "| all: completeness | 0.400 | 0.350 to 0.450 | of 201 | 0 |" in page
    assert page.count("Guessing") == 1 and "control" not in page
    assert "| subset | accuracy | 95 %" in page and "| subset | value | 95 %" in page
    bare = replace(SCORES[0], variant="stem_hidden/0-shot")
    assert "Variant `stem_hidden` is a control" in report([bare], [], [], {})


def test_report_tells_of_a_run_of_which_nothing_could_be_asked() -> None:
    asked = {("far", "exam", "generation", "explain/0-shot"): Asked(20, 20), ("tuned", "exam", "g", "v"): Asked(20, 0)}
    page = report(SCORES, [], [], {}, asked=asked)
    assert "**Incomplete.**" in page and "- far on exam (generation explain/0-shot): 20 of 20\n" in page
    assert "- tuned on" not in page and "Incomplete" not in report(SCORES, [], [], {})


def test_report_shows_the_mean_of_subjects_beside_the_accuracy_where_that_stands_for_an_exam() -> None:
    mean = replace(SCORES[1], metric="macro_accuracy", value=0.88)
    shown = "| all: macro_accuracy | 0.880 |"
    assert shown in report([*SCORES, mean], [], [], {}, leading={"exam": "macro_accuracy"})
    assert shown not in report([*SCORES, mean], [], [], {})


def test_cells() -> None:
    assert table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |"
    assert p_text(0.0004) == "< 0.001" and p_text(0.0421) == "0.042"
