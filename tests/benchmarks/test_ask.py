"""Answers side by side, and the pages nearest to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.answers.forms import proposition_form
from med_small_lm.benchmarks.ask import Answer, answers_text, ask, free_question
from med_small_lm.benchmarks.generation import Reply, replies
from med_small_lm.benchmarks.models import load
from med_small_lm.benchmarks.pages import nearest_pages
from med_small_lm.params.answers import PropositionParams
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
    assert "PAGES near the question and the answer of tuned\n  Pocket Book, Diseases > Causes, PDF p. 1\n" in text
    assert '"Scurvy comes from too little vitamin C."' in text, "the sentence that fits best"
    assert "PDF pp. 2-3" not in text, "what is near the answer beside it alone"
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
    assert [part.split()[0] for part in parts[:5]] == ["QUESTION", "BASE", "TUNED", "PAGES", "KEY"]
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


def test_no_pages_are_asked_for(forms: Any) -> None:
    text = shown(free_question("What is gout?"), forms["explain"], 80, pages=0)
    assert "PAGES" not in text and "shares a word" not in text and "BM25" not in text and "No medical advice" in text


def test_what_is_to_be_known_of_a_model_stands_at_its_answer(forms: Any) -> None:
    noted = [replace(ANSWERS[0], note="untrained: its weights are random"), ANSWERS[1]]
    assert "BASE (untrained: its weights are random)" in shown(free_question("Gout?"), forms["explain"], 120, noted)
    assert max(map(len, shown(free_question("Gout?"), forms["explain"], 20, noted).splitlines())) <= 20


@pytest.mark.parametrize(
    ("replies_", "holds", "read"),
    [
        (("True.", "False.", "true"), ("A", "C"), "(A) valproate, (C) vitamin D"),
        (("False.", "False.", "False."), (), "none"),
        (("True.", "noise", "False."), None, "no answer (not True or False to each)"),
    ],
)
def test_propositions_are_asked_one_by_one(
    make_question: Callable[..., Question], monkeypatch: Any, replies_: Any, holds: Any, read: str
) -> None:
    item, asked = make_question(1, "Which drug treats seizures?", ["valproate", "aspirin", "vitamin D"]), []

    def written(model: Any, tokenizer: Any, questions: list[Question], *_: Any, **__: Any) -> list[Reply]:
        asked.extend(one.stem for one in questions)
        return [Reply(text, 2, cut=False) for text in replies_]

    monkeypatch.setattr("med_small_lm.benchmarks.generation.replies", written)
    monkeypatch.setattr("med_small_lm.benchmarks.models.load", lambda _: (None, None))
    form = proposition_form(PropositionParams())
    answer = ask(Path(), "tuned", item, form, 8)
    assert asked[1] == "Which drug treats seizures? Statement: aspirin" and len(asked) == 3
    assert answer.text.startswith(f"(A) {replies_[0]} (B) ") and answer.holds == holds
    assert f"tuned is read as: {read}" in " ".join(shown(item, form, 200, [answer]).split())


def test_a_model_is_asked_as_the_exams_ask_it(checkpoint: Path, questions: Any, forms: Any) -> None:
    [written] = replies(*load(checkpoint), questions[:1], forms["explain"], max_new_tokens=12, batch_tokens=1000)
    answer = ask(checkpoint, "tuned", questions[0], forms["explain"], 12)
    assert answer.text == "".join(one for one in " ".join(written.text.split()) if one.isprintable())
    assert answer.model == "tuned" and answer.cut == written.cut and answer.text
