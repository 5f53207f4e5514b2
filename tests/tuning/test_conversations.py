"""Each question becomes one example a form, with everything that it came from."""

from __future__ import annotations

import dataclasses

from med_small_lm.answers.forms import Form
from med_small_lm.params.instruction_tune import ConversationParams
from med_small_lm.schemas.rows import Message, Question, Rationale, Verdict
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
