"""Lines are joined as the book spells its words."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.textbooks.cleaning import Speller, tidy

HYPHENATING = [
    "the high oxygen is solid work",
    "hyperten-",
    "sion and hypertension",
    "oxy-",
    "gen",
    "high-intensity work",
]


def test_a_book_that_hyphenates_is_joined_by_its_own_words():
    """Known words close up, known compounds keep their hyphen, others do if both their parts are words."""
    speller = Speller.of(HYPHENATING)
    assert speller.join("severe hyperten-", "sion") == "severe hypertension"
    assert speller.join("a high-", "intensity") == "a high-intensity"
    assert speller.join("thera-", "peutic") == "therapeutic"
    assert speller.join("solid-", "work") == "solid-work"
    assert speller.join("anti-", "oxygen") == "antioxygen"
    assert speller.join("high-", "oxygen") == "high-oxygen"
    assert speller.join("beta-", "Blocker") == "beta-Blocker"
    assert speller.join("COVID-", "19") == "COVID-19"


def test_soft_hyphens_go_and_then_plain_ones_stay():
    """Where the book marks what it added, a plain hyphen is the author's."""
    speller = Speller.of(["decom\u00ad", "posed and recom\u00ad", "posed with oxy\u00ad", "gen"])
    assert speller.join("de\u00ad", "composed") == "decomposed"
    assert speller.join("pre-", "existing") == "pre-existing"


def test_the_typesetters_hyphen_is_another_character():
    """Where lines end in U+2010 and words hold a plain hyphen, a plain one is the author's wherever it stands."""
    lines = [
        line for word in ("decom", "recom", "trans") for line in (f"is {word}\u2010", "posed as a well-known case")
    ]
    speller = Speller.of(lines)
    assert speller.join("trans\u2010", "posed") == "transposed"
    assert speller.join("trans-", "acting") == "trans-acting"


def test_a_book_without_hyphenation_keeps_every_hyphen():
    """None of its broken words is a word without its hyphen, and their parts are words."""
    lines = ["the air-", "filled spaces of moon-", "shaped bones", "filled with air, shaped like the moon"]
    assert Speller.of(lines, "en").join("pea-", "pod") == "pea-pod"


def test_a_dictionary_decides_what_the_book_does_not():
    """``overweight`` is a word of English, ``fuzzyappearing`` is none."""
    speller = Speller.of(HYPHENATING, "en")
    assert speller.join("over-", "weight") == "overweight"
    assert speller.join("fuzzy-", "appearing") == "fuzzy-appearing"
    assert speller.join("side-by-", "side") == "side-by-side"
    assert Speller.of(HYPHENATING, "de").join("Nieren-", "funktion") == "Nierenfunktion"


def test_a_word_that_ends_in_or_is_no_suspended_compound():
    """``escalat-or`` is broken, ``short- or long-term`` is not."""
    speller = Speller.of(HYPHENATING, "en")
    assert speller.join("an escalat-", "or and") == "an escalator and"
    assert speller.join("a short-", "or long-term") == "a short- or long-term"
    assert speller.join("an up-", "to-date") == "an up-to-date"


def test_addresses_keep_their_hyphens():
    """They are no words."""
    speller = Speller.of(HYPHENATING, "en")
    assert speller.join("https://example.org/nurs-", "ing") == "https://example.org/nurs-ing"


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ("short-", "and long-term", "short- and long-term"),
        ("respiration—", "the intake", "respiration—the intake"),
        ("and/", "or", "and/or"),
        ("range – ", "wide", "range – wide"),
        ("one", "two", "one two"),
        ("", "two", "two"),
        ("日本", "語", "日本語"),
        ("value -", "5", "value - 5"),
    ],
)
def test_spaces_between_lines(left, right, joined):
    """A space where words part, none after a dash, a slash or between characters of unspaced scripts."""
    assert Speller(Counter(), False).join(left, right) == joined


@given(st.text(max_size=40), st.text(max_size=40))
def test_joining_only_ever_takes_hyphens_and_spaces(left, right):
    """No letter is lost, whatever the lines hold."""
    joined = Speller(Counter(), False).join(left, right)
    drop = str.maketrans("", "", "-\u2010\u2011\u00ad")
    assert "".join(joined.translate(drop).split()) == "".join((left + right).translate(drop).split())


@given(st.text())
def test_tidy_is_done_after_once(text):
    """Tidying twice changes nothing more."""
    assert tidy(tidy(text)) == tidy(text)


def test_tidy_spells_out_ligatures():
    """Ligatures become letters, invisible characters go."""
    assert tidy("ﬁbrous\u00a0 e\ufb04uent\u200b") == "fibrous effluent"


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ("a yearly follow-", "up visit", "a yearly follow-up visit"),
        ("a drug is FDA-", "approved", "a drug is FDA-approved"),
        ("HIGH BLOOD PRES-", "SURE", "HIGH BLOOD PRESSURE"),
        ("the mini form MNA-", "SF was used", "the mini form MNA-SF was used"),
    ],
)
def test_what_hardly_a_typesetter_breaks(left, right, joined):
    """Particles and abbreviations keep their hyphen; words in capitals are broken like others."""
    assert Speller.of(["The pressure was low.", "The inter-", "national norm holds.", "international"], "en").join(
        left, right
    ) == joined  # fmt: skip
