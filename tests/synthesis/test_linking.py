"""Which passages are linked, and by which subject."""

from __future__ import annotations

import pytest
from tests.synthesis.conftest import make_passage

from med_small_lm.schemas.rows import Passage
from med_small_lm.synthesis.linking import pairs_of, shared_subject

GOUT = make_passage("Gout comes of urate crystals. Gout is treated with oral naproxen at first.", section="Joints")
RASH = make_passage(
    "A rash is a side effect of oral naproxen, which the skin shows on the trunk and on both arms.", "skin"
)
AGAIN = make_passage(
    "Gout is due to urate crystals. Gout is treated with oral naproxen at the beginning.", "other book"
)
OTHERS = [make_passage(f"Measles number {n} has spots of sort {n}.", f"book {n}") for n in range(5)]


def linked(*passages: Passage, most: int = 1) -> list[tuple[str, str, str]]:
    return [(pair.first.book, pair.second.book, pair.subject) for pair in pairs_of([*passages, *OTHERS], 1.0, most)]


def test_passages_that_share_a_rare_subject_are_linked_once() -> None:
    own = [pair for pair in linked(GOUT, RASH) if {"book", "skin"} & set(pair)]
    assert len(own) == 1 and sorted(own[0]) == ["book", "oral naproxen", "skin"]


def test_one_section_and_what_says_the_same_are_not_linked() -> None:
    assert not any({one, other} == {"book", "other book"} for one, other, _ in linked(GOUT, AGAIN))
    same = make_passage("The dose of oral naproxen is low in gout.", section="Joints")
    assert not any(one == other == "book" for one, other, _ in linked(GOUT, same))


def test_nothing_is_linked_where_nothing_is_asked_for() -> None:
    assert pairs_of([GOUT, RASH], 0.0, 1) == []


@pytest.mark.parametrize(
    ("first", "second", "subject"),
    [
        ("Graves disease is rare. Graves disease has a goiter.", "A goiter in Graves disease.", "Graves disease"),
        ("A renal biopsy shows it.", "The renal artery is narrow.", ""),
        ("In 30 days of it.", "After 30 days of it.", ""),
        ("In 30 days of it, or ten days.", "After 30 days of it.", "days"),
    ],
)  # fmt: skip
def test_a_subject_is_what_both_name_and_come_back_to(first: str, second: str, subject: str) -> None:
    rarity = dict.fromkeys("graves disease goiter renal 30 day".split(), 3.0)
    assert shared_subject(first, second, rarity) == subject


def test_the_work_is_bounded_by_how_many_passages_hold_a_word() -> None:
    """A word that very many passages share links none of them."""
    common = [
        make_passage(f"Oral aspirin is given in case{n}, with sign{n} and mark{n} of sort{n}.", f"book {n}")
        for n in range(80)
    ]
    assert pairs_of(common, 1.0, 1) == []
    assert len(pairs_of(common[:5], 1.0, 1)) > 0
