"""What a file is before and after it is read: the file with what the shelf says of it, its content, its records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from med_small_lm.schemas.rows import Passage, Question, SourceReport
from med_small_lm.textbooks.pages import Entry
from med_small_lm.textbooks.paragraphs import Paragraph

READ = ("ok", "ocr")
"""States of a source report that mean that the file was read; any other sets it aside."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the shelf (or a folder of files) and what the shelf says of it. The repr never shows the password.

    ``source`` is one of book, paper, general.
    """

    book: str
    path: Path
    licence: str
    source: str = "book"
    title: str = ""
    language: str = "en"
    password: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Document:
    """What a file holds, whatever its format: paragraphs in reading order, on pages counted from 1.

    ``contents`` is the last page of the table of contents at the front, 0 if there is none. ``left_out`` counts the
    words that were taken off before there were paragraphs, by reason and page. ``ocr`` says that some pages were read
    from their picture; ``papers`` that each page is a work of its own, with no front matter before it.
    """

    pages: int
    paragraphs: list[Paragraph]
    outline: list[Entry] = field(default_factory=list)
    contents: int = 0
    left_out: Counter[tuple[str, int]] = field(default_factory=Counter)
    ocr: bool = False
    papers: bool = False


@dataclass(frozen=True, slots=True)
class FileRead:
    """The records of one file: passages in reading order, the book's own questions, and what became of the file."""

    passages: list[Passage]
    exercises: list[Question]
    report: SourceReport
