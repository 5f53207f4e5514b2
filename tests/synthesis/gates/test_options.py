"""Options that are different things, and right ones that stand everywhere equally often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.schemas.rows import Option, Question, Quote
from med_small_lm.synthesis.gates.options import balanced, canonical, clash


def options(*texts: str) -> list[Option]:
    return [Option(key, text) for key, text in zip("ABCDEFGHIJ", texts, strict=False)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vitamin C", "vitamin-c."), ("five days", "5 days"), ("10 percent", "10%"), ("1,000 mg", "1000 mg"),
        ("type II", "type 2"), ("10mg", "10 mg"), ("the liver", "Liver"), ("the third rib", "3rd ribs"),
        ("TNF-α", "TNF alpha"), ("œsophage", "Œsophage"), ("cinq jours", "5 jours"),
    ],
)  # fmt: skip
def test_spellings_of_one_thing_are_equal(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    assert "equal" in clash(options(one, "something else", other, "another"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("< 40", "> 40"), ("1.5 mg", "15 mg"), ("-5", "5"), ("Na+", "Na"), ("vitamin A", "vitamin C"),
     ("type 1", "type 2"), ("increased", "decreased"), ("hepatitis", "hepatitis B")],
)  # fmt: skip
def test_other_things_are_not(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    assert clash(options(one, other, "something else", "another")) == ""


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("aspirin and ibuprofen", "heparin", "ibuprofen and aspirin", "warfarin"), "equal"),
        (("aspirin", "ibuprofen", "both aspirin and ibuprofen", "warfarin"), "A and B together"),
        (("aspirin", "ibuprofen", "A and B", "warfarin"), "points at"),
        (("aspirin", "ibuprofen", "Both A and B", "neither A nor B"), "points at"),
        (("aspirin", "ibuprofen", "warfarin", "All of the above"), "points at"),
        (("aspirin", "ibuprofen", "warfarin", "none of these."), "points at"),
        (("aspirin", " ", "warfarin", "heparin"), "empty"),
    ],
)
def test_options_made_of_others_or_pointing_at_them_fail(texts: tuple[str, ...], why: str) -> None:
    assert why in clash(options(*texts))


@pytest.mark.parametrize(
    "texts",
    [
        ("aspirin and heparin", "aspirin and warfarin", "heparin", "ibuprofen"),
        ("hepatitis A", "hepatitis B", "hepatitis C", "hepatitis"),
        ("A", "B", "AB", "O"),
        ("head and neck", "head", "arm", "leg"),
    ],
)
def test_options_that_only_share_words_pass(texts: tuple[str, ...]) -> None:
    assert clash(options(*texts)) == ""


def question(n: int, place: int, texts: tuple[str, ...] = ("w", "x", "y", "z")) -> Question:
    own = options(*(f"{text}{n}" for text in texts))
    right = own[place]
    quotes = [Quote(option.key, f"of {option.text}") for option in own]
    return Question(f"q-{n}", "b", "train", "single", "s", own, [right.key], right.text, quotes=quotes)


def right_of(one: Question) -> str:
    return next(option.text for option in one.options if option.key == one.answer_keys[0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_whatever_the_order_the_right_option_stays_right(places: list[int], seed: int) -> None:
    asked = [question(n, place) for n, place in enumerate(places)]
    for before, after in zip(asked, balanced(asked, 0.05, seed), strict=True):
        assert right_of(after) == after.answer_text == before.answer_text
        assert {option.text for option in after.options} == {option.text for option in before.options}
        text = {option.key: option.text for option in after.options}
        assert all(quote.text == f"of {text[quote.option]}" for quote in after.quotes)


def test_a_teacher_that_likes_one_place_is_evened_out_and_a_fair_one_is_left() -> None:
    biased = balanced([question(n, 1) for n in range(101)], 0.05, 0)
    counts = Counter(one.answer_keys[0] for one in biased)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert {one.gates[-1].value for one in biased} == {1.0}
    assert {one.gates[-1].reason for one in biased} == {"B became A", "", "B became C", "B became D"}
    assert (
        biased
        == balanced([question(n, 1) for n in range(101)], 0.05, 0)
        != balanced([question(n, 1) for n in range(101)], 0.05, 1)
    )
    fair = [question(n, n % 4) for n in range(100)]
    assert [replace(one, gates=[]) for one in balanced(fair, 0.05, 0)] == fair


def test_figures_and_yes_or_no_keep_their_order() -> None:
    figures = [replace(question(n, 1), options=options("1 mg", "5 mg", "10 mg", "20 mg")) for n in range(20)]
    other = [replace(question(n, 0), kind="yes_no") for n in range(20)]
    assert balanced([*figures, *other], 0.0, 0) == [*figures, *other]
