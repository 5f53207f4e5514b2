"""``evaluate``: a lane for each exam, then scores, lineage, pictures and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from inspect import signature
from typing import Any

from kedro.pipeline import Node, Pipeline

from med_small_lm.benchmarks.judging.asking import ASKED
from med_small_lm.pipelines.evaluate import judging, nodes, reporting
from med_small_lm.pipelines.evaluate.nodes import BOOKS_OWN

NAME = "evaluate"
PARAMS = f"params:{NAME}"
MODELS = ("base", "injected", "tuned")


def create_pipeline(exams: Sequence[str]) -> Pipeline:
    """The pipeline with one namespace, ``evaluate.<exam>``, for each scored exam and for the books' own."""
    lanes = [*exams, *BOOKS_OWN]
    questions = {exam: f"{NAME}.{exam}.questions" for exam in exams} | {exam: exam for exam in BOOKS_OWN}
    predictions = {exam: f"{NAME}.{exam}.predictions" for exam in lanes}
    gather = Node(nodes.gather_items, questions, "exam_items", name="gather_items")
    merge = Node(nodes.gather_predictions, predictions, "predictions", name="gather_predictions")
    whole = Pipeline([gather, merge, _judge(), *_reports(), *map(_picture, lanes)])
    return sum((_lane(exam, questions[exam]) for exam in lanes), whole)


def _lane(exam: str, questions: str) -> Pipeline:
    """Predictions of one exam, whose questions of all splits are a dataset."""
    predict = _of(exam, nodes.predict_exam)
    read = {"items": "exam_items", "examples": questions, "passages": "passages", "endpoints": "endpoints"}
    told = {"answers": "params:answers", "params": PARAMS, "launch": "params:launch", "outputs": "params:outputs"}
    inputs = read | told | {name: name for name in MODELS}
    lane = Pipeline([Node(predict, inputs, "predictions", name="predict", tags="gpu")])
    own = {*read.values(), *MODELS}
    return Pipeline(lane, namespace=f"{NAME}.{exam}", inputs=own, parameters=set(told.values()))


def _judge() -> Node:
    """What is asked about open answers, of the teacher's endpoint."""
    read = {"predictions": "predictions", "items": "exam_items"}
    told = {"teacher": "teacher", "teacher_params": "params:teacher", "params": PARAMS}
    prompts = {what: f"judge_{what}_prompt" for what in ASKED}
    made = ["judgements", "teacher_use_judgements"]
    return Node(judging.judge_predictions, read | told | prompts, made, name=judging.NODE, tags="paid")


def _picture(exam: str) -> Node:
    """The picture of one exam's scores."""
    draw = _of(exam, reporting.draw_scores)
    return Node(draw, ["scores", "exam_items"], f"{NAME}.{exam}.figure", name=f"draw_{exam}")


def _of(exam: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one exam; its signature is what is left to give, by which Kedro finds the types of parameters."""
    bound = partial(function, exam)
    left = signature(bound)
    update_wrapper(bound, function)
    bound.__signature__ = left  # type: ignore[attr-defined]
    return bound


def _reports() -> list[Node]:
    """What is made of all predictions together."""
    steps = ("questions", "rephrasings", "rationales", "exam_rationales", "instructions", "graphs")
    met = {step: f"contamination_{step}" for step in steps}
    read = ["perplexities", "tuning_perplexities"]
    asked = ["teacher_report", "teacher_use_judgements"]
    counted = ["scores", "comparisons"]
    trained = ["benchmarks", "questions", "corpus", "conversations"]
    scored = ["predictions", "exam_items", "exposures", "judgements", PARAMS]
    told = [*counted, "predictions", "exam_items", "contamination", *asked, *read]
    near = ["lineage", "conversations", "passages"]
    shown = [
        *counted,
        "predictions",
        "exam_items",
        "exposures",
        "contamination",
        *near,
        *asked,
        *read,
        PARAMS,
    ]
    linked = ["exam_items", "conversations", "passages", PARAMS]
    return [
        Node(reporting.measure_exposure, ["exam_items", *trained], "exposures", name="measure_exposure"),
        Node(reporting.score_predictions, scored, "scores", name="score_predictions"),
        Node(reporting.compare_models, ["predictions", "exam_items", PARAMS], "comparisons", name="compare_models"),
        Node(reporting.link_items, linked, "lineage", name="link_items_to_pages"),
        Node(reporting.gather_contamination, met, "contamination", name="gather_contamination"),
        Node(reporting.draw_curves, ["injection_history", "tuning_history"], "curves_figure", name="draw_curves"),
        Node(reporting.draw_perplexities, read, "perplexities_figure", name="draw_perplexities"),
        Node(reporting.write_report, told, "report", name="write_report"),
        Node(reporting.write_page, shown, "report_page", name="write_page"),
    ]
