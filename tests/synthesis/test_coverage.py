"""The coverage ledger: every page, passage and exercise has its line, gaps are named, and sums that are off show."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.params.synthesize_cot import CoverageLimits
from med_small_lm.schemas.frames import Coverages
from med_small_lm.schemas.rows import (
    Coverage,
    Dropped,
    GateCount,
    Option,
    Passage,
    Place,
    Question,
    Rationale,
    Rephrasing,
    SourceReport,
    TeacherUse,
    Verdict,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis import questions, rationales
from med_small_lm.synthesis.asked import FAULTS, fault_of, is_failed_call
from med_small_lm.synthesis.coverage import Made, coverage_of, step_of
from med_small_lm.synthesis.reconciling import shortages, unreconciled
from med_small_lm.teacher.requests import Reply

EMPTY = "the teacher wrote no question"


def passage(name: str, page: int = 1, book: str = "b", source: str = "book", **more: object) -> Passage:
    return Passage(name, book, 0, "C > S", page, page, "Text.", 1, "0" * 64, "own", source, **more)  # type: ignore[arg-type]


def question(
    name: str, about: str, stop: tuple[str, str] | None = None, *, split: str = "train", call: str = ""
) -> Question:
    gates = [Verdict(stop[0], "fail", 0.0, stop[1])] if stop else [Verdict("format", "pass", 1.0)]
    return Question(
        name, "b", split, "single", "Stem?", [Option("A", "x"), Option("B", "y")], ["A"], "x",
        method=questions.METHOD, call_id=call or f"call of {about}", passage_ids=[about], gates=gates,
    )  # fmt: skip


def rationale(name: str, of: Question, call: str = "") -> Rationale:
    said = [Verdict("format", "pass", 1.0)]
    return Rationale(
        name, of.question_id, rationales.METHOD, "So.", ["A"], [], call or name, of.passage_ids, "own", said
    )


def rephrasing(name: str, about: str, style: str = "plain", reason: str = "") -> Rephrasing:
    gates = [Verdict("reply", "fail", 0.0, reason)] if reason else []
    return Rephrasing(name, f"rephrasing: {style}", "Said.", f"call {name}", [about], "own", gates)


def used(method: str, calls: int, failed: int = 0) -> TeacherUse:
    return TeacherUse("node", method, "m", calls, 0, failed, 0, 0, 0.0, 0)


REPORT = SourceReport("b", "b.pdf", "ok", "", 4, 3, 9, [Dropped("contents", 20, 1), Dropped("running heads", 5, 0)])
PASSAGES = [passage("p1", 2), passage("p2", 3), passage("p3", 3), passage("p4", 4), passage("paper", 1, "j", "paper")]
KEPT, HELD = question("q1", "p1"), question("q2", "p2", split="test")
QUESTIONS = [
    *(KEPT, HELD),
    question("q3", "p1", ("contamination", "same_fact")),
    question("q4", "p3", ("reply", EMPTY)),
    question("q5", "p4", ("reply", "length: the reply is longer than max_tokens")),
]
REPHRASINGS = [rephrasing(f"r{n}", f"p{n}") for n in range(1, 5)]
MADE = Made(QUESTIONS, [rationale("w1", KEPT)], REPHRASINGS)
USE = [used(questions.METHOD, 4, 1), used("support", 3), used("rephrasing", 4), used(rationales.METHOD, 1)]


def lines_of(
    made: Made = MADE, passages: list[Passage] = PASSAGES, use: list[TeacherUse] = USE, **more: bool
) -> list[Coverage]:
    return coverage_of(passages, [REPORT], [], made, use, **more)


def told(lines: list[Coverage], step: str) -> dict[str, tuple[str, str]]:
    return {line.name: (line.state, line.reason) for line in lines if line.step == step}


def test_every_passage_has_a_line_a_step_that_says_what_became_of_it() -> None:
    lines = lines_of()
    nothing = "the model reads it, nothing is asked about it"
    assert told(lines, questions.METHOD) == {
        "p1": ("kept", ""), "p2": ("kept", ""), "p3": ("empty", EMPTY),
        "p4": ("failed", "length: the reply is longer than max_tokens"), "paper": ("skipped", f"paper: {nothing}"),
    }  # fmt: skip
    assert told(lines, rationales.METHOD) == {
        "p1": ("kept", ""), "p2": ("skipped", "held out: its questions make the book exam"),
        "p3": ("skipped", "no question of it was kept"), "p4": ("skipped", "no question of it was kept"),
        "paper": ("skipped", f"paper: {nothing}"),
    }  # fmt: skip
    first = next(line for line in lines if line.step == questions.METHOD and line.name == "p1")
    assert (first.asked, first.made, first.kept, first.failed) == (1, 2, 1, 0)
    assert first.stopped == [GateCount("contamination", 1)] and (first.section, first.page_first) == ("C > S", 2)
    assert unreconciled(lines, USE) == []


def test_pages_exercises_and_repeats_are_in_it() -> None:
    exercise = replace(question("e1", ""), source="b", places=[Place("b", 4, 5)])
    passages = [*PASSAGES, passage("other", 1, "c", also_in=[Place("b", 4, 4)])]
    bad = SourceReport("d", "d.pdf", "quarantined", "no PDF", 0, 0, 0)
    lines = coverage_of(passages, [REPORT, bad], [exercise], Made(), [])
    assert [(line.unit, line.name, line.state, line.reason, line.made) for line in lines] == [
        ("page", "1", "skipped", "contents", 0), ("page", "2", "kept", "", 1), ("page", "3", "kept", "", 2),
        ("page", "4", "kept", "", 1), ("passage", "", "skipped", "repeats other", 0),
        ("file", "d.pdf", "skipped", "quarantined: no PDF", 0), ("exercise", "e1", "kept", "", 1),
    ]  # fmt: skip
    assert (lines[-1].page_first, lines[-1].page_last) == (4, 5)
    wrong = coverage_of(PASSAGES[:1], [REPORT], [], Made(), [])
    assert unreconciled(wrong, []) == [
        "reading, b file b.pdf: 1 pages have passages and 1 are dropped, its report keeps 3"
    ]


@pytest.mark.parametrize(
    ("made", "use", "part"),
    [
        (replace(MADE, questions=QUESTIONS[:3]), USE, "exam_like, b passage p3: no record of it"),
        (replace(MADE, questions=QUESTIONS[:4]), USE, "exam_like: 4 calls by the teacher's report, 3 by the records"),
        (replace(MADE, rationales=[]), USE, "passage_cot, b passage p1: 1 of its questions have no record"),
        (replace(MADE, rephrasings=[*REPHRASINGS, rephrasing("x", "gone")]), USE, "no passage gone is there"),
        (MADE, [used(questions.METHOD, 4, 2), *USE[1:]], "exam_like: 2 failed calls by the teacher's report, 1 by"),
        (MADE, [*USE[:2], used("rephrasing", 5), USE[3]], "rephrasing: 5 calls by the teacher's report, 4 by"),
        (replace(MADE, rephrasings=[]), USE, "rephrasing, b passage p1: no record of it"),
    ],
)
def test_whatever_is_lost_is_named(made: Made, use: list[TeacherUse], part: str) -> None:
    assert any(part in fault for fault in unreconciled(lines_of(made, use=use), use))


def test_a_line_whose_sum_is_wrong_is_found_and_no_file_takes_it() -> None:
    lines = lines_of()
    spoilt = [replace(line, made=line.made + 1) if line.name == "p1" else line for line in lines]
    assert any("p1: 3 records, 2 accounted for" in fault for fault in unreconciled(spoilt, USE))
    Coverages.validate(to_frame(lines, Coverage))
    with pytest.raises(Exception, match="sums_are_equal"):
        Coverages.validate(to_frame(spoilt, Coverage))
    assert to_rows(to_frame(lines, Coverage), Coverage) == lines


def test_a_step_that_was_not_asked_for_has_no_lines_and_a_preview_leaves_passages_out() -> None:
    only = [USE[0]]
    assert {line.step for line in lines_of(Made(QUESTIONS), use=only)} == {"reading", questions.METHOD}
    few = Made(QUESTIONS[:1])
    assert told(lines_of(few, use=only, is_preview=True), questions.METHOD)["p3"] == ("skipped", "not in the preview")
    cases = replace(question("c1", "p1"), method="case")
    more = told(lines_of(replace(MADE, questions=[*QUESTIONS, cases])), "case")
    assert more["p1"][0] == "kept" and more["p2"] == ("skipped", "not asked about")


def test_too_little_of_a_book_and_too_many_failed_calls_are_named() -> None:
    other = [passage("x1", 1, "x"), passage("x2", 1, "x")]
    more = [question("q8", "x1", ("reply", EMPTY)), question("q9", "x2", ("options", "two are equal"))]
    lines = lines_of(Made([*QUESTIONS, *more]), [*PASSAGES, *other], [used(questions.METHOD, 6, 1)])
    assert shortages(lines, CoverageLimits(failed_max=0.2)) == [
        f"exam_like, x: 0 of 2 passages have a kept record ({EMPTY})"
    ]
    assert shortages(lines, CoverageLimits(kept_min=0, failed_max=0.1)) == ["exam_like: 1 of 6 calls failed"]
    assert shortages(lines, CoverageLimits(kept_min=0, failed_max=1)) == []
    assert len(shortages(lines, CoverageLimits(kept_min=0.6, failed_max=1))) == 2


@pytest.mark.parametrize("status", FAULTS)
def test_a_failed_call_is_told_from_an_empty_reply(status: str) -> None:
    for reason in ("", "why: so"):
        assert is_failed_call(fault_of(Reply("c", status, "", None, False, "m", reason=reason)))
    assert not is_failed_call(EMPTY)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["", "format", "reply", "failed"])), max_size=30))
def test_the_sums_are_equal_whatever_comes_back(drawn: list[tuple[int, str]]) -> None:
    passages = [passage(f"p{n}") for n in range(1, 6)]
    stops = {"": None, "format": ("format", "short"), "reply": ("reply", EMPTY), "failed": ("reply", "error: 500")}
    made = [question(f"q{k}", f"p{n}", stops[kind], call=f"c{k}") for k, (n, kind) in enumerate(drawn)]
    kinds = Counter(kind for _, kind in drawn)
    use = [used(questions.METHOD, len(drawn), kinds["failed"])]
    lines = [line for line in coverage_of(passages, [], [], Made(made), use) if line.step == questions.METHOD]
    assert [line.name for line in lines] == [one.passage_id for one in passages]
    assert sum(line.asked for line in lines) == sum(line.made for line in lines) == len(drawn)
    assert sum(line.kept for line in lines) == kinds[""] and sum(line.failed for line in lines) == kinds["failed"]
    stopped = Counter[str]()
    for line in lines:
        stopped.update({one.gate: one.count for one in line.stopped})
    assert stopped == Counter({gate: kinds[gate] for gate in ("format", "reply") if kinds[gate]})
    missing = {one.passage_id for one in passages} - {f"p{n}" for n, _ in drawn}
    assert len(unreconciled(lines, use)) == len(missing)


def test_the_style_is_no_part_of_the_step() -> None:
    assert step_of("rephrasing: notes for revision") == "rephrasing" and step_of("exam_like") == "exam_like"
