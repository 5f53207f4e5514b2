"""Addresses, publishers' notices and author lists are told by their form."""

from __future__ import annotations

import pytest

from med_small_lm.textbooks.notices import mark_notices
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sections import Placed


def placed(text: str, kind: str = "text", section: str = "The Heart") -> Placed:
    """A placed paragraph."""
    return Placed(Paragraph(kind, text, [(0, 1)], 10.0, False), section, "heading" if kind == "heading" else "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://example.org/l/77valve", "addresses"),
        ("www.example.org/a, https://example.org/b.", "addresses"),
        ("See https://example.org/l/77valve for a film of the valve.", ""),
        ("Access for free at https://example.org/books/heart", "notices"),
        ("© 2021 Meridian Press. All rights reserved.", "notices"),
        ("ISBN 978-1-23456-789-7", "notices"),
        ("Copyright law protects what a nurse writes.", ""),
    ],
)
def test_stretches_that_teach_nothing(text, reason):
    """By the whole stretch, or how it begins."""
    assert mark_notices([placed(text)])[0].reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Priya Natarajan, Thomas B. Müller and Ana K. Oliveira", "authors"),
        ("John A. Smith, MD, PhD, Maria Lopez, RN, MSN, and Wei-Ling Chen, MSc", "authors"),
        ("By Susan J. Gray, PharmD", "authors"),
        ("Blood Pressure", ""),
        ("The heart is a muscle, and it beats all day.", ""),
    ],
)
def test_who_wrote_a_chapter_stands_below_its_title(text, reason):
    """Names with or without degrees; where they work stands below them."""
    told = [placed("The Heart", "heading"), placed(text), placed("Department of Medicine, University Hospital")]
    assert [item.reason for item in mark_notices(told)][1:] == [reason, reason]


def test_names_further_down_stay():
    """They are what the text speaks of."""
    told = [placed("The Heart", "heading"), *[placed("It beats.")] * 4, placed("Anna Bell, John Hall and Eve Stone")]
    assert mark_notices(told)[-1].reason == ""
