"""Nodes of ``evaluate``. Models are loaded, and torch imported, when a node runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from med_small_lm.datasets.teacher import EndpointsAccess
from med_small_lm.errors import UserError
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.launch import Launch
from med_small_lm.pipelines.evaluate.endpoints import asker_of
from med_small_lm.schemas.rows import Passage, Prediction, Question
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tuning.checkpoint import Checkpoint

LOG = logging.getLogger(__name__)

BOOKS_OWN = ("book_exam", "book_exercises")
"""The exams that come with the books: questions on held-out sections, and the questions that the books print."""
SCORED = "test"
"""The split that is scored, and that the contamination gates guard."""


def gather_items(**exams: pd.DataFrame) -> pd.DataFrame:
    """The questions that are scored: the test split of every exam, under the exam's name as ``source``.

    An exam without any is named in the log; that the books have none of their own is no cause for a warning.

    Raises:
        UserError: There is not one.
    """
    parts = [frame[frame["split"] == SCORED].assign(source=name) for name, frame in exams.items()]
    items = pd.concat(parts, ignore_index=True)
    if items.empty:
        raise UserError(f"no exam has a question of split {SCORED!r}: nothing to score")
    for name, part in zip(exams, parts, strict=True):
        if part.empty:
            level = logging.INFO if name in BOOKS_OWN else logging.WARNING
            LOG.log(level, "%s: of its %d questions none is of split %s: not scored", name, len(exams[name]), SCORED)
    return items


def predict_exam(
    exam: str,
    items: pd.DataFrame,
    examples: pd.DataFrame,
    passages: pd.DataFrame,
    endpoints: EndpointsAccess,
    answers: Answers,
    params: Evaluate,
    launch: Launch,
    outputs: str,
    **models: Checkpoint,
) -> pd.DataFrame:
    """What each model of the parameters says to the questions of one exam, in every mode and control."""
    from med_small_lm.benchmarks.candidates import sources
    from med_small_lm.benchmarks.predict import Exam, predict

    questions = to_rows(items[items["source"] == exam], Question)
    if not questions:
        return to_frame([], Prediction)
    known = {name: (model.path, model.manifest.fingerprint) for name, model in models.items()}
    asked = [source for source in sources(params, known) if source.name in params.names_on(exam)]
    books = to_rows(passages, Passage) if any(source.pages for source in asked) else []
    whole = Exam(exam, questions, _examples(examples, max(params.shots)), books)
    folder = Path(outputs) / exam / "shards"
    with tqdm(desc=exam, unit=" questions", leave=False, disable=None) as bar:
        made = predict(
            whole, asked, answers, params, folder, launch=launch, ask=asker_of(endpoints), progress=_shown_on(bar)
        )
    return to_frame(made, Prediction)


def _examples(questions: pd.DataFrame, most: int) -> list[Question]:
    """Solved questions for few-shot prompts: those of the dev split, and where they are too few of the train split."""
    dev = questions[questions["split"] == "dev"]
    beside = questions[questions["split"] == "train"] if len(dev) < most else questions[:0]
    return to_rows(pd.concat([dev, beside]), Question) if most else []


def _shown_on(bar: Any) -> Any:
    """A progress callback that moves ``bar``."""

    def progress(done: float, total: int) -> None:
        bar.total, bar.n = total, round(done)
        bar.refresh()

    return progress


def gather_predictions(**lanes: pd.DataFrame) -> pd.DataFrame:
    """The predictions of all exams."""
    full = [frame for frame in lanes.values() if not frame.empty]
    return pd.concat(full, ignore_index=True) if full else to_frame([], Prediction)
