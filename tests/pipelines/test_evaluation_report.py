"""What a finished run tells of its evaluation: exposures and comparisons as records, and the page."""

from __future__ import annotations

import pytest
from tests.conftest import Project

from med_small_lm.params.evaluate import Evaluate
from med_small_lm.pipelines.evaluate.reporting import pairs_of


def test_every_scored_question_is_looked_for_in_every_source(finished: Project) -> None:
    rows, items = finished.read("08_reporting/exposures"), finished.read("05_model_input/exam_items")
    sources = set(rows["source"])
    assert {"corpus/book", "corpus/rephrasing", "conversations/explain"} <= sources
    assert len(rows) == len(items) * len(sources) and set(rows["question_id"]) == set(items["question_id"])
    told = set(finished.read("05_model_input/corpus")["text_id"]) | set(
        finished.read("05_model_input/conversations")["example_id"]
    )
    assert set(rows["document_id"]) - {""} <= told


def test_the_page_and_the_table_behind_it_are_there(finished: Project) -> None:
    page = (finished.data / "08_reporting/report.html").read_text(encoding="utf-8")
    pairs = finished.read("08_reporting/comparisons")[["model_a", "model_b"]]
    assert set(map(tuple, pairs.to_numpy())) == {("injected", "base"), ("tuned", "injected")}
    for heading in ("At a glance", "Which model is better?", "Had it seen the questions?", "Some wrong answers"):
        assert heading in page
    assert "pocket_exam" in page and "default-src 'none'" in page


@pytest.mark.parametrize(
    ("candidates", "pairs"),
    [
        ({}, []),
        ({"other": {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:1/v1"}}}, [("other", "tuned")]),
        ({"reader": {"open_book": {"of": "base"}}}, [("reader", "base"), ("reader", "tuned")]),
        ({"reader": {"open_book": {"of": "tuned"}}}, [("reader", "tuned")]),
    ],
)
def test_what_is_compared_with_what(candidates: dict[str, object], pairs: list[tuple[str, str]]) -> None:
    params = Evaluate.model_validate({"candidates": candidates})
    assert list(pairs_of(params)) == [("injected", "base"), ("tuned", "injected"), *pairs]
