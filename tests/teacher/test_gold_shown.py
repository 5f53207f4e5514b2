"""The built-in teacher where the right answer is shown, and on the items of an exam."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.prompts import Prompt

PASSAGE = (
    "The cause of gout is urate crystals. Silicosis is caused by inhaled quartz dust. Gout is treated with naproxen."
)
PROSE = (
    "Aldosterone is secreted by the adrenal cortex in response to low blood pressure. "
    "Cachexia is the loss of body mass that cannot be reversed by feeding alone."
)
OPTIONS = ["inhaled quartz dust", "urate crystals", "a virus", "iron"]
SLOTS: dict[str, Any] = {
    "stem": "What is the usual cause of gout?", "options": OPTIONS, "keys": list("ABCD"), "right": ["urate crystals"],
    "passage": PASSAGE,
}  # fmt: skip
TERM = {"stem": "What is the term for the loss of body mass that cannot be reversed by feeding alone?",
        "options": ["Cachexia", "Anorexia", "Aldosterone", "Gout"], "right": ["Cachexia"], "passage": PROSE,
}  # fmt: skip
WRONG = [{"right": ["iron"]}, {"right": ["urate crystals", "iron"]}, {"passage": "Gout is a disease of kings."}]


def test_an_analysis_says_the_fact_twice_and_what_follows() -> None:
    reply = answer("general_rationale", SLOTS)
    fact, again, so = reply["rationale"].rstrip(".").split(". ")
    assert reply["answer"] == "urate crystals" and fact == "The cause of gout is urate crystals"
    assert again != fact and all("urate crystals" in text for text in (again, so))
    assert not any(other in reply["rationale"] for other in ("quartz", "virus", "iron"))


def test_of_each_option_it_is_said_what_the_passage_tells() -> None:
    told = answer("optionwise_rationale", SLOTS)["options"]
    assert [(one["option"], one["verdict"]) for one in told] == list(
        zip("ABCD", ["FALSE", "TRUE", "FALSE", "FALSE"], strict=True)
    )
    assert told[0]["why"] == "The cause of silicosis is inhaled quartz dust."
    assert told[1]["why"] == "The cause of gout is urate crystals."
    assert all("gout" in one["why"] and "stated" in one["why"] for one in told[2:])


def test_ordinary_prose_is_answered_too() -> None:
    slots = SLOTS | TERM
    assert answer("general_rationale", slots)["rationale"].startswith("Cachexia is ")
    told = answer("optionwise_rationale", slots)["options"]
    assert [one["verdict"] for one in told] == ["TRUE", "FALSE", "FALSE", "FALSE"]
    assert "adrenal cortex" in told[2]["why"] and "not" in told[1]["why"]


@pytest.mark.parametrize("change", WRONG, ids=["another key", "two keys", "no proof"])
def test_what_the_passage_does_not_prove_is_left_empty(change: dict[str, Any]) -> None:
    assert answer("general_rationale", SLOTS | change) == {"rationale": "", "answer": ""}
    assert answer("optionwise_rationale", SLOTS | change) == {"options": []}


def test_an_exams_item_is_answered_from_the_passage_that_decides_it_or_not_at_all() -> None:
    slots = {"stem": SLOTS["stem"], "options": OPTIONS, "passages": [PROSE, PASSAGE]}
    assert answer("exam_rationale", slots)["answer"] == "urate crystals"
    assert answer("exam_rationale", slots | {"passages": [PROSE]}) == {"rationale": "", "answer": ""}
    assert answer("exam_rationale", slots | {"passages": []}) == {"rationale": "", "answer": ""}


def test_the_replies_have_the_prompts_form(prompts: dict[str, Prompt]) -> None:
    for name, change in (("general_rationale", {}), ("optionwise_rationale", {}), ("exam_rationale", {"passages": []})):
        for slots in (SLOTS | change, SLOTS | change | {"passage": ""}):
            prompt = prompts[name]
            assert prompt.id == name and prompt.render({"lettered": "", "passages": [], **slots})
            assert prompt.schema is not None
            Draft202012Validator(prompt.schema).validate(answer(name, {"passages": [], **slots}))
