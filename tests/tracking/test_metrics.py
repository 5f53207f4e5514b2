"""The names of metrics are the same in every run, and such as MLflow takes."""

from __future__ import annotations

from dataclasses import replace

from mlflow.utils.validation import _validate_metric_name

from med_small_lm.schemas.rows import Comparison, Prediction, Score
from med_small_lm.schemas.tables import to_frame
from med_small_lm.tracking.hooks import difference_metrics, failed_metrics, score_metrics


def score(subset: str, metric: str, value: float, variant: str = "letter/5-shot") -> Score:
    return Score("tuned", "medqa", subset, "likelihood", variant, metric, value, 40, 3, value - 0.1, value + 0.1, 2)


def test_an_accuracy_has_its_interval_and_its_counts_beside_it() -> None:
    rows = [
        score("all", "accuracy", 0.5),
        score("all", "brier", 0.7),
        score("clean", "accuracy", 0.45),
        score("dirty", "accuracy", 0.9),
        score("clean", "brier", 0.6),
        score("subject=heart", "accuracy", 0.2),
        score("against=base", "win_rate", 0.8),
    ]
    told = score_metrics(to_frame(rows, Score))
    where = "medqa/tuned/likelihood/letter/5-shot"
    assert told == {
        f"accuracy/{where}": 0.5,
        f"accuracy_low/{where}": 0.4,
        f"accuracy_high/{where}": 0.6,
        f"unparsed/{where}": 3,
        f"brier/{where}": 0.7,
        f"accuracy_clean/{where}": 0.45,
        f"accuracy_dirty/{where}": 0.9,
        f"win_rate/{where}/against-base": 0.8,
    }


def test_a_run_of_which_nothing_could_be_asked_is_counted() -> None:
    def made(n: int, state: str) -> Prediction:
        return Prediction("far", f"q{n}", "medqa", "generation", "direct/0-shot", 0, "", state, [], [], 0)

    frame = to_frame([made(1, "failed"), made(2, "failed")], Prediction)
    assert failed_metrics(frame) == {"failed/medqa/far/generation/direct/0-shot": 2}
    frame = to_frame([made(1, "failed"), made(2, "empty")], Prediction)
    assert failed_metrics(frame) == {"failed/medqa/far/generation/direct/0-shot": 1}


def test_differences_have_their_interval_and_p() -> None:
    pair = Comparison("open_book", "tuned", "medqa", "likelihood", "letter/0-shot", 9, 5, 1, 0.4, 0.2, 0.3, 0.1, 0.7)
    bare = replace(pair, benchmark="other", ci_low=float("nan"), ci_high=float("nan"))
    told = difference_metrics(to_frame([pair, bare], Comparison))
    where = "open_book-tuned/likelihood/letter/0-shot"
    assert told == {
        f"difference/medqa/{where}": 0.4,
        f"difference_low/medqa/{where}": 0.1,
        f"difference_high/medqa/{where}": 0.7,
        f"difference_p_holm/medqa/{where}": 0.3,
        f"difference/other/{where}": 0.4,
        f"difference_p_holm/other/{where}": 0.3,
    }


def test_names_are_such_as_mlflow_takes() -> None:
    rows = [score("all", "accuracy", 0.5, "direct/0-shot/context=model"), score("all", "accuracy", 0.5, "own (form)")]
    names = score_metrics(to_frame(rows, Score))
    assert "accuracy/medqa/tuned/likelihood/direct/0-shot/context-model" in names
    for name in names:
        _validate_metric_name(name)
