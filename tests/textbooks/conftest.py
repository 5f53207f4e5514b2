"""Small PDFs for the tests of ingestion: set line by line, so that a test says where every line stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pymupdf
import pytest

from med_small_lm.params.ingest_textbooks import IngestTextbooks, PassageBudget
from med_small_lm.schemas.rows import Passage, SourceReport
from med_small_lm.textbooks import SourceFile, read_file

SIZE = 10.0
LEADING = 12.0


@dataclass
class Typesetter:
    """Sets text on the pages of a PDF in Helvetica, 10 on 12 points, and saves it."""

    path: Path
    document: pymupdf.Document = field(default_factory=pymupdf.open)

    def page(self) -> pymupdf.Page:
        """A fresh page of 612 by 792 points."""
        return self.document.new_page(width=612, height=792)

    def line(self, x: float, y: float, text: str, size: float = SIZE, font: str = "helv") -> None:
        """One line on the last page, its baseline at ``y``."""
        self.document[-1].insert_text((x, y), text, fontsize=size, fontname=font)

    def block(self, x: float, y: float, text: str, width: float, indent: float = 0.0) -> float:
        """A paragraph broken into lines of at most ``width``; where the next line would stand."""
        row, start = "", x + indent
        for word in text.split():
            if row and start + pymupdf.get_text_length(f"{row} {word}", "helv", SIZE) > x + width:
                self.line(start, y, row)
                row, start, y = "", x, y + LEADING
            row = f"{row} {word}".strip()
        self.line(start, y, row)
        return y + LEADING

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A ruling on the last page."""
        self.document[-1].draw_line((x0, y0), (x1, y1), width=0.5)

    def save(self, **options: object) -> Path:
        """The file, written."""
        self.document.save(self.path, **options)
        return self.path


@pytest.fixture
def sheet(tmp_path: Path) -> Typesetter:
    """A typesetter with one fresh page."""
    setter = Typesetter(tmp_path / "book.pdf")
    setter.page()
    return setter


@pytest.fixture
def read() -> Callable[..., tuple[list[Passage], SourceReport]]:
    """``read_file`` with the settings that ship."""

    def reader(path: Path, password: str | None = None, **budget: int) -> tuple[list[Passage], SourceReport]:
        params = IngestTextbooks(passages=PassageBudget(**budget))
        found = read_file(SourceFile("b", path, "CC0", password=password), params)
        return found.passages, found.report

    return reader


@pytest.fixture
def prose() -> Callable[..., str]:
    """Body text of so many sentences on a subject; they all differ."""

    def told(sentences: int, subject: str = "cell") -> str:
        """Sentences that all differ, for body text."""
        organs = ("liver", "kidney", "heart", "spleen", "thyroid", "pancreas", "stomach", "bladder")
        return " ".join(
            f"Observation {number} says that the {subject} of the {organs[number % 8]} keeps its balance by exchange."
            for number in range(sentences)
        )

    return told
