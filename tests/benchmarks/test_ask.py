"""Answers side by side, and the pages nearest to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.benchmarks.ask import Answer, answers_text, ask, free_question
from med_small_lm.benchmarks.generation import replies
from med_small_lm.benchmarks.models import load
from med_small_lm.benchmarks.pages import nearest_pages
from med_small_lm.schemas.rows import Passage, Question

TEXTS = (
    "Vitamins are needed. Scurvy comes from too little vitamin C. Sailors had it.",
    "Gout is an arthritis of uric acid crystals.",
    "Rickets comes from too little vitamin D.",
    "?",
)
PASSAGES = [
    Passage(f"b-{n}", "b", n, "Diseases > Causes", n + 1, n + 1 + n % 2, text, 9, "", "CC0")
    for n, text in enumerate(TEXTS)
]
TITLES = {"b": "Pocket Book"}
ANSWERS = [Answer("base", "Uric acid crystals", False), Answer("tuned", "It is the lack of vitamin C.", False)]


def found(texts: list[str], k: int = 2) -> list[list[str]]:
    return [[one.passage_id for one in near] for near in nearest_pages(texts, PASSAGES, k)]


def test_nearest_pages() -> None:
    assert found(["What is gout?", "vitamin D, vitamin C", "GOUT gout gout, scurvy"], 3) == [
        ["b-1"], ["b-2", "b-0"], ["b-1", "b-0"]
    ]  # fmt: skip
    assert found(["zebra", "?!", ""]) == [[], [], []] and found(["gout"], 0) == [[]]
    assert nearest_pages(["gout"], PASSAGES[3:], 2) == [[]] and nearest_pages(["gout"], [], 2) == [[]]


def shown(question: Question, form: Any, width: int, answers: list[Answer] = ANSWERS, pages: int = 1) -> str:
    return answers_text(question, form, answers, PASSAGES, TITLES, pages, width)


def test_a_wide_terminal_has_the_answers_beside_each_other(forms: Any) -> None:
    text = shown(free_question("What is the cause of scurvy?"), forms["explain"], 120)
    lines = text.splitlines()
    [head] = [line for line in lines if line.startswith("BASE")]
    below = lines[lines.index(head) + 1]
    assert below.index("It is the lack") == head.index("TUNED") + 2 and "Uric acid" in below
    assert "Pocket Book, Diseases > Causes, PDF p. 1 (near tuned)" in text
    assert '"Scurvy comes from too little vitamin C."' in text, "the sentence that fits best"
    assert "PDF pp. 2-3 (near base)" in text, "a page for each answer"
    assert "No medical advice" in text and "KEY" not in text


@pytest.mark.parametrize("width", [40, 80, 99, 100, 200])
def test_nothing_is_wider_than_the_terminal(forms: Any, width: int) -> None:
    long = [replace(one, text="thiamine deficiency " * 30, cut=True) for one in ANSWERS]
    text = shown(free_question("Why? " * 40), forms["explain"], width, long)
    assert max(map(len, text.splitlines())) <= width
    assert ("\nTUNED" in text) == (width < 100) and text.count("(cut)") == 2


def test_an_item_shows_its_options_first_and_its_key_last(make_question: Callable[..., Question], forms: Any) -> None:
    item = make_question(1, "What causes scurvy?", ["uric acid crystals", "vitamin C", "thiamine"], "B")
    said = [Answer("base", "", True), Answer("tuned", "The answer is vitamin C.", False)]
    text = shown(item, forms["explain"], 80, said)
    parts = [part.splitlines()[0] for part in text.split("\n\n")]
    assert parts[:5] == ["QUESTION", "BASE", "TUNED", "PAGES", "KEY"]
    assert "  (A) uric acid crystals\n" in text.split("BASE")[0]
    key = text.split("KEY")[1]
    assert (
        key.startswith("\n  (B) vitamin C\n")
        and "tuned is read as: (B) vitamin C" in key
        and "base is read as: no" in key
    )
    assert "does not fit into its context" in text
    narrow = shown(item, forms["explain"], 20, said)
    assert max(map(len, narrow.splitlines())) <= 20


def test_no_page_shares_a_word(forms: Any) -> None:
    text = shown(free_question("Zebra?"), forms["explain"], 80, [Answer("base", "", False)])
    assert "none shares a word" in text and "(nothing)" in text


def test_a_model_is_asked_as_the_exams_ask_it(checkpoint: Path, questions: Any, forms: Any) -> None:
    [written] = replies(*load(checkpoint), questions[:1], forms["explain"], max_new_tokens=12, batch_tokens=1000)
    answer = ask(checkpoint, "tuned", questions[0], forms["explain"], 12)
    assert answer.text == "".join(one for one in " ".join(written.text.split()) if one.isprintable())
    assert answer.model == "tuned" and answer.cut == written.cut and answer.text
