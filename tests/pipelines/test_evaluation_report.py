"""What a finished run tells of its evaluation: exposures and comparisons as records, and the page."""

from __future__ import annotations

import pytest
from tests.conftest import Project

from med_small_lm.params.evaluate import Evaluate
from med_small_lm.pipelines.evaluate.reporting import draw_scores, pairs_of
from med_small_lm.schemas.rows import Comparison, Question, Score
from med_small_lm.schemas.tables import to_frame, to_rows


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
    own = {("injected", "base"), ("tuned", "base"), ("tuned", "injected")}
    assert set(map(tuple, pairs.to_numpy())) == own | {("open_book", name) for name in ("base", "injected", "tuned")}
    for heading in ("At a glance", "Which model is better?", "Had it seen the questions?", "Some wrong answers"):
        assert heading in page
    assert "pocket_exam" in page and "default-src 'none'" in page


def test_what_training_bought_over_looking_it_up_is_told_with_its_interval(finished: Project) -> None:
    rows = to_rows(finished.read("08_reporting/comparisons"), Comparison)
    own = [one for one in rows if (one.model_a, one.model_b) == ("open_book", "tuned")]
    assert {one.benchmark for one in own} == {"pocket_exam"}  # what the candidate is kept to
    assert all(one.ci_low <= one.difference <= one.ci_high for one in own)
    page = (finished.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert "it says what training bought over looking it up" in page
    assert "tuned with the books open" in page and ">open_book</t" in page
    assert "it answers pocket_exam alone" in page


FAR = {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:1/v1"}}


@pytest.mark.parametrize(
    ("candidates", "pairs"),
    [
        ({}, []),
        (
            {"reader": {"open_book": {"of": "tuned"}}, "far": FAR},
            [("reader", "base"), ("reader", "injected"), ("reader", "tuned"),
             ("far", "base"), ("far", "injected"), ("far", "tuned"), ("far", "reader")],
        ),
    ],
)  # fmt: skip
def test_every_model_is_compared_with_every_other(candidates: dict[str, object], pairs: list[tuple[str, str]]) -> None:
    params = Evaluate.model_validate({"candidates": candidates})
    own = [("injected", "base"), ("tuned", "base"), ("tuned", "injected")]
    assert list(pairs_of(params)) == own + pairs


def test_null_takes_a_candidate_of_another_layer_away() -> None:
    told = {"models": ["base"], "candidates": {"open_book": {"open_book": {"of": "tuned"}}}}
    with pytest.raises(ValueError, match=r"candidates.open_book: open_book.of is none of base; null"):
        Evaluate.model_validate(told)
    assert Evaluate.model_validate(told | {"candidates": {"open_book": None}}).names == ("base",)


def test_the_picture_is_of_what_stands_for_an_exam() -> None:
    run = ("tuned", "k_qa", "all", "generation", "explain/0-shot")
    told = (("hallucination", 1.2), ("completeness", 0.4))
    scores = to_frame([Score(*run, metric, value, 9, 0, value - 0.1, value + 0.1) for metric, value in told], Score)
    items = to_frame([Question("q", "k_qa", "test", "open", "What?", [], [], "This.", method="k_qa")], Question)
    figure = draw_scores("k_qa", scores, items)
    assert list(figure.data[0].y) == [0.4] and not figure.layout.shapes
    assert figure.layout.title.text.startswith("Completeness on k_qa")
    assert figure.layout.yaxis.title.text == "completeness"
