"""The built-in teacher on ordinary prose: what it asks, and that no wrong option is right as well."""

from __future__ import annotations

from typing import Any

import pytest

from med_small_lm.teacher.builtin import answer
from med_small_lm.teacher.builtin.directions import directions
from med_small_lm.teacher.builtin.facts import facts_of
from med_small_lm.teacher.builtin.kinds import forms_of
from med_small_lm.teacher.builtin.numbers import wrong_values
from med_small_lm.teacher.builtin.sentences import sentences
from med_small_lm.teacher.builtin.terms import is_plural

HORMONES = [
    "Cortisol is a hormone that the adrenal cortex makes under stress. Insulin is a hormone that lowers blood glucose. "
    "Glucagon is a hormone that frees glucose from the liver. Leptin and ghrelin govern appetite.",
    "The vasopressin level falls when water is drunk. The spleen and the pancreas lie behind the stomach.",
]
SIGNS = ["Early signs are fatigue, headache, dizziness, and insomnia. Later come fever, anemia, edema, and jaundice."]


def ask(passage: str, *related: str) -> list[dict[str, Any]]:
    slots = {"passage": passage, "related": related, "exemplars": [], "n": 12, "seed": 0}
    questions: list[dict[str, Any]] = answer("question", slots)["questions"]
    return questions


def right(question: dict[str, Any]) -> str:
    return str(question["options"][question["answer"]])


def wrong(question: dict[str, Any]) -> set[str]:
    return {option.lower() for place, option in enumerate(question["options"]) if place != question["answer"]}


def test_wrong_options_are_of_the_sort_of_the_right_one() -> None:
    passage = "Aldosterone is a hormone that makes the kidney keep sodium and lose potassium."
    asked = next(q for q in ask(passage, *HORMONES) if right(q) == "Aldosterone")
    assert wrong(asked) <= {"cortisol", "insulin", "glucagon", "leptin", "ghrelin", "vasopressin"}


def test_what_another_sentence_makes_right_is_no_wrong_option() -> None:
    passage = "Aldosterone is a hormone that makes the kidney keep sodium and lose potassium."
    also = "Like it, cortisol makes the kidney keep sodium and lose potassium."
    asked = next(q for q in ask(passage, also, *HORMONES) if right(q) == "Aldosterone")
    assert "cortisol" not in wrong(asked)


def test_a_definition_is_asked_from_both_sides() -> None:
    passage = "Aldosterone is a hormone that makes the kidney keep sodium and lose potassium."
    others = [
        "Dyspnea is a feeling of breathing hard. Sarcopenia means the loss of muscle that comes with age. "
        "Cortisol is the main product of the adrenal gland under stress."
    ]
    stems = {question["stem"]: right(question) for question in ask(passage, *HORMONES, *others)}
    assert stems["Which of the following describes aldosterone?"].startswith("A hormone that makes the kidney")
    assert len(stems) == 2


def test_a_list_is_asked_as_a_list_beside_lists_that_share_nothing_with_it() -> None:
    passage = "Common adverse effects of orlistat include nausea, constipation, vomiting, and diarrhea."
    asked = ask(passage, *SIGNS)[0]
    assert asked["stem"] == "Which of the following are among the adverse effects of orlistat?"
    assert right(asked).startswith("Nausea") and all(" and " in option for option in asked["options"])
    assert not any(item in option for option in wrong(asked) for item in ("nausea", "constipation", "vomiting"))


def test_a_direction_is_asked_beside_its_opposite() -> None:
    asked = ask("Theophylline increases the renal excretion of lithium, so that less of it stays in the blood.")[0]
    assert right(asked) == "Increases the renal excretion of lithium"
    assert "decreases the renal excretion of lithium" in wrong(asked)


@pytest.mark.parametrize(
    "sentence",
    [
        "The diet consists of very low amounts of carbohydrates and higher amounts of fat.",
        "The nausea should go away after about 3 months of treatment with the tablets.",
        "Their highly anticholinergic properties can increase the risk of dementia in the old.",
        "Severe symptoms can result in diabetic ketoacidosis, coma, and death.",
        "Monitor for fluid excess, and report signs of it such as nausea, vomiting, and headache.",
    ],
)
def test_what_leans_on_its_neighbours_is_not_asked(sentence: str) -> None:
    assert ask(sentence, *SIGNS, *HORMONES) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Osmosis occurs ; water moves to the side where more salt is dissolved.",
        "Hemolysis occurs : the red cells burst and set hemoglobin free in the vessels.",
    ],
)
def test_a_statement_that_ends_with_its_verb_before_a_spaced_mark_stops_nothing(sentence: str) -> None:
    assert not [question for question in ask(sentence, *HORMONES) if right(question) in ("Osmosis", "Hemolysis")]


def test_a_heading_is_no_part_of_the_next_sentence() -> None:
    assert sentences("Antacids\nAntacids neutralize acid. They work fast.")[:2] == (
        "Antacids",
        "Antacids neutralize acid.",
    )


def test_prose_is_not_read_as_statements_of_relations() -> None:
    stated = "Gout is caused by urate crystals. Gout is treated with naproxen."
    prose = f"{stated} It was a long day. Nobody came. The river rose again. It rained."
    assert len(facts_of(stated)) == 2 and facts_of(prose) == ()


def test_wrong_ranges_do_not_overlap_the_right_one() -> None:
    for value in wrong_values("5–10 days"):
        low, high = (int(part) for part in value.split()[0].split("–"))
        assert high < 5 or low > 10


def test_forms_tell_sorts() -> None:
    assert "condition" in forms_of("hyperkalemia") and "drug" in forms_of("metoprolol")
    assert forms_of("renal artery") == {"structure", "head artery"}
    assert is_plural("loop diuretics") and not is_plural("pharmacokinetics")


def test_a_direction_needs_a_verb_that_agrees() -> None:
    assert [turn.answer for turn in directions("Loop diuretics increase urinary output")] == ["increase urinary output"]
    assert not list(directions("Dose increase the risk of falls"))
