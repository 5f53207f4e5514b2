"""Links from exam items to records and pages, and the account of one item."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from med_small_lm.benchmarks.lineage import link
from med_small_lm.benchmarks.trace import UnknownQuestion, nearest_sentence, trace
from med_small_lm.schemas.rows import (
    Conversation,
    KeyScore,
    Link,
    Message,
    Option,
    Passage,
    Place,
    Prediction,
    Question,
)


def passage(number: int, text: str, first: int = 3, last: int = 3) -> Passage:
    sha = "0" * 64
    return Passage(f"book-{number}", "neurology", number, "Drugs > Calming", first, last, text, 9, sha, "CC0")


def conversation(number: int, asked: str, said: str, passage_ids: list[str]) -> Conversation:
    turns = [Message("system", "Valproate, atonic seizures."), Message("user", asked), Message("assistant", said)]
    return Conversation(f"ex-{number}", "questions", "mcq", turns, [f"q-{number}"], f"q-{number}", passage_ids, "CC0")


PASSAGES = [
    passage(0, "The heart pumps blood. It has four chambers.", 1, 2),
    passage(1, "Some drugs calm. Valproate is given for atonic seizures. It may harm the liver.", 5, 5),
    passage(2, "Vitamin D keeps bones hard.", 8, 9),
]
CONVERSATIONS = [
    conversation(0, "What pumps blood?", "The answer is the heart.", ["book-0"]),
    conversation(1, "Which drug calms atonic seizures?", "The answer is valproate.", ["book-1", "book-2", "book-1"]),
    conversation(2, "Which drug treats atonic seizures? Valproate.", "Yes, valproate.", []),
    conversation(3, "Which drug treats it?", "The answer is aspirin.", ["book-0"]),
]


def test_nearest_examples_and_passages(questions: list[Question]) -> None:
    found = link(questions[:1], CONVERSATIONS, PASSAGES, k=2)
    assert [(entry.example_id, entry.passage_id) for entry in found] == [
        ("ex-1", "book-1"),
        ("ex-1", "book-2"),
        ("ex-3", "book-0"),
        ("", "book-1"),
    ]
    assert found[0] == Link("exam-0001", "ex-1", "book-1", "neurology", 5, 5, found[1].similarity)
    assert 1 >= found[0].similarity > found[2].similarity > 0


def test_the_right_answer_is_part_of_the_item(questions: list[Question]) -> None:
    found = link([questions[3]], [], [passage(0, "No word of it."), passage(1, "Rickets.")])
    assert [entry.passage_id for entry in found] == ["book-1"]


def test_nothing_to_link(questions: list[Question]) -> None:
    assert link([], CONVERSATIONS, PASSAGES) == [] and link(questions, [], []) == []
    assert link(questions[:1], [], [passage(0, "Zzz.")]) == []
    with pytest.raises(ValueError, match="k is 0"):
        link(questions, CONVERSATIONS, PASSAGES, k=0)
    with pytest.raises(ValueError, match="ex-9 was made from gone"):
        link(questions, [conversation(9, "a", "b", ["gone"])], PASSAGES)


def test_quick_enough_and_the_same_again() -> None:
    """A quarter of the default run's examples, with much room for a busy machine."""
    draw = random.Random(0)
    words = [f"word{number}" for number in range(3_000)]
    text = lambda count: " ".join(draw.choices(words, k=count))  # noqa: E731
    pages = [passage(number, text(120)) for number in range(500)]
    told = [conversation(n, text(30), text(30), [f"book-{n % 500}"]) for n in range(2_000)]
    items = [
        Question(f"q{n}", "exam", "test", "single", text(15), [Option("A", text(3))], ["A"], "") for n in range(440)
    ]
    begun = time.perf_counter()
    found = link(items, told, pages)
    assert time.perf_counter() - begun < 10
    assert len(found) > 440 * 5
    assert link(items[:20], told, pages)[0].example_id == found[0].example_id


def predictions() -> list[Prediction]:
    logprobs = [KeyScore("A", -9.25, 4), KeyScore("B", -7.5, 3)]
    asked = ("tuned", "exam-0001", "exam")
    return [
        Prediction(*asked, "likelihood", "option_text/0-shot", 0, "", "parsed", ["B"], logprobs, 7),
        Prediction(*asked, "generation", "explain/0-shot", 0, "It calms. So valproate", "repaired", ["A"], [], 5),
        Prediction("base", *asked[1:], "generation", "explain/0-shot", 0, "xx", "truncated", [], [], 64),
        Prediction("base", "exam-0002", "exam", "generation", "explain/0-shot", 0, "other", "empty", [], [], 64),
    ]


def test_trace_tells_item_answers_records_and_pages(questions: list[Question]) -> None:
    links = link(questions, CONVERSATIONS, PASSAGES, k=2)
    told = trace("exam-0001", questions, predictions(), links, CONVERSATIONS, PASSAGES)
    for part in (
        "ITEM exam-0001",
        "* (A) valproate",
        "tuned, likelihood option_text/0-shot: wrong: (B) aspirin",
        "A -9.25, B -7.50",
        "tuned, generation explain/0-shot: right: (A) valproate [repaired]",
        'wrote: "It calms. So valproate"',
        "base, generation explain/0-shot: wrong: no answer read (truncated)",
        "ex-1 (questions, mcq)",
        "Which drug calms atonic seizures? The answer is valproate.",
        "neurology, p. 5, Drugs > Calming (book-1; behind ex-1, near the item itself",
        '"Valproate is given for atonic seizures."',
        "neurology, pp. 8-9",
        "not proof",
    ):
        assert part in told
    assert "other" not in told
    assert max(map(len, told.splitlines())) < 130


def test_trace_names_the_other_books_that_hold_a_passage(questions: list[Question]) -> None:
    twins = [Place("physiology", 12, 12), Place("papers/a", 1, 2)]
    passages = [PASSAGES[0], replace(PASSAGES[1], also_in=twins), PASSAGES[2]]
    told = trace("exam-0001", questions, [], link(questions, CONVERSATIONS, passages, k=2), CONVERSATIONS, passages)
    lines = told.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("  neurology, p. 5"))
    assert lines[place + 1 : place + 3] == ["        also in physiology, p. 12", "        also in papers/a, pp. 1-2"]
    assert told.count("also in") == 2


def test_trace_without_answers_and_links(questions: list[Question]) -> None:
    told = trace("exam-0003", questions, [], [], [], [])
    assert told.count("none") >= 3 and "ITEM exam-0003" in told


def test_unknown_item_names_the_nearest(questions: list[Question]) -> None:
    with pytest.raises(UnknownQuestion, match="'exam-003'; the nearest are exam-0003"):
        trace("exam-003", questions, [], [], [], [])
    with pytest.raises(UnknownQuestion, match="there are no questions"):
        trace("x", [], [], [], [], [])


def test_nearest_sentence() -> None:
    assert nearest_sentence(PASSAGES[1].text, "valproate, seizures") == "Valproate is given for atonic seizures."
    assert nearest_sentence("", "x") == ""
