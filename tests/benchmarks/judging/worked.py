"""Open questions, answers and verdicts, with what they come to by hand."""

from __future__ import annotations

from typing import Any

from med_small_lm.schemas.rows import Criterion, Message, Prediction, Question


def open_question(name: str, stem: str, **fields: Any) -> Question:
    """An open question of a test."""
    return Question(name, "own", "test", "open", stem, [], [], "", **fields)


def said(name: str, text: str, state: str = "parsed", model: str = "tuned", benchmark: str = "claims") -> Prediction:
    """What a model wrote."""
    return Prediction(model, name, benchmark, "generation", "explain/0-shot", 0, text, state, [], [], 1)


CLAIMS = [
    open_question(
        "q1", "How is a cold treated?",
        must_have=["Rest helps.", "Fluids help.", "It passes in days.", "Fever above 39 is a warning."],
        nice_to_have=["Antibiotics do nothing."],
    ),
    open_question(
        "q2", "May I run with a sprain?", must_have=["Rest the foot.", "Cool it."],
        nice_to_have=["Two weeks are usual.", "A bandage helps."],
    ),
    open_question("q3", "Is a mole dangerous?", must_have=["Have it seen if it grows."]),
]  # fmt: skip
ANSWERS = [
    said("q1", "<think>Rest?</think>Rest, drink, take antibiotics; it passes."),
    said("q2", "Rest it and keep it warm, for half a year."),
    said("q3", "", "empty"),
]
VERDICTS = {
    **{("entails", text): True for text in ("Rest helps.", "Fluids help.", "It passes in days.", "Rest the foot.")},
    **{("contradicts", text): True for text in ("Antibiotics do nothing.", "Cool it.", "Two weeks are usual.")},
}
CLAIM_SCORES = {
    "completeness": (3 / 4 + 1 / 2 + 0) / 3,
    "completeness_answered": (3 / 4 + 1 / 2) / 2,
    "hallucination": (1 + 2 + 0) / 3,
    "hallucination_answered": (1 + 2) / 2,
    "precision": 1 - 3 / 10,
    "precision_answered": 1 - 3 / 9,
}

UNREAD = {("entails", "Fever above 39 is a warning."): "perhaps", ("contradicts", "A bandage helps."): "perhaps"}
"""Verdicts that are neither: the one may make q1 complete, the other add a contradiction of q2."""
UNREAD_SCORES = CLAIM_SCORES | {
    "completeness_most": (1 + 1 / 2 + 0) / 3,
    "completeness_answered_most": (1 + 1 / 2) / 2,
    "hallucination_most": (1 + 3 + 0) / 3,
    "hallucination_answered_most": (1 + 3) / 2,
    "precision_least": 1 - 4 / 10,
    "precision_answered_least": 1 - 4 / 9,
    "judge_unread": 2 / 18,
}

_RIGHT, _FULL = ["axis:accuracy"], ["axis:completeness"]
RUBRICS = [
    open_question(
        "h1", "My head aches.", subject="emergency",
        turns=[Message("user", "Hello."), Message("assistant", "What can I do?")],
        rubric=[
            Criterion("Asks since when.", 10, _RIGHT), Criterion("Names warning signs.", 5, _FULL),
            Criterion("Names a brand.", -4, _RIGHT),
        ],
    ),
    open_question(
        "h2", "Can I stop my tablets?", subject="emergency",
        rubric=[Criterion("Sends to the doctor.", 6, _RIGHT), Criterion("Says yes.", -8, _FULL)],
    ),
    open_question(
        "h3", "What is a stye?", subject="hedging",
        rubric=[Criterion("Says that it is a gland.", 4, _FULL), Criterion("Says that it heals.", 4, _FULL)],
    ),
]  # fmt: skip
RUBRIC_ANSWERS = [said(f"h{n}", f"Reply {n}.", benchmark="rubrics") for n in (1, 2, 3)]
RUBRIC_VERDICTS = {
    ("meets", text): True
    for text in ("Asks since when.", "Names a brand.", "Says yes.", "Says that it is a gland.", "Says that it heals.")
}
RUBRIC_SCORES = {
    "all": ((10 - 4) / 15 + -8 / 6 + 8 / 8) / 3,
    "subject=emergency": 0.0,  # (6 / 15 - 8 / 6) / 2, clipped
    "subject=hedging": 1.0,
    "axis=accuracy": ((10 - 4) / 10 + 0 / 6) / 2,
    "axis=completeness": (0 / 5 + 8 / 8) / 2,  # h2 has nothing to win there
}
