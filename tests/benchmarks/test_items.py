"""Reading a benchmark file: the sound questions, and a reason for each line that is none."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.benchmarks.items import Problem, fault, read_questions
from med_small_lm.schemas.rows import Criterion, Message, Option, Question, Quote

POCKET = Path(__file__).parents[2] / "data/01_raw/benchmarks/pocket_exam.jsonl"
GENERAL = POCKET.with_name("pocket_general.jsonl")


def write(folder: Path, *lines: Any) -> Path:
    path = folder / "exam.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n", "utf-8")
    return path


def test_reads_what_was_written(tmp_path: Path, questions: list[Question]) -> None:
    rows = [asdict(question) for question in questions]
    assert read_questions(write(tmp_path, rows[0], "", *rows[1:])) == (questions, [])


def test_fields_with_a_default_may_be_left_out(tmp_path: Path, questions: list[Question]) -> None:
    names = ("question_id", "source", "split", "kind", "stem", "options", "answer_keys", "answer_text")
    row = {name: value for name, value in asdict(questions[0]).items() if name in names}
    assert read_questions(write(tmp_path, "\ufeff" + json.dumps(row))) == ([questions[0]], [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "malformed: Expecting property name"),
        ("[1]", "malformed: the line is no JSON object"),
        ({"question_id": "x"}, "malformed: lacks answer_keys, answer_text"),
        ({"colour": "red"}, "malformed: unknown colour"),
        ({"rank": "one"}, "malformed: rank is str, not int"),
        ({"rank": True}, "malformed: rank is bool, not int"),
        ({"answer_keys": [1]}, "malformed: answer_keys is list"),
        ({"options": [1, 2]}, "malformed: an entry of options is no object"),
        ({"options": [{"key": "A"}]}, "malformed: lacks text"),
        ({"question_id": ""}, "no question_id"),
        ({"source": ""}, "no source"),
        ({"rank": -1}, "rank -1 is below 0"),
        ({"kind": "essay"}, "kind 'essay' is none of"),
        ({"stem": " "}, "no stem"),
        ({"options": [{"key": "A", "text": "x"}]}, "fewer than two options"),
        ({"options": [{"key": "A", "text": "x"}, {"key": "A", "text": "y"}]}, "options have one key: A"),
        ({"options": [{"key": "A", "text": "x y"}, {"key": "B", "text": "X  Y "}]}, "options have one text: x y"),
        ({"options": [{"key": "A", "text": "x"}, {"key": "B", "text": ""}]}, "an option has no text"),
        ({"answer_keys": []}, "no answer key"),
        ({"answer_keys": ["A", "Z"]}, "answer keys that are no option: Z"),
        ({"answer_keys": ["A", "B"]}, "more than one answer key"),
    ],
)
def test_problems(tmp_path: Path, questions: list[Question], line: Any, reason: str) -> None:
    good = [asdict(question) for question in questions]
    bad = {**good[0], "question_id": "bad", **line} if isinstance(line, dict) and len(line) else line
    if isinstance(line, dict) and line.keys() == {"question_id"} and line["question_id"] == "x":
        bad = line
    found, problems = read_questions(write(tmp_path, good[1], bad, good[2]))
    assert found == [questions[1], questions[2]]
    assert len(problems) == 1 and problems[0].line == 2 and problems[0].reason.startswith(reason)


def test_second_of_one_id_is_left_out(tmp_path: Path, questions: list[Question]) -> None:
    rows = [asdict(questions[0]), asdict(questions[1]), asdict(replace(questions[0], stem="Other?"))]
    found, problems = read_questions(write(tmp_path, *rows))
    assert found == questions[:2]
    assert problems == [Problem(3, "exam-0001", "question_id stands already in line 1")]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "exam.jsonl"
    path.write_bytes(b'{"question_id": "\xff"}\n' + b"[" * 200_000)
    found, problems = read_questions(path)
    assert found == [] and [entry.line for entry in problems] == [1, 2]


def test_several_right_keys_are_for_other_kinds(tmp_path: Path, questions: list[Question]) -> None:
    multi = replace(questions[0], kind="multi", answer_keys=["A", "B"], options=[Option("A", "x"), Option("B", "y")])
    assert read_questions(write(tmp_path, asdict(multi))) == ([multi], [])


def test_an_open_question_has_turns_and_criteria_and_no_options(tmp_path: Path, questions: list[Question]) -> None:
    judged = [Criterion("Says why.", 2.0, ["axis:accuracy"]), Criterion("Alarms.", -1.0)]
    bare = replace(questions[0], kind="open", options=[], answer_keys=[], answer_text="", turns=[Message("user", "Hi")])
    asked = replace(bare, rubric=judged)
    row = asdict(asked)
    del row["rubric"][1]["tags"]
    assert read_questions(write(tmp_path, row)) == ([asked], [])
    assert fault(replace(bare, answer_text="Because.")) == fault(replace(bare, must_have=["It is."])) == ""
    assert fault(bare) == "no answer_text, must_have or rubric to judge by"
    assert fault(replace(asked, options=[Option("A", "x")])) == "an open question has no options"
    wrong = row | {"rubric": [{"text": "Says why."}]}
    assert read_questions(write(tmp_path, wrong))[1][0].reason == "malformed: lacks points"


def test_a_rubric_of_older_files_is_an_explanation(tmp_path: Path, questions: list[Question]) -> None:
    rows = [asdict(questions[0]) | {"rubric": told} for told in ("", "Valproate works broadly.")]
    found, problems = read_questions(write(tmp_path, rows[0], rows[1] | {"question_id": "exam-2"}))
    assert problems == [] and [one.rubric for one in found] == [[], []] and found[0].quotes == []
    assert found[1].quotes == [Quote("", "", "Valproate works broadly.")]


@pytest.mark.skipif(not POCKET.is_file(), reason="the pocket exam is not here")
def test_the_pocket_exam_is_sound() -> None:
    questions, problems = read_questions(POCKET)
    assert problems == [] and sum(question.split == "test" for question in questions) >= 400


@pytest.mark.skipif(not GENERAL.is_file(), reason="the general exam is not here")
def test_the_general_exam_is_sound_and_its_form_gives_nothing_away() -> None:
    questions, problems = read_questions(GENERAL)
    assert problems == [] and len(questions) == 60 and {len(question.options) for question in questions} == {4}
    keys = Counter(question.answer_keys[0] for question in questions)
    assert set(keys.values()) == {15}
    for pick in (min, max):
        extremes = [pick(one.options, key=lambda option: len(option.text)).text for one in questions]
        right = sum(text == one.answer_text for text, one in zip(extremes, questions, strict=True))
        assert right <= 20, "the shortest or the longest option is right no more often than by lot"
