"""The names of metrics are the same in every run, and such as MLflow takes."""

from __future__ import annotations

from mlflow.utils.validation import _validate_metric_name

from med_small_lm.schemas.rows import Score
from med_small_lm.schemas.tables import to_frame
from med_small_lm.tracking.hooks import score_metrics


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
    ]
    told = score_metrics(to_frame(rows, Score))
    where = "medqa/tuned/likelihood/letter/5-shot"
    assert told == {
        f"accuracy/{where}": 0.5,
        f"accuracy_low/{where}": 0.4,
        f"accuracy_high/{where}": 0.6,
        f"unparsed/{where}": 3,
        f"failed/{where}": 2,
        f"brier/{where}": 0.7,
        f"accuracy_clean/{where}": 0.45,
        f"accuracy_dirty/{where}": 0.9,
    }


def test_names_are_such_as_mlflow_takes() -> None:
    rows = [score("all", "accuracy", 0.5, "direct/0-shot/context=model"), score("all", "accuracy", 0.5, "own (form)")]
    names = score_metrics(to_frame(rows, Score))
    assert "accuracy/medqa/tuned/likelihood/direct/0-shot/context-model" in names
    for name in names:
        _validate_metric_name(name)
