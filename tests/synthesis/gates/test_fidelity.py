"""What a text says otherwise than its source."""

from __future__ import annotations

import pytest

from med_small_lm.synthesis.gates.fidelity import changes, sentences, supported_share

SOURCE = (
    "Insulin lowers the blood glucose. Warfarin must not be given in pregnancy. The left lung has two lobes. "
    "A dose of 2.5 mg is given twice a day for 10 to 14 days. The risk is 1,200 in a million, or 0.12 %. "
    "Digoxin is given without food and raises contractility."
)


@pytest.mark.parametrize(
    "text",
    [
        "The blood glucose is lowered by insulin.",
        "Warfarin is contraindicated in pregnancy.",
        "In pregnancy one avoids warfarin.",
        "Two lobes are in the left lung.",
        "For 10-14 days 2.5 mg are taken twice daily.",
        "The risk is 1200 in a million, 0.12 percent.",
        "Insulin acts on glucose and warfarin must not be given in pregnancy.",
        "Warfarin in pregnancy is never given.",
    ],
)
def test_the_same_in_other_words_is_no_change(text: str) -> None:
    assert list(changes(text, SOURCE)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Insulin raises the blood glucose.", "'raise' for 'lower'"),
        ("Insulin never lowers the blood glucose.", "added 'never'"),
        ("Warfarin must be given in pregnancy.", "lost 'not'"),
        ("The right lung has two lobes.", "'right' for 'left'"),
        ("A dose of 25 mg is given twice a day.", "25 mg"),
        ("A dose of 2.5 g is given twice a day.", "2.5 g"),
        ("It is given for 10 to 15 days.", "15 day"),
        ("The risk is 12 %.", "12 %"),
    ],
)
def test_what_is_changed_is_named(text: str, said: str) -> None:
    assert list(changes(text, SOURCE)) == [said]


def test_the_least_supported_sentence_decides() -> None:
    share, said = supported_share("Insulin lowers glucose. Aliens eat cheese.", SOURCE)
    assert (share, said) == (0.0, "Aliens eat cheese.")
    assert supported_share("", SOURCE)[0] == 0.0


def test_sentences_end_where_statements_do() -> None:
    told = ["One of vitamin C.", "Two, e.g. this.", "Three", "Four."]
    assert sentences("One of vitamin C. Two, e.g. this. \nThree\nFour.") == told
