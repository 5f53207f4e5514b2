"""The teacher as a judge: what it is asked, of which questions, and what its replies come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from med_small_lm.schemas.rows import Option, Passage, Question, Quote
from med_small_lm.synthesis.asked import is_drawn
from med_small_lm.synthesis.gates.judging import (
    ANSWERABLE,
    OBVIOUS,
    ONE_RIGHT,
    SUPPORT,
    Judge,
    judge_requests,
    judged,
)
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

PASSAGE = Passage("b-1", "b", 0, "C > S", 1, 1, "Scurvy is due to a lack of vitamin C.", 9, "", "CC-BY-4.0")
OPTIONS = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "iron", "zinc"], strict=True)]
QUESTION = Question(
    "q-1", "b", "train", "single", "Which deficiency causes scurvy?", OPTIONS, ["A"], "vitamin C",
    quotes=[Quote("A", PASSAGE.text, "", "b-1")], passage_ids=["b-1"], licence="CC-BY-4.0",
)  # fmt: skip
LISTED = {"stem", "options", "passage"}


@pytest.mark.parametrize(
    ("judge", "name", "slots"),
    [
        (SUPPORT, "support", {"quote", "answer", "stem"}), (ONE_RIGHT, "one_right", LISTED),
        (ANSWERABLE, "answerable", LISTED), (OBVIOUS, "obvious", {"stem", "options"}),
    ],
)  # fmt: skip
def test_each_judge_fills_its_prompt_and_the_key_is_shown_to_the_support_judge_alone(
    judge: Judge, name: str, slots: set[str], prompts: dict[str, Prompt]
) -> None:
    (asked,) = judge_requests(judge, [QUESTION], [PASSAGE], prompts[name])
    assert set(asked.request.slots) == slots and asked.question is QUESTION and asked.passage is PASSAGE
    assert builtin.answer(name, asked.request.slots).keys() == prompts[name].schema["properties"].keys()  # type: ignore[index]


@pytest.mark.parametrize(
    ("judge", "name", "said", "passes"),
    [
        (SUPPORT, "support", {"supported": True, "why": ""}, True),
        (SUPPORT, "support", {"supported": False, "why": "no"}, False),
        (SUPPORT, "support", {}, False),
        (ONE_RIGHT, "one_right", {"right": ["vitamin C"], "why": ""}, True),
        (ONE_RIGHT, "one_right", {"right": ["Vitamin C.", "zinc"], "why": "both"}, False),
        (ONE_RIGHT, "one_right", {"right": ["zinc"], "why": "it is"}, False),
        (ONE_RIGHT, "one_right", {"right": [], "why": "none"}, False),
        (ONE_RIGHT, "one_right", {"right": "vitamin C"}, False),
        (ONE_RIGHT, "one_right", {"right": ["vitamin C", "also copper"]}, False),
        (ANSWERABLE, "answerable", {"answer": "vitamin C"}, True),
        (ANSWERABLE, "answerable", {"answer": "iron"}, False),
        (ANSWERABLE, "answerable", {"answer": ""}, False),
        (OBVIOUS, "obvious", {"answer": "", "why": ""}, True),
        (OBVIOUS, "obvious", {"answer": "iron", "why": "it repeats"}, True),
        (OBVIOUS, "obvious", {"answer": "vitamin C", "why": "it repeats"}, False),
        (OBVIOUS, "obvious", {"why": ""}, False),
    ],
)
def test_what_a_reply_says_is_a_verdict(
    judge: Judge, name: str, said: dict[str, Any], passes: bool, prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    asked = judge_requests(judge, [QUESTION], [PASSAGE], prompts[name])
    kept, rejected = judged(judge, [QUESTION], asked, [reply(said)])
    (verdict,) = (kept or rejected)[0].gates
    assert bool(kept) == passes == (verdict.verdict == "pass") and verdict.gate == judge.gate
    assert passes == (not verdict.reason)


def test_the_majority_decides_and_a_failed_call_speaks_for_nothing(
    prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    asked = judge_requests(ONE_RIGHT, [QUESTION], [PASSAGE], prompts["one_right"], votes=3)
    assert [one.request.sample for one in asked] == [0, 1, 2]
    yes, no, down = reply({"right": ["vitamin C"]}), reply({"right": []}), reply(None, "error", "down")
    for said, value in (([yes, no, yes], 2 / 3), ([yes, down, yes], 2 / 3), ([yes, yes, yes], 1.0)):
        kept, _ = judged(ONE_RIGHT, [QUESTION], asked, said)
        assert kept[0].gates[-1].value == value
    for said in ([no, no, yes], [down, no, yes], [down, down, yes]):
        _, rejected = judged(ONE_RIGHT, [QUESTION], asked, said)
        assert rejected[0].gates[-1].reason
    _, rejected = judged(ONE_RIGHT, [QUESTION], asked, [down] * 3)
    assert rejected[0].gates[-1].reason == "error: down"


def test_a_share_is_drawn_by_id_and_the_others_say_that_they_were_not(prompts: dict[str, Prompt]) -> None:
    many = [replace(QUESTION, question_id=f"q-{n}") for n in range(400)]
    drawn = {one.question_id for one in many if is_drawn(one.question_id, 0.25)}
    assert 70 < len(drawn) < 130 and drawn < {one.question_id for one in many if is_drawn(one.question_id, 0.5)}
    asked = judge_requests(ANSWERABLE, many, [PASSAGE], prompts["answerable"], share=0.25)
    assert {one.question.question_id for one in asked if one.question} == drawn
    kept, rejected = judged(ANSWERABLE, many, [], [], share=0.0)
    assert not rejected and {(one.gates[-1].verdict, one.gates[-1].reason) for one in kept} == {("skip", "not drawn")}
    other = replace(QUESTION, kind="open")
    kept, _ = judged(ANSWERABLE, [other], judge_requests(ANSWERABLE, [other], [PASSAGE], prompts["answerable"]), [])
    assert kept[0].gates[-1].reason == "not asked of kind open"


def test_the_rules_see_a_second_right_option_and_a_repeated_word() -> None:
    passage = "Nurblitis is caused by frost. Nurblitis is caused by smoke."
    slots = {"stem": "What causes nurblitis?", "options": ["frost", "smoke", "iron", "zinc"]}
    said = builtin.answer("one_right", {**slots, "passage": passage})["right"]
    assert set(said) == {"frost", "smoke"}
    assert builtin.answer("one_right", {**slots, "passage": passage.split(". ")[0]})["right"] == ["frost"]
    assert builtin.answer("one_right", {**slots, "passage": "Rickets is a disease."})["right"] == []
    told = {"stem": "Which test measures creatinine clearance?", "options": ["creatinine test", "ECG", "EEG", "MRI"]}
    assert builtin.answer("obvious", told)["answer"] == "creatinine test"
    assert builtin.answer("obvious", slots) == {"answer": "", "why": ""}
