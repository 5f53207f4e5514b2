"""A quote stands in its passage whatever its typography, and not where it says something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.synthesis.gates.quoting import found_in

TEXT = (
    "Scurvy is due to a lack of vitamin C. Its hallmark sign is corkscrew hairs, and gums that bleed. The auto-immune "
    "defi- ciency of factor VIII is not treated with 1.5 mg of desmopressin; inﬂammation of the œsophagus follows in "
    "1,000 of 100000 patients (Smith, 2012). In β-thalassaemia the spleen is enlarged and the marrow is hyperactive."
)


@pytest.mark.parametrize(
    "quote",
    [
        "Scurvy is due to a lack of vitamin C.",
        "SCURVY — is due to a lack of vitamin-C",
        "the autoimmune deficiency of factor VIII is not treated with 1.5 mg of desmopressin",
        "The auto immune deficiency of factor VIII",
        "inflammation of the oesophagus follows in 1000 of 100,000 patients",
        "Scurvy is due to … vitamin C. Its hallmark sign is corkscrew hairs",
        "Scurvy is due to a lack of vitamin C. [...] gums that bleed",
        "In beta-thalassaemia the spleen is enlarged",
        "“the marrow is hyper-active”",
    ],
)
def test_typography_does_not_count(quote: str) -> None:
    found = found_in(quote, TEXT)
    assert found.share == 1.0 and not found.turned


@pytest.mark.parametrize(
    "quote",
    [
        "Its hallmark sign is corkscrew hairs, and gums tbat bleed.",
        "inflammation of the oesophagus follows in 1,000 of 100000 patients in β-thalassaemia",
        "Its hallmark sign is corkscrew hairs and also gums that bleed.",
    ],
)
def test_a_misread_word_or_a_citation_left_out_does_not_matter(quote: str) -> None:
    found = found_in(quote, TEXT)
    assert found.share >= 0.9 and not found.turned


@pytest.mark.parametrize(
    "quote",
    [
        "Scurvy is due to a lack of vitamin A. Its hallmark sign is corkscrew hairs",
        "The auto-immune deficiency of factor VIII is treated with 1.5 mg of desmopressin",
        "The auto-immune deficiency of factor VIII is not treated with 15 mg of desmopressin",
        "The auto-immune deficiency of factor IX is not treated with 1.5 mg of desmopressin",
        "Its hallmark sign is not corkscrew hairs, and gums that bleed.",
        "inflammation of the oesophagus never follows in 1,000 of 100000 patients",
    ],
)
def test_what_turns_a_statement_round_is_seen(quote: str) -> None:
    assert found_in(quote, TEXT).turned


@pytest.mark.parametrize(
    "quote",
    [
        "Scurvy is treated with oranges and lemons.", "", "...",
        "Sailors of the eighteenth century fell ill on long voyages.",
        "The spleen is due to a lack of corkscrew hairs of the oesophagus in patients",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(quote: str) -> None:
    assert found_in(quote, TEXT).share < 0.9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(TEXT.split()) - 5), st.integers(3, 20), st.sampled_from([str.upper, str.lower, str.title]))
def test_any_stretch_of_words_is_found(start: int, size: int, case: object) -> None:
    text = TEXT.replace("defi- ciency", "deficiency")
    quote = case(" ".join(text.split()[start : start + size]))  # type: ignore[operator]
    assert found_in(quote, text).share == 1.0
