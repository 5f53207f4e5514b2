"""The counterfactual: forty facts changed, everything else as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.pocket.counterfactual import counterfactual
from med_small_lm.pocket.exam import ExamError, asked_facts, read_questions, true_values
from med_small_lm.pocket.facts import Fact, read_facts
from med_small_lm.pocket.library import shelve, statements
from med_small_lm.pocket.outputs import write_counterfactual, write_exam
from med_small_lm.schemas.rows import Question


def test_forty_facts_change_and_the_keys_follow(facts: list[Fact], questions: list[Question]) -> None:
    changed, changes, exam = counterfactual(facts, questions, seed=0)
    assert len(changes) == len({change.subject for change in changes}) == 40
    differing = [(old, new) for old, new in zip(facts, changed, strict=True) if old != new]
    assert {(old.subject, old.attribute, old.value, new.value) for old, new in differing} == {
        (change.subject, change.attribute, change.old, change.new) for change in changes
    }
    ids = {change.question_id: change for change in changes}
    for before, after in zip(questions, exam, strict=True):
        assert (before.stem, before.options) == (after.stem, after.options)
        if change := ids.get(before.question_id):
            assert (before.split, before.answer_text, after.answer_text) == ("test", change.old, change.new)
        else:
            assert before == after


def test_every_item_keeps_one_right_option(facts: list[Fact], questions: list[Question]) -> None:
    changed, _, exam = counterfactual(facts, questions, seed=0)
    true = true_values(changed)
    for question_id, fact in asked_facts(exam, changed).items():
        question = next(question for question in exam if question.question_id == question_id)
        right = [option.key for option in question.options if option.text in true[fact.subject, fact.attribute]]
        assert right == question.answer_keys


def test_the_books_differ_in_the_changed_facts_alone(facts: list[Fact], questions: list[Question]) -> None:
    changed, changes, _ = counterfactual(facts, questions, seed=0)
    assert shelve(changed) == shelve(facts)
    before = {text for told in statements(facts).values() for text in told}
    after = {text for told in statements(changed).values() for text in told}
    assert len(before - after) == len(after - before) == 4 * len(changes)


def test_changes_depend_on_the_seed_alone(facts: list[Fact], questions: list[Question]) -> None:
    _, changes, _ = counterfactual(facts, questions, seed=0)
    assert counterfactual(facts, questions, seed=0)[1] == changes
    assert counterfactual(facts, questions, seed=1)[1] != changes


def test_files_are_written_and_fit_each_other(facts_csv: Path, tmp_path: Path) -> None:
    questions = write_exam(facts_csv, tmp_path / "exam.jsonl", seed=3)
    changes = write_counterfactual(facts_csv, tmp_path / "exam.jsonl", tmp_path / "out", n=5, seed=3)
    exam = read_questions(tmp_path / "out/pocket_exam.jsonl")
    assert len(exam) == len(questions)
    assert len(asked_facts(exam, read_facts(tmp_path / "out/pocket_facts.csv"))) == len(exam)
    assert len((tmp_path / "out/changes.jsonl").read_text().splitlines()) == len(changes) == 5


def test_too_many_changes_are_refused(facts: list[Fact], questions: list[Question]) -> None:
    with pytest.raises(ExamError, match="can be changed"):
        counterfactual(facts, questions, seed=0, n=1000)
