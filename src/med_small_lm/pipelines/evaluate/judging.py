"""The node of ``evaluate`` that asks a judge about open answers. Where none is to be judged, nobody is asked."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.evaluate.endpoints import ask_in_turn
from med_small_lm.pipelines.evaluate.reporting import by_exam
from med_small_lm.schemas.rows import Judgement, Prediction, Question, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.report import uses_by_method
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, Request
from med_small_lm.tracking.traces import Tracer

LOG = logging.getLogger(__name__)
NODE = "judge_predictions"


def judge_predictions(
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: Evaluate,
    **prompts: Prompt,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The judgements of open answers, and what was asked for them; ``prompts`` are those of what is asked, by name."""
    from med_small_lm.benchmarks.judging.asking import judgements_from, points_to_ask
    from med_small_lm.benchmarks.judging.reading import VERDICT_READ

    exams = by_exam(items[items["kind"] == "open"])
    answers = to_rows(predictions[predictions["benchmark"].isin(list(exams))], Prediction)
    points = points_to_ask(exams, answers, params.judge.pairs)
    _warn_of_unjudged(exams, {point.prediction.benchmark for point in points})
    replies: list[Reply] = []
    if points:
        judge = params.judge.asked_by(teacher_params)
        replies = _replies([point.request(prompts, judge.sampling()) for point in points], teacher, judge)
    made = judgements_from(points, replies)
    read = Counter(one.asked for one in made if one.state == VERDICT_READ)
    use = uses_by_method(NODE, [one.asked for one in made], replies, read)
    states = Counter(one.state for one in made)
    LOG.info("%d judgements%s", len(made), "".join(f", {name} {count:,}" for name, count in states.most_common()))
    return to_frame(made, Judgement), to_frame(use, TeacherUse)


def _replies(requests: list[Request], access: TeacherAccess, judge: TeacherParams) -> list[Reply]:
    """What the judge says, in the order of the requests; answered calls come from the ledger."""
    replies: dict[int, Reply] = {}
    with closing(access.open_endpoint(judge, Tracer("judgements", judge.traces))) as asked:
        ask_in_turn("judgements", requests, replies.__setitem__, asked, judge)
    return [replies[place] for place in range(len(requests))]


def _warn_of_unjudged(exams: dict[str, list[Question]], judged: set[str]) -> None:
    """Say of which open questions nothing will be known."""
    for name in exams:
        if name not in judged:
            LOG.warning(
                "%s: its open answers are not judged: either no model wrote any, or its questions have neither "
                "must_have nor rubric, and evaluate.judge.pairs names no two models to compare",
                name,
            )
