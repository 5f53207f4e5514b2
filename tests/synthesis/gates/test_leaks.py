"""Leaks of progressive cases: what gives an earlier answer away, and what only goes on with the story."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.synthesis.conftest import make_passage

from med_small_lm.schemas.rows import Option, Passage, Question
from med_small_lm.synthesis.gates.leaks import Leaks
from med_small_lm.synthesis.gates.word_forms import content, root

TEXTS = [
    "Acromegaly is caused by an adenoma of the pituitary gland. The patient with acromegaly has large hands.",
    "The kidney filters the blood. The blood pressure rises when the kidney retains water. The patient drinks water.",
    "Treatment of acromegaly begins with surgery. The patient is seen every year. The blood is examined for hormones.",
    *[
        f"The patient has a disease of the heart, the blood and the lung in ward {n}. The gland is large."
        for n in range(60)
    ],
]
PASSAGES: list[Passage] = [make_passage(text, ordinal=n) for n, text in enumerate(TEXTS)]
VIGNETTE = "A 44-year-old man with acromegaly comes to the clinic."
LEAKS = Leaks(PASSAGES)


def question(rank: int, stem: str, true: list[str], false: list[str], vignette: str = VIGNETTE) -> Question:
    options = [Option(key, text) for key, text in zip("ABCDE", [*true, *false], strict=False)]
    keys = [option.key for option in options[: len(true)]]
    return Question(f"c-{rank}", "b", "train", "progressive", stem, options, keys, "; ".join(true), "c", rank,
                    context=vignette, passage_ids=[PASSAGES[0].passage_id])  # fmt: skip


FIRST = question(
    1,
    "Which statements on the origin of acromegaly are correct?",
    ["It is usually caused by an adenoma of the pituitary gland."],
    ["It is usually caused by a virus of the parotid gland."],
)
LATER = question(
    2, "Which statements on the treatment are correct?", ["Surgery comes first."], ["Radiation comes first."]
)


def leaks(stem: str) -> list[int]:
    return [leak.answers for leak in LEAKS.of([FIRST, replace(LATER, stem=stem)])]


@pytest.mark.parametrize(
    "stem",
    [
        "It is caused by an adenoma of the pituitary gland. Which statements are correct?",
        "An adenomatous pituitary has been found. Which statements are correct?",
        "Of the pituitary an adenoma it was. Which statements are correct?",
        "They talk about pituitary disease. Which statements are correct?",
        "Given the confirmed adenoma, which statements on treatment are correct?",
        "A parotid virus has been ruled out. Which statements are correct?",
        "They know that it is no virus. Which statements are correct?",
    ],
)
def test_a_later_stem_that_says_the_answer_or_denies_a_wrong_one_is_a_leak(stem: str) -> None:
    assert leaks(stem) == [1]


@pytest.mark.parametrize(
    "stem",
    [
        "Two months later his blood pressure has risen to 150/95 mm Hg. Which statements on treatment are correct?",
        "A year later he has large hands and a disease of the heart. Which statements are correct?",
        "He asks about acromegaly again; its usual origin is known. Which statements are correct?",
        "His gland is examined, and he has caught a virus at work. Which statements are correct?",
    ],
)
def test_a_stem_that_goes_on_with_the_story_is_none(stem: str) -> None:
    assert leaks(stem) == []


def test_what_is_told_before_the_question_is_no_secret_and_what_stands_on_both_sides_decides_nothing() -> None:
    stem = "The adenoma is examined. Which statements are correct?"
    assert leaks(stem) == [1]
    known = replace(FIRST, stem="A pituitary adenoma is suspected. Which statements on its origin are correct?")
    assert LEAKS.of([known, replace(LATER, stem=stem)]) == []
    both = [*FIRST.options, Option("C", "An adenoma of the pituitary gland follows from it.")]
    assert LEAKS.of([replace(FIRST, options=both), replace(LATER, stem=stem)]) == []


def test_vignette_and_later_propositions_are_looked_at_and_leaks_two_questions_on() -> None:
    told = [replace(one, context=f"{VIGNETTE} The cause is a pituitary adenoma.") for one in (FIRST, LATER)]
    (leak,) = LEAKS.of(told)
    assert (leak.answers, leak.rank) == (1, 0) and "vignette" in leak.reason and "adenom" in leak.said
    because = "Because it is caused by an adenoma of the pituitary gland, surgery is done."
    options = [Option("A", because), *LATER.options[1:]]
    assert [leak.rank for leak in LEAKS.of([FIRST, replace(LATER, options=options)])] == [2]
    third = question(
        3, "The pituitary is scanned. Which statements are correct?", ["It is done yearly."], ["It is not."]
    )
    assert [(leak.answers, leak.rank) for leak in LEAKS.of([FIRST, LATER, third])] == [(1, 3)]


def test_words_are_compared_by_root_synonym_and_with_their_unit() -> None:
    assert root("inhibits") == root("inhibitor") == root("blocks") and root("renal") == root("kidneys")
    assert root("haemorrhage") == root("hemorrhages") and root("pituitary") != root("parotid")
    assert content("12 mg of the drug") == ["12mg", root("mg"), root("drug")]
