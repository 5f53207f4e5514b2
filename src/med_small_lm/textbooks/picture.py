"""A page beside what was read from it: every line in the colour of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pymupdf

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.books import document_of, placed_of
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.sections import HEADING, Placed

COLOURS = {
    "heading": "#d62728",
    "text": "#1f77b4",
    "item": "#17becf",
    "table": "#2ca02c",
    "caption": "#ff7f0e",
    "note": "#9467bd",
}
"""The colour of each kind that is kept; the path of a passage holds its headings."""
APART = "#7f7f7f"
"""The colour of what is kept apart, whatever the reason. Running heads and folios have no box."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one paragraph has on a page: its kind or the reason why it is kept apart, its text there and its boxes.

    Boxes are (x0, y0, x1, y1) in points from the page's upper left corner.
    """

    label: str
    colour: str
    section: str
    text: str
    boxes: list[tuple[float, float, float, float]]


def placed_paragraphs(file: SourceFile, reading: Reading) -> list[Placed]:
    """A file's paragraphs in reading order with their sections, kept or not.

    Raises:
        Unreadable: The file is empty, broken, encrypted, or not what its name says.
    """
    return placed_of(document_of(file, reading), reading)


def parts_of(placed: list[Placed], number: int) -> Iterator[Part]:
    """What stands on a page, counted from 1, in reading order."""
    for item in placed:
        text = item.paragraph.text_on(number)
        if text:
            boxes = [(x.x0, x.y0, x.x1, x.y1) for page, x in item.paragraph.lines if page == number]
            apart = item.reason and item.reason != HEADING
            label = item.reason if apart else item.paragraph.kind
            yield Part(label, APART if apart else COLOURS[item.paragraph.kind], item.section, text, boxes)


def page_image(file: SourceFile, number: int, parts: list[Part], dpi: int = 90) -> bytes:
    """The page as a PNG with the boxes of its parts."""
    with pymupdf.open(file.path) as document:
        if document.needs_pass:
            document.authenticate(file.password or "")
        page = document[number - 1]
        for part in parts:
            colour = _rgb(part.colour)
            for box in part.boxes:
                shown = pymupdf.Rect(box) * page.derotation_matrix
                page.draw_rect(shown, color=colour, fill=colour, width=0.4, fill_opacity=0.15)
        png: bytes = page.get_pixmap(dpi=dpi).tobytes("png")
        return png


def _rgb(colour: str) -> tuple[float, ...]:
    """Red, green and blue from 0 to 1 of ``#rrggbb``."""
    return tuple(int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
