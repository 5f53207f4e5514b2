"""Pages as lines of type: the one place that touches PyMuPDF.

Every line comes in reading direction (turned pages are turned back), with its box in points from the upper left
corner, its baseline, its dominant type size and its face.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pymupdf

from med_small_lm.params.ingest_textbooks import Reading

# Ligatures are spelt out by leaving out TEXT_PRESERVE_LIGATURES; images are never decoded.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
_BOLD = ("bold", "black", "heavy", "-bd", "semibd")
_PLAIN = "0123456789+-−=()"
_RAISED = str.maketrans(_PLAIN, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾")
_LOWERED = str.maketrans(_PLAIN, "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
# A page with more drawings than this holds an illustration, and reading its paths costs more than a table is worth.
_DRAWINGS_MAX = 3000


class Unreadable(Exception):
    """What keeps a file from being read: the report's status and a one-line reason."""

    def __init__(self, status: str, reason: str, pages: int = 0) -> None:
        """Keeps the status, the reason and how many pages the file has."""
        super().__init__(reason)
        self.status, self.reason, self.pages = status, reason, pages


@dataclass(slots=True)
class Line:
    """A line of type, or with ``rows`` a whole table. Lengths in points; ``face`` is empty if mixed."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    base: float
    size: float
    bold: bool
    lead_bold: bool
    face: str
    rows: list[str] = field(default_factory=list)

    @property
    def width(self) -> float:
        """The line's width in points."""
        return self.x1 - self.x0


@dataclass(slots=True)
class Rule:
    """A ruling: horizontal from ``a`` to ``b`` at height ``at``, or vertical from ``a`` to ``b`` at abscissa ``at``."""

    at: float
    a: float
    b: float


@dataclass(slots=True)
class Page:
    """A page, counted from 1: its lines in the content stream's order and its rulings."""

    number: int
    width: float
    height: float
    lines: list[Line]
    across: list[Rule] = field(default_factory=list)
    down: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the outline (bookmarks): level from 1, title, page from 1."""

    level: int
    title: str
    page: int


@dataclass(frozen=True, slots=True)
class Book:
    """A file's pages that can be read, its outline, and how many pages it has."""

    pages: list[Page]
    outline: list[Entry]
    count: int


