"""The teacher is asked about books alone: papers and general text go to the corpus and no further."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.generate_questions import augmentation
from med_small_lm.pipelines.generate_questions import nodes as questions
from med_small_lm.pipelines.synthesize_cot import nodes as rationales
from med_small_lm.pipelines.teaching import passages_of_books
from med_small_lm.schemas.rows import Message, Option, Passage, Question
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.asked import Asked
from med_small_lm.teacher.prompts import Prompt

TEXT = "Scurvy is caused by a lack of vitamin C. The hallmark sign of scurvy is bleeding of the gums."
BOOK = Passage("book-1", "book", 0, "Diseases", 1, 1, TEXT, 20, "0" * 64, "CC0")
PAPER = replace(BOOK, passage_id="paper-1", book="paper", source="paper")
GENERAL = replace(BOOK, passage_id="general-1", book="general", source="general")
SHELF = to_frame([PAPER, BOOK, GENERAL], Passage)
NONE = to_frame([], Question)
PROMPT = Prompt("asked", "1", (Message("user", "{passage}"),))
JUDGES = dict.fromkeys(("multi", "yes_no", "support", "one_right", "answerable", "obvious"), PROMPT)
METHODS = dict.fromkeys(("rephrasing", "summary", "atomic_facts", "link"), PROMPT)
ACCESS = TeacherAccess(Path("never opened"))


class Asking(Exception):
    """Stops a node where it asks, with the passages that it asks about."""


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(what: str, asked: list[Asked], *_: object) -> None:
        raise Asking(sorted({one.passage.passage_id for one in asked}))

    monkeypatch.setattr(questions, "ask", ask)
    monkeypatch.setattr(augmentation, "ask", ask)
    monkeypatch.setattr(rationales, "ask", ask)


def question(passage_id: str) -> Question:
    options = [Option(key, text) for key, text in zip("ABCD", ("vitamin C", "iron", "iodine", "zinc"), strict=True)]
    return Question("q", "book", "train", "single", "What is lacking?", options, ["A"], "vitamin C",
                    passage_ids=[passage_id], licence="CC0")  # fmt: skip


def test_passages_of_books_are_those_of_no_other_source() -> None:
    assert passages_of_books(SHELF) == [BOOK]
    assert passages_of_books(to_frame([PAPER, GENERAL], Passage)) == []


def test_questions_and_rephrasings_are_asked_of_books_alone(stopped: None) -> None:
    params = GenerateQuestions(variations=1, rephrasing_styles=("plain",), rephrasings_per_style=1)
    with pytest.raises(Asking, match=r"\['book-1'\]"):
        questions.write_questions(SHELF, NONE, PROMPT, ACCESS, TeacherParams(), params, **JUDGES)
    with pytest.raises(Asking, match=r"\['book-1'\]"):
        augmentation.rephrase_passages(SHELF, ACCESS, TeacherParams(), params, **METHODS)


def test_rationales_are_asked_of_books_alone(stopped: None) -> None:
    asked = (SHELF, NONE, NONE, PROMPT, ACCESS, TeacherParams(), SynthesizeCot(samples=1))
    with pytest.raises(Asking, match=r"\['book-1'\]"):
        rationales.write_rationales(to_frame([question("book-1")], Question), *asked)
    with pytest.raises(KeyError, match="paper-1"):
        rationales.write_rationales(to_frame([question("paper-1")], Question), *asked)


def test_a_shelf_without_a_book_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (questions, augmentation):
        monkeypatch.setattr(module, "ask", lambda what, asked, *_: (list(asked), []))
    papers, params = to_frame([PAPER, GENERAL], Passage), GenerateQuestions(judge_support=False)
    frames = augmentation.rephrase_passages(papers, ACCESS, TeacherParams(), params, **METHODS)
    frames += questions.write_questions(papers, NONE, PROMPT, ACCESS, TeacherParams(), params, **JUDGES)
    assert [len(frame) for frame in frames] == [0] * 6
