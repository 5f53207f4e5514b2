from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.overlap.stems import Stems, folded, units
from med_small_lm.overlap.subjects import _gaps, subjects
from med_small_lm.pocket.exam import asked_facts
from med_small_lm.pocket.exam import exam as exam_of
from med_small_lm.pocket.facts import Fact


def test_a_code_belongs_to_the_word_before_it_and_a_hyphen_joins() -> None:
    own = units("A lack of vitamin B12, of type II pneumocytes or of 21-hydroxylase. A second sentence")
    assert ("vitamin", "b12") in own and ("type", "ii") in own and ("21", "hydroxylase") in own
    assert ("hydroxylase", "a") not in own


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_subject_of_every_guarded_stem_is_found_from_the_stems_alone(facts: list[Fact], seed: int) -> None:
    questions = exam_of(facts, seed)
    real = asked_facts(questions, facts)
    found = subjects(Stems([question.stem for question in questions]))
    wrong = []
    for question, own in zip(questions, found, strict=True):
        name = f" {' '.join(folded(real[question.question_id].subject))} "
        if question.split == "test" and f" {' '.join(own[0].words)} " not in name:
            wrong.append((question.stem, own[0].words))
    # The committed exam (seed 0) must have none. Of other draws a form that few stems share may take a word with it.
    assert len(wrong) <= (0 if seed == 0 else 0.01 * len(questions)), wrong


def test_stems_that_share_no_form_have_a_subject_too() -> None:
    stems = ["Why do bats hibernate?", "Scurvy follows a lack of what?", "Name the largest artery."]
    found = subjects(Stems(stems))
    assert all(own and not own[0].in_form for own in found)
    assert subjects(Stems(stems), 2) == found[:2]


def test_a_stem_without_words_has_none() -> None:
    assert subjects(Stems(["...", "What is gout?"]))[0] == ()


STEMS = st.lists(st.lists(st.sampled_from("gout scurvy which heart sign lung rash".split()), max_size=6), min_size=1)


@given(STEMS)
def test_partners_are_the_stems_that_share_most(words: list[list[str]]) -> None:
    stems = Stems([" ".join(own) for own in words])
    for place, own in enumerate(words):
        others = sorted((n for n in range(len(words)) if n != place), key=lambda n: -len({*own} & {*words[n]}))
        held, of_partners = stems.held_by_partners(place)
        assert held.tolist() == [[word in words[n] for word in own] for n in others]
        assert of_partners.tolist() == [len({*own} & {*words[n]}) / max(len({*words[n]}), 1) for n in others]


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1))
def test_a_gap_is_as_wide_as_what_is_lacked_in_a_row(rows: list[list[bool]]) -> None:
    for row, gaps in zip(rows, _gaps(np.asarray(rows)).tolist(), strict=True):
        for place, width in enumerate(gaps):
            left = next((n for n in range(place + 1) if row[place - n]), place + 1)
            right = next((n for n in range(5 - place) if row[place + n]), 5 - place)
            assert width == left + right - 1
