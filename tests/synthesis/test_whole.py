"""From passages to kept questions and rationales with the built-in teacher: counts that add up, and no exam facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from med_small_lm.overlap.contamination import RULES, Hit, hits_of
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pocket.exam import asked_facts
from med_small_lm.pocket.facts import Fact
from med_small_lm.schemas.rows import Passage, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.accounts.report import (
    contamination_rows,
    gate_counts,
    stopped_at,
    summary,
    teacher_use,
    with_kept,
)
from med_small_lm.synthesis.asked import requests_of
from med_small_lm.synthesis.gates.sifting import sift_questions, sift_rationales, sound_questions
from med_small_lm.synthesis.gates.verdicts import CONTAMINATION
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.synthesis.questions import question_requests, questions_from
from med_small_lm.synthesis.rationales import rationale_requests, rationales_from
from med_small_lm.teacher.client import Teacher, open_teacher
from med_small_lm.teacher.prompts import Prompt

PARAMS = GenerateQuestions(held_out_share=0.1)
GATES = ["schema", "format", "options", "language", "support", "contamination", "duplicate"]


@dataclass
class Outcome:
    drafts: list[Question]
    train: list[Question]
    book_exam: list[Question]
    rejected: list[Question]
    rationales: list[Rationale]
    rationales_rejected: list[Rationale]
    asked: int
    found: list[list[Hit]]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teacher]:
    opened = open_teacher(TeacherParams(), Path(tmp_path_factory.mktemp("ledger")) / "teacher.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def outcome(
    passages: list[Passage], exam: list[Question], dev: list[Question], prompts: dict[str, Prompt], teacher: Teacher
) -> Outcome:
    some = passages[::3]
    held = held_out_passages(some, PARAMS.held_out_share, PARAMS.seed)
    asked = question_requests(some, dev, prompts["question"], PARAMS)
    drafts, misses = questions_from(asked, teacher.ask_all(requests_of(asked)), held)
    sound, unsound = sound_questions(drafts, some, PARAMS.gates)
    found: list[list[Hit]] = []
    kept, rejected = sift_questions(sound, guards_of(exam), dev, PARAMS.gates, found=found)
    train = [question for question in kept if question.split == "train"]
    book_exam = [question for question in kept if question.split == "test"]
    cot = SynthesizeCot()
    about = rationale_requests(train, some, prompts["rationale"], cot)
    told, silent = rationales_from(about, teacher.ask_all(requests_of(about)))
    guards = guards_of([*exam, *book_exam], background=train)
    rationales, dropped = sift_rationales(told, train, some, guards, cot.gates)
    return Outcome(
        drafts, train, book_exam, rejected + unsound + misses, rationales, dropped + silent, len(about), found
    )


def plain(text: str) -> str:
    return f" {re.sub('[^a-z0-9]+', ' ', text.lower()).strip()} "


def holds(question: Question, told: str, names: list[tuple[str, str]]) -> bool:
    texts = [question.stem, *(o.text for o in question.options), *(q.text for q in question.quotes), told]
    text = plain(" | ".join(texts))
    return any(plain(subject) in text and plain(answer) in text for subject, answer in names)


def test_most_of_what_the_teacher_writes_is_kept_and_everything_is_counted(outcome: Outcome) -> None:
    assert len(outcome.train) > 400 and len(outcome.book_exam) > 40
    assert len(outcome.rationales) > 0.9 * len(outcome.train)
    drafted = len(outcome.train) + len(outcome.book_exam) + len(outcome.rejected)
    assert drafted >= len(outcome.drafts)
    assert len(outcome.rationales) + len(outcome.rationales_rejected) == outcome.asked
    assert sum(stopped_at(outcome.rejected).values()) == len(outcome.rejected)
    counts = gate_counts([*outcome.train, *outcome.book_exam, *outcome.rejected])
    assert counts["schema"].total() == len(outcome.drafts)
    line = summary("questions", [*outcome.train, *outcome.book_exam], outcome.rejected)
    assert f"dropped {len(outcome.rejected):,}" in line


def test_ids_are_unique_and_every_record_has_passed_every_gate(outcome: Outcome) -> None:
    kept = [*outcome.train, *outcome.book_exam]
    assert len({question.question_id for question in kept}) == len(kept)
    for question in outcome.train:
        assert [said.gate for said in question.gates if said.gate != "positions"] == GATES
        assert {said.verdict for said in question.gates if said.gate != "language"} == {"pass"}
    assert all(question.gates[-1].verdict == "fail" for question in outcome.rejected)


def test_no_exam_fact_and_no_held_out_fact_stands_in_a_training_record(
    outcome: Outcome, exam: list[Question], facts: list[Fact]
) -> None:
    items = [question for question in exam if question.split == "test"]
    real = asked_facts(items, facts)
    names = [(real[item.question_id].subject, item.answer_text) for item in items]
    for question in outcome.book_exam:
        fitting = [f for f in facts if f.value == question.answer_text and plain(f.subject) in plain(question.stem)]
        names += [(fact.subject, fact.value) for fact in fitting]
    told = {rationale.question_id: rationale.text for rationale in outcome.rationales}
    assert not [q.stem for q in outcome.train if holds(q, told.get(q.question_id, ""), names)]


def test_held_out_sections_are_whole_and_the_same_again(passages: list[Passage]) -> None:
    held = held_out_passages(passages, 0.05, 3)
    sections = {(passage.book, passage.section) for passage in passages}
    drawn = {(passage.book, passage.section) for passage in passages if passage.passage_id in held}
    assert len(drawn) == round(0.05 * len(sections))
    assert all((p.passage_id in held) == ((p.book, p.section) in drawn) for p in passages)
    assert held == held_out_passages(passages[::-1], 0.05, 3) != held_out_passages(passages, 0.05, 4)
    assert held_out_passages(passages, 0.0, 3) == held_out_passages(passages[:1], 0.5, 3) == set()


def test_the_report_says_what_the_gate_found_and_that_nothing_is_left(outcome: Outcome, exam: list[Question]) -> None:
    guards = guards_of(exam)
    verdicts = [said for q in [*outcome.train, *outcome.rejected] for said in q.gates if said.gate == CONTAMINATION]
    assert len(outcome.found) == len(verdicts)
    assert sum(map(bool, outcome.found)) == sum(said.verdict == "fail" for said in verdicts)
    left = list(hits_of(map(question_document, outcome.train), guards))
    rows = contamination_rows(guards, {"drafts": outcome.found, "questions": left})
    assert [(row.benchmark, row.source, row.rule) for row in rows] == [
        ("pocket_exam", source, rule) for source in ("drafts", "questions") for rule in RULES
    ]
    assert rows[1].n_flagged > 100 and 0 < rows[1].n_items_hit <= rows[1].n_items == sum(
        question.split == "test" for question in exam
    )
    assert not any(row.n_flagged for row in rows[3:])


def test_the_use_of_the_teacher_is_counted(
    teacher: Teacher, passages: list[Passage], dev: list[Question], prompts: dict[str, Prompt]
) -> None:
    asked = question_requests(passages[:5], dev, prompts["question"], GenerateQuestions(seed=99))
    teacher.ask_all(requests_of(asked))
    (row,) = teacher_use("node", "exam_like", teacher.ask_all(requests_of(asked)), 42)
    assert (row.calls, row.from_ledger, row.failed, row.records_kept) == (5, 5, 0, 42)
    assert teacher_use("node", "exam_like", [], 0) == []


def test_a_draft_that_a_gate_stops_makes_the_kept_ones_dearer() -> None:
    drafts = TeacherUse("write_questions", "exam_like", "m", 10, 0, 0, 5, 5, 6.0, 12, 0.5)
    unused = TeacherUse("write_questions", "exam_like", "n", 1, 0, 1, 5, 5, 1.0, 0)
    others = replace(drafts, method="exam_like: multi")
    none = replace(drafts, method="exam_like: yes_no")
    judge = replace(drafts, method="support")
    kept, made = ["exam_like"] * 3 + ["exam_like: multi"], {"exam_like", "exam_like: multi", "exam_like: yes_no"}
    rows = with_kept(to_frame([drafts, unused, others, none, judge], TeacherUse), kept, made)
    assert list(rows["records_kept"]) == [3, 0, 1, 0, 4]
    assert rows["cost_per_kept"].fillna(-1).tolist() == [2.0, -1, 6.0, -1, 1.5]
