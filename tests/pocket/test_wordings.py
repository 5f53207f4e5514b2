"""The wordings: complete, different, each naming subject and value once."""

from __future__ import annotations

import re

import pytest

from med_small_lm.pocket.wordings import GROUPS, N_ONE_LINERS, WORDINGS, stable_hash, statement

SLOTS = ("{age}", "{person}", "{setting}")


def test_there_are_forty_groups() -> None:
    assert len(GROUPS) == 40


@pytest.mark.parametrize(("kind", "attribute"), GROUPS)
def test_statements_name_subject_and_value_once(kind: str, attribute: str) -> None:
    statements = WORDINGS[kind][attribute].statements
    assert len(set(statements)) == 9
    for text in statements:
        assert sorted(re.findall(r"{\w+}", text)) == ["{S}", "{V}"]
        assert text.endswith(".")
        assert not re.search(r"\b(a|an|the) {V}", text, re.IGNORECASE)
    assert sum(text.index("{S}") < text.index("{V}") for text in statements) >= 7


@pytest.mark.parametrize(("kind", "attribute"), GROUPS)
def test_stems_name_the_subject_and_never_the_value(kind: str, attribute: str) -> None:
    stems = WORDINGS[kind][attribute].stems
    assert len(set(stems)) == 5
    for place, stem in enumerate(stems):
        wanted = ["{S}"] if place < N_ONE_LINERS else sorted(["{S}", *SLOTS])
        assert sorted(re.findall(r"{\w+}", stem)) == wanted
        assert stem.endswith("?")


@pytest.mark.parametrize("kind", WORDINGS)
def test_no_wording_serves_two_attributes_of_a_kind(kind: str) -> None:
    for field in ("statements", "stems"):
        texts = [text for wordings in WORDINGS[kind].values() for text in getattr(wordings, field)]
        assert len(texts) == len(set(texts))


def test_a_statement_begins_with_a_capital_and_keeps_the_names() -> None:
    assert (
        statement("drug", "class", "furosemide", "loop diuretic", 0)
        == "Furosemide belongs to the drug class loop diuretic."
    )


def test_the_hash_is_the_same_everywhere() -> None:
    assert stable_hash("a", "b") == 17315457580335015581
