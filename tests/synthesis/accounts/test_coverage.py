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
    Instruction,
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
from med_small_lm.synthesis.accounts.coverage import Made, coverage_of, step_of
from med_small_lm.synthesis.accounts.reconciling import shortages, unreconciled
from med_small_lm.synthesis.asked import FAULTS, fault_of, is_failed_call
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


HELD_OUT = ("skipped", "held out: its questions make the book exam")


def test_a_step_that_asks_about_a_share_says_why_not_about_the_others() -> None:
    case = replace(question("c1", "p1", call="c"), method="case")
    lines = lines_of(replace(MADE, questions=[*QUESTIONS, case]), use=[*USE, used("case", 1)])
    assert told(lines, "case") == {
        "p1": ("kept", ""), "p2": HELD_OUT, "p3": ("skipped", "not drawn"), "p4": ("skipped", "not drawn"),
        "paper": ("skipped", "paper: the model reads it, nothing is asked about it"),
    }  # fmt: skip
    shown = Rationale("s1", "q1", "gold_shown: general", "So.", ["A"], [], "s", ["p1"], "own")
    lines = lines_of(replace(MADE, rationales=[*MADE.rationales, shown]), use=[*USE, used("gold_shown: general", 1)])
    assert [told(lines, "gold_shown")[name] for name in ("p1", "p2", "p3")] == [
        ("kept", ""), HELD_OUT, ("skipped", "no question of it was kept"),
    ]  # fmt: skip
    assert unreconciled(lines, [*USE, used("gold_shown", 1)]) == []


def test_a_record_of_two_passages_is_counted_at_the_first() -> None:
    link = Rephrasing("l", "link", "Said.", "c", ["p1", "p2"], "own")
    lines = lines_of(replace(MADE, rephrasings=[*REPHRASINGS, link]), use=[*USE, used("link", 1)])
    assert told(lines, "link")["p2"] == ("skipped", "counted at p1, with which it was asked about")
    assert told(lines, "link")["p3"] == ("skipped", "not drawn")
    own = [line for line in lines if line.step == "link"]
    assert sum(line.kept for line in own) == 1 and unreconciled(lines, [*USE, used("link", 1)]) == []


def test_a_record_of_no_passage_is_counted_at_what_it_was_made_from() -> None:
    cot = [Rationale(f"e{n}", f"x{n}", "exam_cot", "So.", ["A"], [], "c", [], "own") for n in range(3)]
    stop = [Verdict("reply", "fail", 0.0, "error: 500")]
    chats = [
        Instruction(f"i{n}", "a_set", "rewriting: heading", [], ["a:1"], "own", [], call_id=f"c{n}") for n in (1, 2)
    ]
    made = replace(MADE, rationales=[*MADE.rationales, *cot], chats=[chats[0], replace(chats[1], gates=stop)])
    use = [*USE, used("exam_cot", 3), used("rewriting: heading", 2, 1)]
    lines = coverage_of(PASSAGES, [REPORT], [], made, use, {"x0": "medqa", "x1": "medqa"})
    own = {(line.step, line.unit, line.name): line for line in lines if line.step in ("exam_cot", "rewriting")}
    assert {key: (line.state, line.asked, line.kept, line.failed) for key, line in own.items()} == {
        ("exam_cot", "source", "medqa"): ("kept", 2, 2, 0),
        ("exam_cot", "source", ""): ("missing", 1, 1, 0),
        ("rewriting", "source", "a_set"): ("kept", 2, 1, 1),
    }
    assert unreconciled(lines, use) == ["exam_cot, no book source : records that name neither a passage nor a source"]


def test_a_step_without_a_record_of_its_calls_is_named() -> None:
    assert unreconciled(lines_of(), [*USE, used("case", 7)]) == [
        "case: 7 calls by the teacher's report, 0 by the records"
    ]


def test_too_little_of_a_book_and_too_many_failed_calls_are_named() -> None:
    other = [passage("x1", 1, "x"), passage("x2", 1, "x")]
    more = [question("q8", "x1", ("reply", EMPTY)), question("q9", "x2", ("options", "two are equal"))]
    lines = lines_of(Made([*QUESTIONS, *more]), [*PASSAGES, *other], [used(questions.METHOD, 6, 1)])
    assert shortages(lines, CoverageLimits(failed_max=0.2)) == [
        f"exam_like, x: 0 of 2 passages have a kept record ({EMPTY})"
    ]
    assert shortages(lines, CoverageLimits(kept_min=0, failed_max=0.1)) == [
        "exam_like: 1 of 6 calls failed (length: the reply is longer than max_tokens)"
    ]
    assert shortages(lines, CoverageLimits(kept_min=0, failed_max=1)) == []
    assert len(shortages(lines, CoverageLimits(kept_min=0.6, failed_max=1))) == 2
    lines = lines_of(Made([*QUESTIONS[3:], *more]), [*PASSAGES[2:], *other], [used(questions.METHOD, 4, 1)])
    assert shortages(lines, CoverageLimits(failed_max=1)) == [
        f"exam_like: 0 of 4 passages have a kept record ({EMPTY})"
    ]


def test_of_a_share_the_books_are_too_small_to_judge() -> None:
    cases = [replace(question(f"c{n}", f"p{n}", ("format", "short") if n > 1 else None), method="case") for n in (1, 3)]
    lines = lines_of(Made(cases), [passage("p1"), passage("p2"), passage("p3", book="x")], [used("case", 2)])
    assert shortages(lines, CoverageLimits()) == []
    assert shortages(lines, CoverageLimits(kept_min=1)) == [
        "case: 1 of 2 passages have a kept record (stopped at format)"
    ]
    failed = [replace(question(f"c{n}", f"p{n}", ("reply", "error: 500")), method="case") for n in (1, 2)]
    lines = lines_of(Made(failed), [passage("p1"), passage("p2")], [used("case", 2, 2)])
    assert shortages(lines, CoverageLimits(kept_min=0)) == ["case: 2 of 2 calls failed (error: 500)"]


def test_an_exam_or_a_set_of_which_nothing_at_all_is_kept_is_named() -> None:
    stop = [Verdict("answer", "fail", 0.0, "another")]
    cot = [Rationale(f"e{n}", f"x{n}", "exam_cot", "So.", ["A"], [], f"c{n}", [], "own", stop) for n in range(40)]
    exams = {f"x{n}": "medqa" if n < 39 else "small" for n in range(40)}
    for kept, said in ((0, ["exam_cot: 0 of 39 requests about medqa have a kept record (stopped at answer)"]), (1, [])):
        made = Made(rationales=[*(replace(one, gates=[]) for one in cot[:kept]), *cot[kept:]])
        lines = coverage_of(PASSAGES, [REPORT], [], made, [used("exam_cot", 40)], exams)
        assert shortages(lines, CoverageLimits()) == said and shortages(lines, CoverageLimits(kept_min=0)) == []


@pytest.mark.parametrize("status", FAULTS)
def test_a_failed_call_is_told_from_an_empty_reply(status: str) -> None:
    for reason in ("", "why: so"):
        assert is_failed_call(fault_of(Reply("c", status, "", None, False, "m", reason=reason)))
    assert not is_failed_call(EMPTY)
    assert not is_failed_call(fault_of(Reply("c", "ok", "plain text", None, False, "m")))  # no schema asked for more


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
