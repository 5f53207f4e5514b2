"""Footnotes are kept apart, and no sentence carries their marks."""

from __future__ import annotations

import pytest

from med_small_lm.textbooks.footnotes import link_footnotes
from med_small_lm.textbooks.paragraphs import Paragraph


def paragraph(kind: str, text: str, *pages: int) -> Paragraph:
    """A paragraph that begins on the first page and goes on, from its tenth character, on the second."""
    return Paragraph(kind, text, list(zip((0, 10), pages, strict=False)), 10.0 if kind == "text" else 8.0, False)


@pytest.mark.parametrize(
    ("text", "note", "plain"),
    [
        ("The term¹ was coined late.", "¹ By the Vienna school.", "The term was coined late."),
        ("It was coined late.² Then", "2. By the Vienna school.", "It was coined late. Then"),
        ("The term* was coined late.", "* By the Vienna school.", "The term was coined late."),
        ("The joint1 was found late.", "1By the Vienna school.", "The joint was found late."),
        ("It is a⁴ long cord.", "⁴By the Vienna school.", "It is a long cord."),
    ],
)
def test_a_note_and_its_mark(text, note, plain):
    """Raised figures and signs go, also plain ones where the note begins with one glued to its word."""
    body, foot = paragraph("text", text, 3), paragraph("note", note, 3)
    link_footnotes([body, foot])
    assert (body.text, foot.kind) == (plain, "footnotes")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("A surface of 2 m² is large.", "2. By the Vienna school."),
        ("Vitamin B12 is needed.", "12By the Vienna school."),
        ("The dose is 10¹² cells.", "¹² By the Vienna school."),
        ("No mark stands here.", "* P below 0.05 in all the groups"),
    ],
)
def test_a_figure_that_is_no_mark_stays(text, note):
    """Units, vitamins and powers; a legend that nothing points to is no footnote."""
    body, foot = paragraph("text", text, 3), paragraph("note", note, 3)
    link_footnotes([body, foot])
    assert (body.text, foot.kind) == (text, "note")


def test_only_notes_of_the_same_page_or_the_next_count():
    """And what follows the mark keeps its page."""
    body = paragraph("text", "The term¹ was coined late.", 3, 4)
    link_footnotes([body, paragraph("note", "¹ Far away.", 9)])
    assert body.text == "The term¹ was coined late."
    link_footnotes([body, paragraph("note", "¹ Close by.", 4)])
    assert (body.text, body.marks) == ("The term was coined late.", [(0, 3), (9, 4)])


def test_footnotes_of_a_page(sheet, read, prose):
    """Two notes at its foot, below each other."""
    y = sheet.block(60, 100, prose(6), 400)
    sheet.line(60, y + 20, "The term")
    sheet.line(100, y + 16, "1", 6)
    sheet.line(107, y + 20, "was coined late")
    sheet.line(178, y + 16, "2", 6)
    sheet.line(185, y + 20, "in the last century.")
    for row, note in enumerate(("Told by the school of Vienna.", "Not all of the sources agree.")):
        sheet.line(60, 700 + 10 * row, str(row + 1), 5)
        sheet.line(64, 702 + 10 * row, note, 8)
    (passage,), report = read(sheet.save())
    assert passage.text == f"{prose(6)}\nThe term was coined late in the last century."
    assert [d.reason for d in report.dropped] == ["footnotes"]
