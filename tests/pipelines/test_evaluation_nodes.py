"""What is gathered over the exams: what is not scored is told, and nothing asked is no fault."""

from __future__ import annotations

import logging
from typing import Any

from med_small_lm.pipelines.evaluate.nodes import gather_items, gather_predictions
from med_small_lm.schemas.rows import Option, Prediction, Question
from med_small_lm.schemas.tables import to_frame


def frame(split: str) -> Any:
    options = [Option("A", "x"), Option("B", "y")]
    return to_frame([Question(f"{split}-1", "file", split, "single", "Stem?", options, ["A"], "x")], Question)


def test_an_exam_without_a_test_question_is_named(caplog: Any) -> None:
    with caplog.at_level(logging.INFO, logger="med_small_lm"):
        items = gather_items(kept=frame("test"), lost=frame("dev"), book_exercises=frame("dev")[:0])
    assert list(items["source"]) == ["kept"]
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("WARNING", "lost: of its 1 questions none is of split test: not scored"),
        ("INFO", "book_exercises: of its 0 questions none is of split test: not scored"),
    ]


def test_lanes_without_an_answer_are_gathered() -> None:
    empty = to_frame([], Prediction)
    assert gather_predictions(one=empty, two=empty).equals(empty)
