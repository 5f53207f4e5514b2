"""Each question becomes one example a form, with everything that it came from."""

from __future__ import annotations

import dataclasses

import pytest

from med_small_lm.answers.forms import Form, proposition_form
from med_small_lm.params.answers import PropositionParams
from med_small_lm.params.instruction_tune import ConversationParams
from med_small_lm.schemas.rows import Message, Option, Question, Rationale, Verdict
from med_small_lm.tuning.conversations import build_conversations

FAILED = [Verdict("duplicate", "fail", 1.0)]


def test_both_forms_of_a_question(
    questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> None:
    explain, direct = build_conversations(questions[:1], rationales, forms, ConversationParams(), 0)
    reply = "Scurvy is caused by lack of vitamin C. The answer is lack of vitamin C."
    assert explain.messages == [Message("system", "Explain."), Message("user", "What is the cause of scurvy?"),
                                Message("assistant", reply)]  # fmt: skip
    assert direct.messages[-1] == Message("assistant", "The answer is lack of vitamin C.")
    assert (explain.example_id, direct.example_id) == ("q-0-explain", "q-0-direct")
    assert explain.parent_ids == ["q-0", "why-q-0"] and direct.parent_ids == ["q-0"]
    assert explain.question_id == "q-0" and explain.passage_ids == ["book-0"] and explain.licence == "CC0"
    shown = [dataclasses.replace(rationales[0], licence="CC0 and own")]  # a passage of another licence was shown
    made = build_conversations(questions[:1], shown, forms, ConversationParams(), 0)
    assert [example.licence for example in made] == ["CC0 and own", "CC0"]


def test_only_what_passed_its_gates_and_has_one_right_option(
    questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> None:
    stopped = dataclasses.replace(questions[0], gates=FAILED)
    two_right = dataclasses.replace(questions[1], answer_keys=["A", "B"])
    without = [r for r in rationales if r.question_id != "q-2"]
    doubted = [dataclasses.replace(r, gates=FAILED if r.question_id == "q-3" else []) for r in without]
    made = build_conversations([stopped, two_right, *questions[2:5]], doubted, forms, ConversationParams(), 0)
    assert {example.question_id for example in made} == {"q-4"}


def test_forms_and_limit_are_parameters(
    questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> None:
    params = ConversationParams(forms=("direct",), questions_max=4)
    made = build_conversations(questions, rationales, forms, params, 3)
    assert made == build_conversations(questions, rationales, forms, params, 3)
    assert len(made) == 4 and {example.method for example in made} == {"direct"}
    order = [questions.index(next(q for q in questions if q.question_id == e.question_id)) for e in made]
    assert order == sorted(order)


def test_the_styles_that_are_trained_on_are_a_parameter(
    questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> None:
    """What was shown the answer is trained on only if it is asked for, and then in the order of the styles."""
    hidden = rationales[0]
    general = dataclasses.replace(hidden, rationale_id="general", method="gold_shown: general", text="As a whole.")
    by_option = dataclasses.replace(hidden, rationale_id="by option", method="gold_shown: optionwise", text="In parts.")
    only_shown = dataclasses.replace(general, rationale_id="other", question_id=questions[1].question_id)

    def parents(*styles: str) -> list[str]:
        params = ConversationParams(forms=("explain",), rationale_styles=styles)  # type: ignore[arg-type]
        given = [by_option, general, only_shown, hidden]
        return [one.parent_ids[1] for one in build_conversations(questions[:2], given, forms, params, 0)]

    assert parents("hidden") == [hidden.rationale_id]
    assert parents("general", "optionwise") == ["general", "other"]
    assert parents("optionwise", "hidden") == ["by option"]
    assert ConversationParams().rationale_styles == ("hidden",)


def in_cases(n: int) -> list[Question]:
    options = [Option("A", "Given fluids."), Option("B", "Sent home."), Option("C", "Given insulin.")]
    return [
        Question(f"case-{rank}", "book", "train", "progressive", f"What {rank}?", options, ["A", "C"], "", "case", rank,
                 context="A girl drinks.", passage_ids=["book-1"], licence="CC0")
        for rank in range(n, 0, -1)
    ]  # fmt: skip


def test_propositions_need_no_rationale_and_see_their_case(
    questions: list[Question], forms: dict[str, Form], caplog: pytest.LogCaptureFixture
) -> None:
    every = {**forms, "proposition": proposition_form(PropositionParams(words_max=29))}
    params = ConversationParams(forms=("direct", "proposition"))
    opened = dataclasses.replace(questions[1], kind="open", options=[])
    with caplog.at_level("INFO"):
        made = build_conversations([questions[0], opened, *in_cases(3)], [], every, params, 0)
    assert len(made) == 4 + 3 * 3 and {example.method for example in made} == {"proposition"}
    assert "propositions: 7 true, 6 false; 3 of 9 earlier questions of cases left out" in caplog.text
    replies = [example.messages[-1].content for example in made]
    assert replies == ["True.", "False.", "False.", "False.", *["True.", "False.", "True."] * 3]
    last = made[4]  # of the third question, whose first finds no room
    assert last.question_id == "case-3" and last.parent_ids == ["case-3", "case-1", "case-2"]
    assert last.messages[1].content == (
        "A girl drinks. What 2? Given fluids. True. Sent home. False. Given insulin. True. "
        "What 3? Statement: Given fluids."
    )
    assert len({example.example_id for example in made}) == len(made)
    elsewhere = [dataclasses.replace(one, passage_ids=[f"book-{one.rank}"]) for one in in_cases(2)]
    made = build_conversations(elsewhere, [], every, ConversationParams(forms=("proposition",)), 0)
    assert {tuple(one.passage_ids) for one in made} == {("book-1",), ("book-2", "book-1")}, "what is shown is a source"


def test_other_forms_are_as_without_propositions(
    questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]
) -> None:
    every = {**forms, "proposition": proposition_form(PropositionParams())}
    alone = build_conversations(questions, rationales, forms, ConversationParams(), 0)
    both = ConversationParams(forms=("explain", "direct", "proposition"))
    beside = build_conversations([*questions, *in_cases(2)], rationales, every, both, 0)
    assert [example for example in beside if example.method != "proposition"] == alone
    assert build_conversations([*questions, *in_cases(2)], rationales, every, ConversationParams(), 0) == alone
