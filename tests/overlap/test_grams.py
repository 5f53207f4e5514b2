"""Grams of a text, what of them is boilerplate, and how many of an item's stand in a document."""

from __future__ import annotations

from med_small_lm.overlap.documents import text_document
from med_small_lm.overlap.grams import Boilerplate, asks, grams_of, phrase
from med_small_lm.overlap.index import GramIndex, PhraseIndex
from med_small_lm.overlap.reading import read
from med_small_lm.overlap.stems import folded

VITALS = "His pulse is {} per minute and respirations are {} per minute"


def test_a_text_shorter_than_a_gram_is_one() -> None:
    assert grams_of(folded("Drug of choice for gout")) == ["drug of choice for gout"]
    assert grams_of(()) == []
    nine = tuple("abcdefghi")
    assert grams_of(nine) == ["a b c d e f g h", "b c d e f g h i"]


def test_what_three_texts_hold_is_boilerplate_whatever_its_figures() -> None:
    twice = [VITALS.format(80, 16), VITALS.format(90, 20)]
    gram = grams_of(folded(VITALS.format(70, 12)))[0]
    assert gram not in Boilerplate(twice) and gram not in Boilerplate([*twice, twice[0]])
    assert gram in Boilerplate([*twice, VITALS.format(100, 22)])


def test_one_term_asks_nothing() -> None:
    assert not asks("the coronary artery") and asks("cause of the coronary spasm")


def test_counts_and_what_is_forgotten() -> None:
    long, short = grams_of(tuple("abcdefghi")), ["drug of choice for gout"]
    index = GramIndex([long, short, long[:1]])
    told = read(text_document("d", "a b c d e f g h! The drug of choice, for gout, is told."))
    assert index.counts(told) == {0: 1, 1: 1, 2: 1}
    index.short.forget(phrase(short[0].split()), 1)
    assert index.counts(told) == {0: 1, 2: 1}


def test_a_phrase_is_of_whole_words() -> None:
    index = PhraseIndex()
    index.add(" left atrium ", 0)
    assert index.named(read(text_document("d", "The left atrium beats."))) == {0: " left atrium "}
    assert not index.named(read(text_document("d", "The cleft atrium beats.")))
