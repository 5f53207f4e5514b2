"""A reply that is being written is closed by its closing sentence, by a whole option, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.closing import can_close, is_closed

HIDDEN = Form("explain", "", "hidden", "The answer is", False)
LISTED = replace(HIDDEN, options="listed", letters=True)
WHOLE = replace(LISTED, ending="OPTION {key} IS CORRECT")
PAIR = replace(LISTED, ending="{key}: {text}")
OPTIONS = ["left", "left sixth", "0", "0.5 mg", "left sixth. And more"]


@pytest.mark.parametrize(
    ("form", "text", "closed"),
    [
        (HIDDEN, "It turns. The answer is left.", True),
        (HIDDEN, "the ANSWER is  left.", True),
        (HIDDEN, "It turns left.", False),
        (HIDDEN, "The answer is left sixth.", False),  # "left sixth. And more" may follow
        (HIDDEN, "The answer is 0.", False),  # "0.5 mg"
        (HIDDEN, "The answer is 0.5 mg.", True),
        (HIDDEN, "The answer is 0.\n", True),
        (HIDDEN, "The answer is not known.", False),
        (HIDDEN, "The answer is not known.\n", False),
        (HIDDEN, "The answer is a matter of taste. Some say left.", False),
        (HIDDEN, "<think>The answer is left.", False),
        (HIDDEN, "<think>The answer is left.</think> It is. The answer is 0.5 mg.", True),
        (LISTED, "The answer is (A).", True),
        (LISTED, "The answer is (A) left.", True),
        (LISTED, "The answer is **(A) left**.", True),
        (LISTED, "The answer is A.", False),  # "A. left" may follow
        (LISTED, "The answer is A.\n", True),
        (LISTED, "The answer is (B) left.", False),
        (WHOLE, "Since it turns, OPTION A IS CORRECT.", True),
        (WHOLE, "OPTION A IS CORRECT\n", True),
        (WHOLE, "OPTION Z IS CORRECT.", False),
        (WHOLE, "Let us look.\nA: left\n", False),  # which lists, and answers nothing
        (WHOLE, "The options: (A) left.\n", False),
        (WHOLE, "left\n", False),
        (WHOLE, "A: left\nOPTION C IS CORRECT\n", True),
        (PAIR, "A: left.", False),
        (PAIR, "A: left\n", False),
        (replace(PAIR, name="direct"), "A: left.", True),
        (replace(PAIR, name="direct"), "A: left\n", True),
        (PAIR, "Z: left sixth.", False),
    ],
)
def test_closing(form: Form, text: str, closed: bool, make_question: Any) -> None:
    question = make_question(1, "Where?", OPTIONS)
    assert is_closed(text, question, form) is closed
    if closed:  # and whatever else is chatted, the same is read
        read = extract(text.rstrip(".\n"), question.options, form)
        assert read.state in ("parsed", "repaired")
        assert extract(f"{text} It is often seen in adults.", question.options, form) == extract(
            text, question.options, form
        )


def test_thinking_that_the_prompt_begins_is_no_answer(make_question: Any) -> None:
    question = make_question(1, "Where?", OPTIONS)
    for before in ("<assistant><think>", "[/INST][THINK]", "Go on.\n[THINK]"):
        assert not is_closed("The answer is left.", question, HIDDEN, before)
    assert is_closed("The answer is left.", question, HIDDEN, "What may one [think]?")
    assert is_closed("Hm.</think> The answer is left.", question, HIDDEN, "<assistant><think>")


def test_several_right_options_end_with_their_line(make_question: Any) -> None:
    several = replace(make_question(1, "Which?", ["one", "two", "three"]), kind="multi", answer_keys=["A", "B"])
    assert not is_closed("The answer is (A) one.", several, LISTED)
    assert is_closed("The answer is (A) one, (B) two.\n", several, LISTED)
    assert not is_closed("OPTION A IS CORRECT.\n", several, WHOLE)
    assert can_close(several) and not can_close(replace(several, kind="open"))
