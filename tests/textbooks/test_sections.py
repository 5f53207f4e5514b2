"""What belongs to the book's teaching, and to which chapter."""

from __future__ import annotations

import pytest

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.pages import Entry
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sections import apart_by_title, place


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("References", "references"),
        ("Further Reading", "references"),
        ("12.4 Selected References", "references"),
        ("Index", "index"),
        ("Table of Contents", "contents"),
        ("Review Questions", "review questions"),
        ("Chapter Review Questions", "review questions"),
        ("Answer Key", "answer key"),
        ("Answers to Self-Check", "answer key"),
        ("About the Authors", "front matter"),
        ("Conflict of interest", "authors"),
        ("Authors’ contributions", "authors"),
        ("Data Availability Statement", "authors"),
        ("Competing Interests in Care", ""),
        ("Chapter Review", ""),
        ("Reference Ranges", ""),
        ("Refractive Index of the Lens", ""),
        ("Questions of Ethics", ""),
        ("Key Terms", ""),
        ("Introduction", ""),
    ],
)
def test_titles_that_are_kept_apart(title, reason):
    """By the whole title, so that a section that only speaks of questions stays."""
    assert apart_by_title(title) == reason


def heading(text: str, page: int, size: float = 14.0) -> Paragraph:
    """A bold heading."""
    return Paragraph("heading", text, [(0, page)], size, True)


def text(page: int) -> Paragraph:
    """A paragraph of text."""
    return Paragraph("text", "Body text of this very page.", [(0, page)], 10.0, False)


def paths(paragraphs: list[Paragraph], outline: list[Entry]) -> list[tuple[str, str]]:
    """Section and reason of the paragraphs of text."""
    return [(p.section, p.reason) for p in place(paragraphs, outline, 40, Reading()) if p.paragraph.kind == "text"]


def test_numbers_rank_headings_of_one_size():
    """Without an outline ``1.1`` is below ``Chapter 1``, in the same type."""
    told = [
        heading("Chapter 1", 1),
        heading("Blood", 1),
        heading("1.1 Cells", 1),
        text(1),
        heading("1.2 Salt", 2),
        text(2),
    ]
    assert paths(told, []) == [("Chapter 1: Blood > 1.1 Cells", ""), ("Chapter 1: Blood > 1.2 Salt", "")]


def test_a_chapter_whose_heading_is_a_picture_is_known_from_the_outline():
    """It begins with its page."""
    outline = [
        Entry(1, "Chapter 1: Blood", 1),
        Entry(2, "Cells", 1),
        Entry(2, "Salt", 2),
        Entry(1, "Chapter 2: Bone", 3),
    ]
    told = [heading("Chapter 1: Blood", 1), heading("Cells", 1), text(1), heading("Salt", 2), text(2), text(3)]
    assert paths(told, outline)[-1] == ("Chapter 2: Bone", "")


def test_references_end_with_the_next_chapter():
    """What is kept apart ends with a heading of its own level or above."""
    told = [heading("Chapter 1: Blood", 1), text(1), heading("References", 2, 12.0), text(2),
            heading("Chapter 2: Bone", 3), text(3)]  # fmt: skip
    assert [reason for _, reason in paths(told, [])] == ["", "references", ""]


def test_what_stands_before_the_first_chapter_is_front_matter():
    """Within the first fifth of the book only."""
    told = [text(1), text(2), heading("Chapter 1: Blood", 3), text(3)]
    assert [reason for _, reason in paths(told, [])] == ["front matter", "front matter", ""]
    late = [text(1), text(2), heading("Chapter 1: Blood", 30), text(30)]
    assert [reason for _, reason in paths(late, [])] == ["", "", ""]


def long_text(page: int) -> Paragraph:
    """Enough text for its page to be no title page."""
    return Paragraph("text", "word " * 60, [(0, page)], 10.0, False)


def test_one_title_above_sections_is_a_chapter():
    """A file of one chapter: its title stands once, larger than the rest, with text below it."""
    told = [heading("The Heart", 1, 20.0), heading("Valves", 1), long_text(1), heading("Vessels", 2), text(2)]
    assert [path for path, _ in paths(told, [])] == ["The Heart > Valves", "The Heart > Vessels"]


def test_a_label_in_words_above_a_title_is_part_of_it():
    """Set as a line of its own, in the type of the text or as a heading."""
    label = Paragraph("text", "CHAPTER ONE", [(0, 1)], 10.0, False)
    told = [
        label,
        heading("The Heart", 1, 20.0),
        text(1),
        heading("Chapter Two", 5),
        heading("The Lung", 5, 20.0),
        text(5),
    ]
    assert [path for path, _ in paths(told, [])] == ["CHAPTER ONE: The Heart", "Chapter Two: The Lung"]


def test_an_entry_for_the_contents_heads_no_chapter():
    """The outline names a page that was left out, and chapters without the label that their pages have."""
    outline = [Entry(1, "Contents", 1), Entry(1, "The Heart", 2), Entry(2, "Valves", 2), Entry(1, "The Lung", 5)]
    told = [heading("Chapter 1: The Heart", 2, 20.0), text(2), heading("Valves", 2), text(2),
            heading("Chapter 2: The Lung", 5, 20.0), text(5)]  # fmt: skip
    assert [path for path, _ in paths(told, outline)] == [
        "Chapter 1: The Heart",
        "Chapter 1: The Heart > Valves",
        "Chapter 2: The Lung",
    ]


def test_numbered_chapters_end_the_front_matter():
    """Title page and copyright stand before ``1 The Heart``."""
    told = [heading("A Textbook", 1, 24.0), text(1), text(2), heading("1 The Heart", 4, 20.0), text(4)]
    assert paths(told, [])[:2] == [("", "front matter"), ("", "front matter")]
