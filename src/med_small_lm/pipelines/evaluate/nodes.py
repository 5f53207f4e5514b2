"""Nodes of ``evaluate``. Models are loaded, and torch imported, when a node runs."""

from __future__ import annotations

import logging
import math
from itertools import pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from tqdm import tqdm

from med_small_lm.answers.forms import forms_of
from med_small_lm.errors import UserError
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import (
    Contamination,
    Conversation,
    Link,
    Passage,
    Perplexity,
    Prediction,
    Question,
    Score,
    TeacherUse,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tuning.checkpoint import Checkpoint

LOG = logging.getLogger(__name__)


SCORED = "test"
"""The split that is scored, and that the contamination gates guard."""


def gather_items(**exams: pd.DataFrame) -> pd.DataFrame:
    """The questions that are scored: the test split of every exam, under the exam's name as ``source``.

    Raises:
        UserError: There is not one.
    """
    parts = [frame[frame["split"] == SCORED].assign(source=name) for name, frame in exams.items()]
    items = pd.concat(parts, ignore_index=True)
    if items.empty:
        raise UserError(f"no exam has a question of split {SCORED!r}: nothing to score")
    return items


def predict_exam(
    exam: str, items: pd.DataFrame, answers: Answers, params: Evaluate, **models: Checkpoint
) -> pd.DataFrame:
    """What each model of the parameters says to the questions of one exam, in every mode and control."""
    from med_small_lm.benchmarks.predict import predict

    questions = to_rows(items[items["source"] == exam], Question)
    made: list[Prediction] = []
    for name in params.models if questions else ():
        with tqdm(desc=f"{exam}: {name}", unit=" questions", leave=False, disable=None) as bar:
            made += predict(models[name].path, name, exam, questions, forms_of(answers), params, _shown_on(bar))
    return to_frame(made, Prediction)


def _shown_on(bar: Any) -> Any:
    """A progress callback that moves ``bar``."""

    def progress(what: str, done: int, total: int) -> None:
        bar.total, bar.n = total, done
        bar.set_postfix_str(what)

    return progress


def gather_predictions(**lanes: pd.DataFrame) -> pd.DataFrame:
    """The predictions of all exams."""
    full = [frame for frame in lanes.values() if not frame.empty]
    return pd.concat(full, ignore_index=True)


def score_predictions(predictions: pd.DataFrame, items: pd.DataFrame, params: Evaluate) -> pd.DataFrame:
    """The accuracies with their 95 % intervals, over the full number of questions."""
    from med_small_lm.benchmarks.scoring import score

    made = score(to_rows(predictions, Prediction), by_exam(items), samples=params.bootstrap_samples, seed=params.seed)
    LOG.info("%d scores from %d predictions", len(made), len(predictions))
    return to_frame(made, Score)


def by_exam(items: pd.DataFrame) -> dict[str, list[Question]]:
    """The questions of each exam."""
    return {str(name): to_rows(frame, Question) for name, frame in items.groupby("source", sort=False)}


def link_items(
    items: pd.DataFrame, conversations: pd.DataFrame, passages: pd.DataFrame, params: Evaluate
) -> pd.DataFrame:
    """For each exam item the training records and pages nearest to it. Similarity, not proof of cause."""
    from med_small_lm.benchmarks.lineage import link

    links = link(
        to_rows(items, Question), to_rows(conversations, Conversation), to_rows(passages, Passage), params.lineage_k
    )
    return to_frame(links, Link)


def gather_contamination(**steps: pd.DataFrame) -> pd.DataFrame:
    """What the contamination gates stopped, over all nodes."""
    return pd.concat(steps.values(), ignore_index=True)


def draw_scores(exam: str, scores: pd.DataFrame, items: pd.DataFrame) -> go.Figure:
    """The accuracies of one exam with their intervals and the line of chance."""
    from med_small_lm.benchmarks.pictures import scores_figure
    from med_small_lm.benchmarks.scoring import chance

    return scores_figure(to_rows(scores, Score), exam, chance=chance(by_exam(items).get(exam, [])))


def draw_curves(injection_history: pd.DataFrame, tuning_history: pd.DataFrame) -> go.Figure:
    """The loss over tokens of both stages, and the perplexity on held-out pages."""
    from med_small_lm.benchmarks.pictures import losses_figure

    lines = [*injection_history.to_dict("records"), *tuning_history.to_dict("records")]
    return losses_figure(
        [{str(key): None if is_nan(value) else value for key, value in line.items()} for line in lines]
    )


def draw_perplexities(perplexities: pd.DataFrame, tuning_perplexities: pd.DataFrame) -> go.Figure:
    """The perplexity on held-out text over both stages, with its intervals."""
    from med_small_lm.benchmarks.held_out import perplexities_figure

    return perplexities_figure(to_rows(pd.concat([perplexities, tuning_perplexities]), Perplexity))


def is_nan(value: Any) -> bool:
    """Whether a value stands for "not measured"."""
    return isinstance(value, float) and math.isnan(value)


def write_report(
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    contamination: pd.DataFrame,
    teacher_report: pd.DataFrame,
    perplexities: pd.DataFrame,
    tuning_perplexities: pd.DataFrame,
    params: Evaluate,
) -> str:
    """The report on one page: scores, comparisons, gain and forgetting, contamination, where the figures come from."""
    from med_small_lm.benchmarks.report import report
    from med_small_lm.benchmarks.scoring import chance, compare

    exams = by_exam(items)
    use = to_rows(teacher_report, TeacherUse)
    origins = {
        f"{line.node} ({line.method})": f"{line.calls} calls of {line.model}, {line.from_ledger} from the ledger, "
        f"{line.failed} failed; {line.records_kept} records kept"
        for line in use
    }
    return report(
        to_rows(scores, Score),
        compare(to_rows(predictions, Prediction), exams, list(pairwise(params.models))),
        to_rows(contamination, Contamination),
        origins,
        chance={name: chance(questions) for name, questions in exams.items()},
        perplexities=to_rows(pd.concat([perplexities, tuning_perplexities]), Perplexity),
    )
