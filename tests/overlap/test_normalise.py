from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.overlap.normalise import normalised, singular, words


def test_case_accents_possessives_greek_and_punctuation_are_off() -> None:
    assert words("Sjögren’s Syndrome: TNF-α (anti-Müllerian)!") == [
        "sjogren", "syndrome", "tnf", "alpha", "anti", "mullerian",
    ]  # fmt: skip
    assert words("Graves' disease") == words("Graves disease") == ["graves", "disease"]
    assert words("ﬁbrosis") == ["fibrosis"]


def test_a_plural_is_folded_and_an_ending_that_only_looks_like_one_is_not() -> None:
    assert [singular(word) for word in ("platelets", "thymus", "abscess", "gas")] == [
        "platelet", "thymus", "abscess", "gas",
    ]  # fmt: skip


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
