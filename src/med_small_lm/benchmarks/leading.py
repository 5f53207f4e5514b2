"""Which of its metrics stands for a benchmark, in tables and pictures that show one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from med_small_lm.benchmarks.tasks import task_of
from med_small_lm.schemas.rows import Question, Score

ACCURACY, MACRO = "accuracy", "macro_accuracy"
LEADING = (ACCURACY, MACRO, "completeness", "rubric")
"""The metrics that may stand for a benchmark, the first that it has: groups have a mean, open questions a judge's."""


def leading(metrics: Collection[str], questions: Sequence[Question]) -> str:
    """Returns the metric that stands for a benchmark, of those that it has; nothing where it has none of them.

    Where papers tell the mean of an exam's subjects, that is it.
    """
    task = task_of(questions[0]) if questions else None
    order = (MACRO, *LEADING) if task and task.macro else LEADING
    return next((metric for metric in order if metric in metrics), "")


def metrics_of(scores: Iterable[Score], benchmark: str) -> set[str]:
    """Returns the metrics of which a benchmark has a score."""
    return {score.metric for score in scores if score.benchmark == benchmark}
