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
    """Known words close up, known compounds keep their hyphen, others do if the book makes such compounds."""
    speller = Speller.of(HYPHENATING)
    assert speller.join("severe hyperten-", "sion") == "severe hypertension"
    assert speller.join("a high-", "intensity") == "a high-intensity"
    assert speller.join("thera-", "peutic") == "therapeutic"
    assert speller.join("solid-", "work") == "solidwork"
    assert speller.join("high-", "oxygen") == "high-oxygen"
    assert speller.join("beta-", "Blocker") == "beta-Blocker"
    assert speller.join("COVID-", "19") == "COVID-19"


def test_soft_hyphens_go_and_then_plain_ones_stay():
    """Where the book marks what it added, a plain hyphen is the author's."""
    speller = Speller.of(["decom\u00ad", "posed and recom\u00ad", "posed with oxy\u00ad", "gen"])
    assert speller.join("de\u00ad", "composed") == "decomposed"
    assert speller.join("pre-", "existing") == "pre-existing"


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
