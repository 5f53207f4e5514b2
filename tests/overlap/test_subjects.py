from __future__ import annotations

import pytest

from med_small_lm.overlap.stems import Stems, folded, units
from med_small_lm.overlap.subjects import subjects
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


def test_a_stem_without_words_has_none() -> None:
    assert subjects(Stems(["...", "What is gout?"]))[0] == ()