def open_book(path: Path, password: str | None, reading: Reading) -> Book:
    """A file's pages and outline.

    Raises:
        Unreadable: The file is empty, broken, no PDF, encrypted, or has no text layer that can be read.
        FileNotFoundError: There is no such file.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    with _document(path, password, reading) as document:
        count = document.page_count
        pages = [page for number in range(count) if (page := _page(document, number)) is not None]
        _check_text(document, pages, count, reading)
        return Book(pages, _outline(document, count), count)


def _document(path: Path, password: str | None, reading: Reading) -> pymupdf.Document:
    if not path.stat().st_size:
        raise Unreadable("quarantined", "the file is empty")
    try:
        document = pymupdf.open(path, filetype="pdf")
        if not document.is_pdf:  # MuPDF goes by what a file holds: a web page saved under a PDF's name would be read
            raise Unreadable("quarantined", "it is no PDF, whatever its name says")
        if document.needs_pass and not (password and document.authenticate(password)):
            wrong = "the password does not open it" if password else "it is encrypted and no password is given"
            raise Unreadable("needs_password", wrong)
        count = document.page_count
    except Unreadable:
        raise
    except Exception as error:  # MuPDF raises many types on damaged files, RuntimeError and its own among them
        raise Unreadable("quarantined", f"it cannot be opened as a PDF: {_one_line(error)}") from error
    if not 1 <= count <= reading.pages_max:
        raise Unreadable("quarantined", f"it has {count} pages", 0)
    return document


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _check_text(document: pymupdf.Document, pages: list[Page], count: int, reading: Reading) -> None:
    if not pages:
        raise Unreadable("quarantined", "none of its pages can be read", count)
    text = "".join(line.text for page in pages for line in page.lines)
    if not text.strip():
        try:
            scanned = any(document[number].get_images() for number in range(min(count, 20)))
        except Exception:
            scanned = False
        if scanned:
            raise Unreadable("needs_ocr", "its pages are images without a text layer", count)
        raise Unreadable("quarantined", "its pages hold no text", count)
    if text.count("\ufffd") > reading.unknown_max * len(text):
        raise Unreadable("needs_ocr", "its fonts do not say which characters they show", count)


def _outline(document: pymupdf.Document, count: int) -> list[Entry]:
    try:
        toc = document.get_toc(simple=True)
    except Exception:
        return []
    return [Entry(level, " ".join(title.split()), page) for level, title, page in toc if 1 <= page <= count and title]


def _page(document: pymupdf.Document, number: int) -> Page | None:
    try:
        page = document[number]
        content = page.get_text("dict", flags=_FLAGS)
        raw = [line for block in content["blocks"] for line in block.get("lines", ())]
        turn = _turn(raw)
        width, height = content["width"], content["height"]
        lines = [line for item in raw if (line := _line(item, turn, width, height)) is not None]
        if turn:
            return Page(number + 1, height, width, lines)
        across, down = _rules(page) if lines else ([], [])
        return Page(number + 1, width, height, lines, across, down)
    except Exception:  # one damaged page does not cost the book
        return None


def _turn(raw: list[dict[str, Any]]) -> int:
    """The direction most lines run in: 0 rightwards, 1 downwards, -1 upwards."""
    votes = {0: 0, 1: 0, -1: 0}
    for line in raw:
        votes[_direction(line)] += len(line["spans"])
    return max(votes, key=lambda turn: votes[turn])


def _direction(line: dict[str, Any]) -> int:
    x, y = line["dir"]
    return 0 if abs(x) >= abs(y) else (1 if y > 0 else -1)


def _line(raw: dict[str, Any], turn: int, width: float, height: float) -> Line | None:
    if _direction(raw) != turn:  # a watermark or the label of an axis
        return None
    spans = [span for span in raw["spans"] if span["text"]]
    visible = [span for span in spans if span["text"].strip()]
    if not visible:
        return None
    main = max(visible, key=lambda span: len(span["text"]))
    size = main["size"]
    x0, y0, x1, y1 = raw["bbox"]
    base: float = main["origin"][1]
    if turn == 1:
        x0, y0, x1, y1, base = y0, width - x1, y1, width - x0, width - main["origin"][0]
    elif turn == -1:
        x0, y0, x1, y1, base = height - y1, x0, height - y0, x1, main["origin"][0]
    text = "".join(span["text"] if span["size"] > 0.85 * size else _shifted(span, main) for span in spans)
    face = main["font"] if all(span["font"] == main["font"] for span in visible) else ""
    bold = [_bold(span["font"], span["flags"]) for span in visible]
    return Line(text, x0, y0, x1, y1, base, round(size, 1), all(bold), bold[0], face)


@lru_cache(maxsize=1024)
def _bold(font: str, flags: int) -> bool:
    return bool(flags & pymupdf.TEXT_FONT_BOLD) or any(mark in font.lower() for mark in _BOLD)


def _shifted(span: dict[str, Any], main: dict[str, Any]) -> str:
    """Small type above or below the baseline: 10 and a raised 6 is ``10⁶`` and not 106."""
    rise = (main["origin"][1] - span["origin"][1]) / main["size"]
    text: str = span["text"]
    if abs(rise) < 0.06 or text.strip(_PLAIN + " "):
        return text
    return text.translate(_RAISED if rise > 0 else _LOWERED)


def _rules(page: pymupdf.Page) -> tuple[list[Rule], list[Rule]]:
    drawings = page.get_cdrawings()
    across: list[Rule] = []
    down: list[Rule] = []
    if len(drawings) > _DRAWINGS_MAX:
        return across, down
    for drawing in drawings:
        for x0, y0, x1, y1 in _edges(drawing):
            if abs(y1 - y0) < 2 and abs(x1 - x0) > 8:
                across.append(Rule((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
            elif abs(x1 - x0) < 2 and abs(y1 - y0) > 4:
                down.append(Rule((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
    return across, down


def _edges(drawing: dict[str, Any]) -> Iterator[tuple[float, float, float, float]]:
    """The straight edges of a path. A thin rectangle counts as a ruling, a wide one by its four sides if stroked."""
    for item in drawing["items"]:
        if item[0] == "l":
            yield (*item[1], *item[2])
        elif item[0] == "re":
            x0, y0, x1, y1 = item[1]
            if min(x1 - x0, y1 - y0) < 2:
                yield x0, y0, x1, y1
            elif "s" in drawing["type"]:
                yield from ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1))
