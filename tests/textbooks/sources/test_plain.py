"""Plain text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.textbooks.sources.plain import paragraphs_of


def told(text: str) -> list[tuple[str, str]]:
    return [(p.kind, p.text) for p in paragraphs_of(text, 1)]


def test_wrapped_lines_close_up_and_hyphens_go_as_the_text_spells():
    text = """The circulation is driven by the heart, and the circu-
lation of the lungs by the same. A high-inten-
sity circulation is high-intensity work,
and high-
intensity stays.

   - mitral
   - tricuspid valve,
     which is large
"""
    assert told(text) == [
        (
            "text",
            "The circulation is driven by the heart, and the circulation of the lungs by the same. A high-intensity "
            "circulation is high-intensity work, and high-intensity stays.",
        ),
        ("item", "mitral"),
        ("item", "tricuspid valve, which is large"),
    ]


def test_headings_are_told_by_form():
    blocks = [
        "CHAPTER I",
        "THE HEART",
        "Valves of the Heart",
        "1.2 what it does",
        "X = 2 Y",
        "PART TWO OF THE\nBOOK",
        "It beats.",
        "no heading",
        "He Asks:",
        "1. A 2. B",
    ]
    text = "\n\n".join(blocks)
    assert told(text) == [
        ("heading", "CHAPTER I"),
        ("heading", "THE HEART"),
        ("heading", "Valves of the Heart"),
        ("heading", "1.2 what it does"),
        ("text", "X = 2 Y"),
        ("heading", "PART TWO OF THE BOOK"),
        ("text", "It beats."),
        ("text", "no heading"),
        ("text", "He Asks:"),
        ("item", "1. A 2. B"),
    ]


def test_long_lines_are_a_paragraph_each():
    line = (
        "The heart pumps blood through the body by contracting in a steady rhythm, day and night, for all of a life. "
    )
    assert told(f"{line}\n{line}\n- {line}") == [("text", line.strip())] * 2 + [("item", line.strip())]


def test_headings_make_the_path(write, reader):
    prose = "The heart pumps blood through the body\nby contracting in a steady rhythm."
    found = reader(write("a.txt", f"CHAPTER 1\n\nTHE HEART\n\n{prose}\n\nCHAPTER 2\n\nTHE LUNGS\n\nLungs: {prose}\n"))
    assert [p.section for p in found.passages] == ["CHAPTER 1: THE HEART", "CHAPTER 2: THE LUNGS"]


def test_what_gutenberg_adds_is_kept_apart(write, reader):
    start, end = (f"*** {word} OF THE PROJECT GUTENBERG EBOOK ANATOMY ***" for word in ("START", "END"))
    found = reader(write("a.txt", f"Licence here\n{start}\n\nThe heart beats.\n\n{end}\nMore licence\n"))
    assert [p.text for p in found.passages] == ["The heart beats."]
    assert [(d.reason, d.count) for d in found.report.dropped] == [("front matter", 18)]


def test_a_stretch_without_blank_lines_is_read_in_linear_time():
    assert len(told("all work and no play\n" * 200_000)[0][1]) == 200_000 * 21 - 1


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("aB1 \n\t-.*•("), max_size=200))
def test_no_letter_is_lost(text):
    kept = "".join(part.text for part in paragraphs_of(text, 1))
    letters = [letter for letter in text if letter.isalnum()]
    assert [letter for letter in kept if letter.isalnum()] == letters


def test_a_page_ends_within_a_sentence_or_between_two(parts):
    text = "The heart pumps blood and\n\fthe lungs fill it with air.\n\fThe kidney clears it."
    assert parts("a.txt", text) == [
        ("text", "The heart pumps blood and the lungs fill it with air."),
        ("text", "The kidney clears it."),
    ]
