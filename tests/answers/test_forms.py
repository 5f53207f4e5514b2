"""Propositions are questions of their own, and a case shows what came before, the oldest left out first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from med_small_lm.answers.forms import Form, PropositionForm, forms_of, proposition_form
from med_small_lm.params.answers import AnswerForm, Answers, PropositionParams
from med_small_lm.schemas.rows import Message, Option, Question

ASKED = AnswerForm(instruction="", options="hidden", ending="The answer is", letters=False)
FORM = proposition_form(PropositionParams(instruction="Judge.", lead="Statement:", words_max=100))


def case(n: int) -> list[Question]:
    return [
        Question(f"c-{rank}", "book", "train", "progressive", f"Question {rank}?",
                 [Option("A", f"Right {rank}."), Option("B", f"Wrong {rank}")], ["A"], "", "c", rank,
                 context="Vignette.")
        for rank in range(1, n + 1)
    ]  # fmt: skip


def test_a_proposition_is_asked_as_any_question() -> None:
    right, wrong = FORM.propositions(case(1)[0])
    assert FORM.messages(right) == [
        Message("system", "Judge."), Message("user", "Vignette. Question 1? Statement: Right 1."),
    ]  # fmt: skip
    assert [(one.question_id, one.answer_keys, one.answer_text) for one in (right, wrong)] == [
        ("c-1-A", ["T"], "True"), ("c-1-B", ["F"], "False"),
    ]  # fmt: skip
    assert [FORM.reply(option) for option in right.options] == ["True.", "False."]


def test_earlier_questions_stand_between_vignette_and_stem() -> None:
    first, second, third = case(3)
    one, _ = FORM.propositions(third, [first, second])
    assert FORM.messages(one)[-1].content == (
        "Vignette. Question 1? Right 1. True. Wrong 1. False. Question 2? Right 2. True. Wrong 2. False. "
        "Question 3? Statement: Right 3."
    )


@given(st.integers(1, 60), st.integers(1, 6))
def test_the_oldest_go_first_and_the_vignette_never(words_max: int, n: int) -> None:
    form = proposition_form(PropositionParams(words_max=words_max))
    *earlier, last = case(n)
    shown = form.shown(last, last.options[0], earlier)
    assert shown == earlier[len(earlier) - len(shown) :]
    for one, option in zip(form.propositions(last, earlier), last.options, strict=True):
        prompt = form.messages(one)[-1].content
        assert prompt.startswith("Vignette.") and prompt.endswith(option.text)
        assert len(prompt.split()) <= words_max or not form.shown(last, option, earlier)
    if len(shown) < len(earlier):  # one more would not fit
        more = len(form.messages(form.propositions(last, earlier)[0])[-1].content.split()) + 8
        assert more > words_max


@pytest.mark.parametrize(
    ("ending", "letter"),
    [("The answer is", "The answer is (C"), ("OPTION {key} IS CORRECT", "OPTION C"), ("{key}: {text}", "C"),
     ("The answer is {text}.", "The answer is C"), ("It is {text} ({key})", "It is C")],
)  # fmt: skip
def test_a_letter_stands_where_the_sentence_first_names_the_option(ending: str, letter: str) -> None:
    assert Form("direct", "", "listed", ending, letters=True).letter(Option("C", "incus")) == letter


def test_the_forms_by_name() -> None:
    forms = forms_of(Answers(direct=ASKED, explain=ASKED))
    assert list(forms) == ["direct", "explain", "proposition"] and isinstance(forms["proposition"], PropositionForm)
    assert forms["direct"].answer(Option("A", "lack")) == "The answer is lack."
    with pytest.raises(ValidationError, match="different words"):
        PropositionParams(right="Yes", wrong="yes")
