"""The page and the pictures of synthesis hold the counts of the records that they tell of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.synthesis.accounts.test_coverage import HELD, KEPT, MADE, QUESTIONS, USE, lines_of, rephrasing

from med_small_lm.schemas.rows import (
    Coverage,
    ExamFault,
    GraphFile,
    InstructionReport,
    LeftOut,
    Stopped,
    Verdict,
)
from med_small_lm.synthesis.accounts.coverage import Made
from med_small_lm.synthesis.accounts.distributions import answer_places, five_numbers, gates_in_order
from med_small_lm.synthesis.accounts.outside import Outside
from med_small_lm.synthesis.accounts.page import page
from med_small_lm.synthesis.accounts.pictures import (
    answers_figure,
    books_figure,
    coverage_figure,
    gates_figure,
    lengths_figure,
)


def line(section: str, state: str, book: str = "b", step: str = "exam_like", kept: int = 0) -> Coverage:
    return Coverage(step, "passage", "p", book, section, 1, 2, state, "", 1, kept, kept)


def test_the_page_tells_coverage_gates_reasons_distributions_and_costs() -> None:
    paid = [replace(USE[0], cost=3.0), replace(USE[1], cost=1.0), *USE[2:]]
    text = page(lines_of(), [], MADE, paid)
    for row in (
        "| exam_like | 5 | 2 | 0 | 1 | 1 | 1 | 0 | 4 | 5 | 2 | 2 | 1 |",
        "| reading | 4 | 3 | 0 | 0 | 0 | 1 | 0 | 0 | 4 | 4 | 0 | 0 |",
        "| passage_cot | passage | skipped | held out: its questions make the book exam | 1 |",
        "| contamination | 1 | 0 | 0 | 1 | 100.0% |",
        "| contamination | 1 | same_fact | Stem? [x \\| y] x |",
        "| b | 2 | 2 of 4 | 4 | 4 of 4 | 1 | 1 of 1 |",
        "| b | C | 2 | 2 of 4 | 4 | 4 of 4 | 1 | 1 of 1 |",
        "| single | test | 1 |",
        "| A | 2 | 100.0% |",
        "| B | 0 | 0.0% |",
        "| node | 4 | 7 | 0.5714 |",
        "All counts agree",
        "All calls cost 4 in the currency of the prices, 0.5714 for each of 7 kept records",
    ):
        assert row in text, row
    assert "1 of 2 sections have no kept record" in text  # the paper's
    assert "do not agree" in page(lines_of(), ["exam_like: 2 calls"], MADE, USE)
    assert "No gate." in page([], [], Made(rephrasings=[rephrasing("r", "p1")]), [])
    assert page([], [], Made(), []).startswith("# Synthesis")


def test_the_page_tells_what_came_of_what_is_outside() -> None:
    faults = [ExamFault("medqa", n, f"q{n}", "no answer key", "{") for n in range(1, 41)]
    graph = GraphFile("umls", "MRREL.RRF", "ok", "", 9, 6, 1, [LeftOut("another language", 2)])
    stopped = [Stopped("schema", "no reply", 2, "a.jsonl:3"), Stopped("contamination", "", 1, "a.jsonl:7")]
    one = InstructionReport("medquad", "a.jsonl", "qa", "CC BY 4.0", 1, 0, 0, "", 10, 6, 1, stopped)
    text = page([], [], Made(), [], Outside(faults, [graph], [one]))
    for row in (
        "40 lines of the exams are no question that can be answered and were set aside (the first 30)",
        "| medqa | 30 | q30 | no answer key | { |",
        "| umls | MRREL.RRF | ok | 9 | 6 | 1 | another language 2 |",
        "| medquad | CC BY 4.0 | 10 | 6 | 1 | schema 2 (no reply, first a.jsonl:3), contamination 1 |",
    ):
        assert row in text, row
    assert "q31" not in text and "## Exams" not in page([], [], Made(), [])


def test_a_node_counts_the_records_of_its_own_methods() -> None:
    kinds = [replace(KEPT, question_id="m", method="exam_like: multi")]
    paid = [replace(USE[0], node="a", cost=2.0), replace(USE[0], node="b", method="exam_like: multi", cost=3.0)]
    text = page([], [], Made([*QUESTIONS, *kinds], (), [rephrasing("r", "p1")]), [*paid, replace(USE[2], node="c")])
    for row in ("| a | 2 | 2 | 1 |", "| b | 3 | 1 | 3 |", "| c | 0 | 1 | 0 |"):
        assert row in text, row


def test_the_steps_of_a_share_stand_in_one_row() -> None:
    lines = [line("s", "kept", kept=1), line("s", "kept", step="case"), line("s", "empty", step="link")]
    shares = coverage_figure(lines).data[0]
    assert list(shares.y) == ["b · exam_like", "b · others"] and [row[0] for row in shares.z] == [1.0, 0.5]


def test_examples_of_a_reason_are_few_and_the_others_are_counted() -> None:
    stopped = [replace(QUESTIONS[2], gates=[Verdict("options", "fail", n, f"{n}.5 times as long")]) for n in range(7)]
    other = [replace(KEPT, gates=[Verdict("options", "fail", 0, f"reason {'abcdefgh'[n]}")]) for n in range(8)]
    text = page([], [], Made([*stopped, *other]), [])
    assert text.count("times as long") == 2 and "| options | 7 | 0.5 times as long |" in text
    assert "| options | 3 | 3 other reasons |  |" in text


def test_holes_are_dark_and_what_is_not_asked_about_is_grey() -> None:
    lines = [line("s1", "kept", kept=3), line("s1", "empty"), line("s2", "stopped"), line("s3", "skipped")]
    shares, skipped = coverage_figure([*lines, line("s1", "kept", "c", kept=1)]).data
    assert list(shares.y) == ["b · exam_like", "c · exam_like"] and list(shares.x) == [1, 2, 3]
    assert [list(row) for row in shares.z] == [[0.5, 0.0, None], [1.0, None, None]]
    assert [list(row) for row in skipped.z] == [[None, None, 1], [None, None, None]]
    assert "s1" in shares.text[0][0] and "1 kept, 1 empty" in shares.text[0][0] and "kept: 3" in shares.text[0][0]


def test_of_many_books_those_with_the_most_holes_are_drawn() -> None:
    lines = [line("s", "kept" if n % 2 else "empty", f"book{n}", kept=n % 2) for n in range(100)]
    figure = coverage_figure(lines)
    assert len(figure.data[0].y) == 40 and {row[0] for row in figure.data[0].z} == {0.0}
    assert "40 books of 100" in figure.layout.title.text and "40 of 100" in books_figure(lines).layout.title.text
    assert len(books_figure(lines).data[0].y) == 40


def test_the_funnel_loses_at_each_gate_what_it_stopped() -> None:
    assert [gate for gate, _ in gates_in_order(QUESTIONS)] == ["reply", "format", "contamination"]
    spared = [replace(HELD, gates=[Verdict(gate, "pass", 1.0) for gate in ("format", "duplicate")])] * 3
    whole = replace(KEPT, gates=[Verdict(gate, "pass", 1.0) for gate in ("format", "contamination", "duplicate")])
    assert [gate for gate, _ in gates_in_order([*spared, whole])] == ["format", "contamination", "duplicate"]
    exam, rephrasings, cot = gates_figure(MADE).data
    assert list(exam.y) == ["all records", "past reply", "past format", "past contamination"]
    assert list(exam.x) == [5, 3, 3, 2] and list(rephrasings.x) == [4] and list(cot.x) == [1, 1]


def test_bars_by_book_and_place_and_boxes_of_lengths() -> None:
    bars = {bar.name: dict(zip(bar.y, bar.x, strict=True)) for bar in books_figure(lines_of()).data}
    assert bars == {
        "exam_like": {"b": 2, "j": 0}, "rephrasing": {"b": 4, "j": 0}, "passage_cot": {"b": 1, "j": 0}
    }  # fmt: skip
    multi = replace(KEPT, kind="multi", answer_keys=["A", "B"])
    single, other = answers_figure([KEPT, HELD, multi]).data
    assert (list(single.x), list(single.y), list(other.y)) == (["A", "B"], [1.0, 0.0], [0.5, 0.5])
    assert answer_places([]) == {} and len(answers_figure([]).data) == 0
    [box] = lengths_figure(MADE).data
    assert list(box.y) == [
        "exam_like: stem",
        "exam_like: right option",
        "exam_like: wrong options",
        "rephrasing",
        "passage_cot",
    ]
    assert list(box.median) == [1, 1, 1, 1, 1]


@pytest.mark.parametrize(("values", "numbers"), [([], (0,) * 5), ([3], (3,) * 5), ([1, 2, 3, 4, 9], (1, 2, 3, 4, 9))])
def test_five_numbers(values: list[int], numbers: tuple[float, ...]) -> None:
    assert five_numbers(values) == numbers


def test_pictures_of_nothing_are_drawn() -> None:
    for figure in (coverage_figure([]), gates_figure(Made()), books_figure([]), lengths_figure(Made())):
        assert figure.to_json()
