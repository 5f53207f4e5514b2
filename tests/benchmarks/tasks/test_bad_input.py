"""What a release holds that is no question is set aside with its place; what is doubtful stays, and is told."""

from __future__ import annotations

from typing import Any

import pytest

from med_small_lm.benchmarks.defects import tally
from med_small_lm.benchmarks.published import fault_of

ITEM = {
    "question": "Which is salt?",
    "options": {"A": "Sodium", "B": "Gold", "C": "Air", "D": "Ice"},
    "answer_idx": "A",
    "answer": "Sodium",
    "meta_info": "step1",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer_idx": "", "answer": ""}, "no answer"),
        ({"answer_idx": None, "answer": None}, "no answer"),
        ({"answer_idx": "E", "answer": "Salt"}, "the answer E is no option"),
        ({"question": " "}, "the field question is empty"),
        ({"question": 3}, "the field question is no text"),
        ({"options": None}, "no options"),
        ({"options": {"A": ["x"], "B": "y", "C": "z", "D": "u"}}, "an option is no text"),
        ({"options": {"A": "x", "a": "y", "B": "z", "C": "u"}}, "options have one key: A"),
    ],
)
def test_a_record_without_a_question_is_set_aside(read: Any, change: dict[str, Any], reason: str) -> None:
    questions, problems = read("medqa", {"test.jsonl": [ITEM, ITEM | {"question": "Other?"} | change]}, folder=False)
    assert len(questions) == 1 and [(one.line, one.reason) for one in problems] == [(2, reason)]
    assert problems[0].text


def test_an_answer_is_found_by_its_text_where_its_letter_is_none(read: Any) -> None:
    (asked,), _ = read("medqa", {"test.jsonl": [ITEM | {"answer_idx": "", "answer": "gold"}]}, folder=False)
    assert asked.answer_keys == ["B"]


def test_ids_that_stand_already_are_set_aside(read: Any) -> None:
    row = {"id": "u", "question": "Which?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 4}
    questions, problems = read("medmcqa", {"dev.jsonl": [row, row | {"question": "What?"}], "train.jsonl": [row]})
    assert len(questions) == 1
    assert [(one.question_id, one.reason) for one in problems] == [
        ("mine-dev-u", "dev.jsonl: question_id stands already in line 1 of dev.jsonl")
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("test.jsonl", b"%PDF-1.7\n\x00\xff", "malformed JSON"),
        ("test.parquet", b"question,answer\n", "no Parquet file"),
        ("test.json", b"{\n 'no': JSON", "the file is not what its name says"),
        ("test.json", b"[1, 2]", "the record is no object"),
        ("test.csv", b"", "the file holds no record"),
        ("test.jsonl", "\ufeff\n".encode("utf-16"), "the file is UTF-16"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_set_aside(read: Any, name: str, content: bytes, reason: str) -> None:
    questions, problems = read("medqa", {"a/test.jsonl": [ITEM], f"b/{name}": content})
    assert len(questions) == 1 and problems[0].line == 1 and f"b/{name}: {reason}" in problems[0].reason, problems


def test_doubtful_questions_stay_in_the_number_and_are_told(read: Any) -> None:
    twice = {"A": "Sodium", "B": "sodium ", "C": "Air", "D": "Ice"}
    items = [
        ITEM,
        ITEM | {"options": twice, "question": "Which is white?"},
        ITEM | {"options": twice, "question": "Which is cold?", "answer_idx": "D", "answer": "Ice"},
        ITEM
        | {"options": {"A": "CD25+", "B": "CD25-", "C": "", "D": "x"}, "question": "Which cell?", "answer": "CD25+"},
        ITEM | {"question": "WHICH is salt"},
        ITEM | {"options": {"A": "Gold", "B": "Sodium", "C": "Air", "D": "Ice"}, "answer_idx": "A", "answer": "Gold"},
        ITEM | {"options": {"A": "Sodium", "B": "Gold", "C": "Air", "D": "Wood"}},
        ITEM | {"question": "Which is yellow?", "answer": "Gold"},
    ]
    questions, problems = read("medqa", {"test.jsonl": items}, folder=False)
    assert problems == [] and len(questions) == len(items)
    told = [[(gate.gate, gate.reason) for gate in one.gates] for one in questions]
    assert told[0] == [] and told[3] == [("option_without_text", "option C has no text")]
    assert told[1] == [
        ("equal_options", "options A and B have one text"),
        ("ambiguous_gold", "the right option A has the text of B"),
    ]
    assert told[2] == [("equal_options", "options A and B have one text")]
    assert told[4] == [("repeated_question", "the same as mine-test-00001")]
    assert [gate for gate, _ in told[5]] == ["repeated_question", "contradicted"]
    assert told[6] == [("repeated_stem", "the stem of mine-test-00001")]
    assert told[7] == [("gold_at_odds", "the letter says A, the text is that of B")]
    assert tally(questions) == {
        "equal_options": 2, "ambiguous_gold": 1, "gold_at_odds": 1, "option_without_text": 1, "repeated_question": 2,
        "repeated_stem": 1, "contradicted": 1,
    }  # fmt: skip


def test_what_the_user_wrote_wrongly_is_told_before_anything_is_read(release: Any) -> None:
    wrong = {"question": "Which?", "choices": ["a"], "answer": 1}
    told = fault_of(release("medqa", {"x/test.jsonl": [wrong]}, folder=False))
    assert told == ": test.jsonl has no field 'options' for `task: medqa`; it has question, choices, answer"
    assert fault_of(release("medqa", {"y/test.jsonl": [ITEM]}, fields={"question": "q"})).startswith(
        ".fields.question: no such field can be named: medqa needs none"
    )
    assert "nothing in " in fault_of(release("liveqa", {"z/test.jsonl": [ITEM]}))
    assert "that `task: liveqa` takes: `TestDataset/" in fault_of(release("liveqa", {"z/a.jsonl": []}, folder=False))


def test_a_folder_without_the_wanted_split_is_told(release: Any) -> None:
    told = fault_of(release("medqa", {"train.jsonl": [ITEM]}))
    assert ".splits: " in told and told.endswith("has train alone, and test, dev are read")
    assert fault_of(release("medqa", {"train.jsonl": [ITEM]}, splits=("train",))) == ""


def test_one_bad_record_does_not_condemn_a_file(release: Any) -> None:
    assert fault_of(release("medqa", {"test.jsonl": ["no object", {"other": 1}, ITEM]}, folder=False)) == ""
