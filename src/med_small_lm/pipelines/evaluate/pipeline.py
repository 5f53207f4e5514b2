"""``evaluate``: a lane for each exam, then scores, lineage, pictures and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from inspect import signature
from typing import Any

from kedro.pipeline import Node, Pipeline

from med_small_lm.pipelines.evaluate import nodes

NAME = "evaluate"
PARAMS = f"params:{NAME}"
BOOKS_OWN = ("book_exam", "book_exercises")
"""The exams that come with the books: questions on held-out sections, and the questions that the books print."""
MODELS = ("base", "injected", "tuned")


def create_pipeline(exams: Sequence[str]) -> Pipeline:
    """The pipeline with one namespace, ``evaluate.<exam>``, for each scored exam and for the books' own."""
    lanes = [*exams, *BOOKS_OWN]
    questions = {exam: f"{NAME}.{exam}.questions" for exam in exams} | {exam: exam for exam in BOOKS_OWN}
    predictions = {exam: f"{NAME}.{exam}.predictions" for exam in lanes}
    gather = Node(nodes.gather_items, questions, "exam_items", name="gather_items")
    merge = Node(nodes.gather_predictions, predictions, "predictions", name="gather_predictions")
    return sum((_lane(exam) for exam in lanes), Pipeline([gather, merge, *_reports(), *map(_picture, lanes)]))


def _lane(exam: str) -> Pipeline:
    """Predictions of one exam."""
    predict = _of(exam, nodes.predict_exam)
    inputs = {"items": "exam_items", "answers": "params:answers", "params": PARAMS} | {name: name for name in MODELS}
    lane = Pipeline([Node(predict, inputs, "predictions", name="predict", tags="gpu")])
    parameters = {PARAMS, "params:answers"}
    return Pipeline(lane, namespace=f"{NAME}.{exam}", inputs={"exam_items", *MODELS}, parameters=parameters)


def _picture(exam: str) -> Node:
    """The picture of one exam's scores."""
    draw = _of(exam, nodes.draw_scores)
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
    said = ["scores", "predictions", "exam_items", "contamination", "teacher_report", *read, PARAMS]
    return [
        Node(nodes.score_predictions, ["predictions", "exam_items", PARAMS], "scores", name="score_predictions"),
        Node(
            nodes.link_items, ["exam_items", "conversations", "passages", PARAMS], "lineage", name="link_items_to_pages"
        ),
        Node(nodes.gather_contamination, met, "contamination", name="gather_contamination"),
        Node(nodes.draw_curves, ["injection_history", "tuning_history"], "curves_figure", name="draw_curves"),
        Node(nodes.draw_perplexities, read, "perplexities_figure", name="draw_perplexities"),
        Node(nodes.write_report, said, "report", name="write_report"),
    ]
