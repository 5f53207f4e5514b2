"""The dress of a pocket book: page, frames, fonts and paragraph styles of one of the designs in ``books.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyphen
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.styles import ParagraphStyle

from med_small_lm.pocket.chapters import PLAN

FONTS = {
    "Times": ("Times-Roman", "Times-Bold", "Times-Italic"),
    "Helvetica": ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique"),
}
GUTTER = 16.0  # points between two columns
MIN_PART = 3  # letters before and after the hyphen of a divided word
_PATTERNS = pyphen.Pyphen(lang="en_US", left=MIN_PART, right=MIN_PART)

Box = tuple[float, float, float, float]  # left, bottom, width, height


@dataclass(frozen=True, slots=True)
class Dress:
    """Measures in points, font names, and the paragraph styles by what they are for."""

    page: tuple[float, float]
    columns: int
    margin: tuple[float, float]
    bold: str
    italic: str
    styles: dict[str, Any]

    @property
    def measure(self) -> float:
        """The width of the text area, all columns together."""
        return self.page[0] - 2 * self.margin[0]

    @property
    def column(self) -> float:
        """The width of one column."""
        return (self.measure - GUTTER * (self.columns - 1)) / self.columns

    @property
    def whole(self) -> Box:
        """The text area."""
        return self.margin[0], self.margin[1], self.measure, self.page[1] - 2 * self.margin[1]

    @property
    def frames(self) -> list[Box]:
        """The columns of a page of text."""
        left, bottom, _, height = self.whole
        return [(left + n * (self.column + GUTTER), bottom, self.column, height) for n in range(self.columns)]


def dress(design: str) -> Dress:
    """The dress of a design of ``books.yml``."""
    plan = PLAN["designs"][design]
    roman, _, italic = FONTS[plan["body"]]
    bold = FONTS[plan["heading"]][1]
    size, leading = plan["type"]
    text = ParagraphStyle(
        "text", fontName=roman, fontSize=size, leading=leading, alignment=TA_JUSTIFY, hyphenationLang=_breaks,
        embeddedHyphenation=0, allowWidows=0, allowOrphans=0,
    )  # fmt: skip
    styles = _text_styles(text, leading) | _headings(bold, size, leading) | _front(roman, bold, italic, size)
    page, margin = plan["page"], plan["margin"]
    return Dress((page[0], page[1]), plan["columns"], (margin[0], margin[1]), bold, italic, styles)


def _breaks(word: str) -> Iterator[tuple[str, str]]:
    """The two parts of a word at each place where a line may end; none in a word that has a hyphen of its own."""
    if "-" not in word:
        yield from _PATTERNS.iterate(word)


def _text_styles(text: Any, leading: float) -> dict[str, Any]:
    """Paragraphs of the text and what stands in tables."""
    size = text.fontSize
    small = {"fontSize": size - 1, "leading": leading - 1.4, "alignment": 0, "hyphenationLang": ""}
    return {
        "first": text,
        "text": ParagraphStyle("next", parent=text, firstLineIndent=size),
        "run_in": ParagraphStyle("run_in", parent=text, spaceBefore=0.35 * leading),
        "lead": ParagraphStyle("lead", parent=text, spaceAfter=0.4 * leading, keepWithNext=1),
        "cell": ParagraphStyle("cell", parent=text, **small),
        "caption": ParagraphStyle("caption", parent=text, keepWithNext=1, spaceAfter=3, **small),
    }


def _headings(bold: str, size: float, leading: float) -> dict[str, Any]:
    """Headings of chapters and sections."""
    return {
        "chapter": ParagraphStyle(
            "chapter", fontName=bold, fontSize=size + 5, leading=leading + 6, spaceBefore=1.6 * leading,
            spaceAfter=0.6 * leading, keepWithNext=1,
        ),
        "section": ParagraphStyle(
            "section", fontName=bold, fontSize=size + 1, leading=leading + 1, spaceBefore=0.9 * leading,
            spaceAfter=0.35 * leading, keepWithNext=1,
        ),
    }  # fmt: skip


def _front(roman: str, bold: str, italic: str, size: float) -> dict[str, Any]:
    """The title page and the page of contents."""
    return {
        "series": ParagraphStyle("series", fontName=roman, fontSize=11, leading=14, alignment=TA_CENTER),
        "title": ParagraphStyle("title", fontName=bold, fontSize=27, leading=33, alignment=TA_CENTER, spaceAfter=14),
        "subtitle": ParagraphStyle("subtitle", fontName=italic, fontSize=14, leading=18, alignment=TA_CENTER),
        "warning": ParagraphStyle("warning", fontName=bold, fontSize=11, leading=15, alignment=TA_CENTER),
        "contents": ParagraphStyle("contents", fontName=bold, fontSize=size + 6, leading=size + 10, spaceAfter=10),
        "toc0": ParagraphStyle("toc0", fontName=bold, fontSize=size, leading=size + 3, spaceBefore=7),
        "toc1": ParagraphStyle("toc1", fontName=roman, fontSize=size, leading=size + 3, leftIndent=14),
        "colophon": ParagraphStyle("colophon", fontName=roman, fontSize=size - 1, leading=size + 1.5, spaceBefore=18),
    }
