"""Requests for rationales, and the answers that are read from replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.schemas.rows import Message, Option, Passage, Question, Quote
from med_small_lm.synthesis.rationales import keys_of, rationale_requests, rationales_from
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, "Scurvy is due to a lack of vitamin C.", 9, "", "CC-BY-4.0")
OPTIONS = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "B. cells", "zinc"], strict=True)]
QUESTION = Question(
    "q-1", "b", "train", "single", "Which deficiency causes scurvy?", OPTIONS, ["A"], "vitamin C",
    quotes=[Quote("A", PASSAGE.text, "", "b-1")], passage_ids=["b-1"], licence="CC-BY-4.0",
)  # fmt: skip
TOLD = {"rationale": "Scurvy follows a lack of vitamin C.", "answer": "vitamin C"}


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        ("vitamin C", ["A"]), ("Vitamin-C.", ["A"]), ("A. vitamin C", ["A"]), ("(A) vitamin C", ["A"]),
        ("B) vitamin C", ["A", "B"]), ("B. cells", ["C"]), ("A", []), ("vitamin", []), ("", []), ("vitamin D", []),
        ("Answer: vitamin C", ["A"]), ("The answer is (A) vitamin C.", ["A"]), ("Answer", []), ("Answer: zinc", ["D"]),
        ("vitamin C or vitamin A", ["A", "B"]), ("A and B", []), ("I cannot answer", []), ("vitamin C, of course", []),
    ],
)  # fmt: skip
def test_an_answer_names_the_option_whose_text_it_says(answer: str, keys: list[str]) -> None:
    assert keys_of(answer, OPTIONS) == keys


def test_the_right_answer_is_hidden_and_samples_are_calls_of_their_own(prompts: dict[str, Prompt]) -> None:
    asked = rationale_requests([QUESTION], [PASSAGE], prompts["rationale"], SynthesizeCot(samples=3))
    assert [one.request.sample for one in asked] == [0, 1, 2]
    assert set(asked[0].request.slots) == {"stem", "options", "lettered", "passage"}
    assert asked[0].question is QUESTION and asked[0].passage is PASSAGE


def test_replies_become_rationales_or_rejected_records(prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> None:
    asked = rationale_requests([QUESTION], [PASSAGE], prompts["rationale"], SynthesizeCot(samples=5))
    bad = [reply(None, "length", "too long"), reply({"answer": "zinc"}), reply({"rationale": 3})]
    found, rejected = rationales_from(asked, [reply(TOLD), reply(TOLD), *bad])
    assert len(found) == 1 and len(rejected) == 4
    assert found[0].answer_keys == ["A"] and found[0].passage_ids == ["b-1"] and found[0].licence == "CC-BY-4.0"
    assert found[0].rationale_id.startswith("r-") and found[0].question_id == "q-1"
    reasons = [one.gates[0].reason for one in rejected]
    assert reasons[0].startswith("the same rationale") and reasons[1] == "length: too long"


TEXT_PROMPT = Prompt("rationale", "1", (Message("user", "{passage} {stem} {lettered}"),))


@pytest.mark.parametrize(
    ("content", "keys", "fault"),
    [
        ("Scurvy lacks vitamin C. Therefore, the answer is (A) vitamin C.", ["A"], ""),
        ("Scurvy lacks it.\nThe answer is (D) zinc", ["D"], ""),
        ("Scurvy lacks vitamin C.\n\n**Therefore, the answer is (A) vitamin C.**", ["A"], ""),
        ("Scurvy lacks vitamin C. The answer is **(A): vitamin C**.", ["A"], ""),
        ("Scurvy lacks vitamin C. The answer is (B) vitamin C.", ["A", "B"], ""),
        ("Scurvy lacks vitamin C. The answer is (A) vitamin C or (B) vitamin A.", [], "does not end"),
        ("Scurvy lacks vitamin C. Answer: A", ["A"], "does not end"),
        ("The answer is (A) vitamin C. But sailors ate limes.", ["A"], "does not end"),
        ("Scurvy lacks vitamin C. Answer", [], "does not end"),
        ("The answer is (A) vitamin C.", ["A"], "no rationale"),
    ],
)
def test_a_rationale_in_plain_text_ends_in_the_phrase(
    content: str, keys: list[str], fault: str, reply: Callable[..., Reply]
) -> None:
    asked = rationale_requests([QUESTION], [PASSAGE], TEXT_PROMPT, SynthesizeCot())
    found, rejected = rationales_from(asked, [replace(reply(), content=content)])
    (one,) = found or rejected
    assert one.answer_keys == keys or (fault and set(one.answer_keys) >= set(keys))
    assert bool(found) == (not fault) and (not fault or fault in one.gates[-1].reason)
    assert "answer is" not in one.text or fault


def test_a_plain_text_that_was_cut_is_none(reply: Callable[..., Reply]) -> None:
    asked = rationale_requests([QUESTION], [PASSAGE], TEXT_PROMPT, SynthesizeCot())
    cut = replace(reply(None, "length"), content="Scurvy lacks it. The answer is (A) vitamin C")
    assert rationales_from(asked, [cut])[1][0].gates[-1].reason == "length"
