"""Pages as lines of type: the one place that touches PyMuPDF.

Every line comes in reading direction (turned pages are turned back), with its box in points from the upper left
corner, its baseline, its dominant type size and its face.
"""

from __future__ import annotations

import os
import stat
import stringprep
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pymupdf

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.ocr import missing, recognise
from med_small_lm.textbooks.overprints import printed_once
from med_small_lm.textbooks.rulings import Box, Rule, crossing, pieces, rules_of

# Ligatures are spelt out by leaving out TEXT_PRESERVE_LIGATURES; images are never decoded. Drawings come with the text
# for nothing, where ``get_cdrawings`` interprets the page once more.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_COLLECT_VECTORS
_BOLD = ("bold", "black", "heavy", "-bd", "semibd")
PLAIN = "0123456789+-−=()"
RAISED = str.maketrans(PLAIN, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾")
LOWERED = str.maketrans(PLAIN, "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
NEEDS_OCR, OCR, DAMAGED = "needs OCR", "ocr", "damaged"
OCR_PAGES = 5  # reading a picture may take as long as so many pages
_STAMP = 50  # characters: a scanned page may bear less text than that, its folio or who scanned it
_OBLIQUE = 2  # no direction of a page: a watermark's
_WHOLE, _PART = 0.7, 0.05  # of the page, that pictures cover at least: with such a text, and without any


class Unreadable(Exception):
    """What keeps a file from being read: the report's status and a one-line reason."""

    def __init__(self, status: str, reason: str, pages: int = 0) -> None:
        """Keeps the status, the reason and how many pages the file has."""
        super().__init__(reason)
        self.status, self.reason, self.pages = status, reason, pages

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str, str, int]]:
        """The same error in another process."""
        return Unreadable, (self.status, self.reason, self.pages)


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
    rows: list[list[str]] = field(default_factory=list)

    @property
    def width(self) -> float:
        """The line's width in points."""
        return self.x1 - self.x0


@dataclass(slots=True)
class Page:
    """A page, counted from 1: its lines in the content stream's order and its rulings.

    ``state`` is empty, ``ocr`` if it was read from its picture, or the reason why nothing of it could be read;
    ``turned`` is how many words stand in lines that run in another direction, which are left out.
    """

    number: int
    width: float
    height: float
    lines: list[Line]
    across: list[Rule] = field(default_factory=list)
    down: list[Rule] = field(default_factory=list)
    state: str = ""
    turned: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the outline (bookmarks): level from 1, title, page from 1."""

    level: int
    title: str
    page: int


def check_file(path: Path) -> None:
    """Refuses what is no file with content, before anything opens it: reading a pipe would wait for its writer.

    Raises:
        Unreadable: It is a folder, a pipe or a device, is empty, or may not be read.
        FileNotFoundError: There is no such file.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable("quarantined", f"it cannot be looked at: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise Unreadable("quarantined", f"it is {kind} and no file")
    if not found.st_size:
        raise Unreadable("quarantined", "the file is empty")
    if not os.access(path, os.R_OK):
        raise Unreadable("quarantined", "there is no permission to read it")


def open_pdf(path: Path, password: str | None, reading: Reading) -> pymupdf.Document:
    """The file, opened and unlocked.

    Raises:
        Unreadable: The file is empty, broken, no PDF, encrypted, or has too many pages.
        FileNotFoundError: There is no such file.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
        if not document.is_pdf:  # MuPDF goes by what a file holds: a web page saved under a PDF's name would be read
            raise Unreadable("quarantined", "it is no PDF, whatever its name says")
        if document.needs_pass and not any(document.authenticate(form) for form in _forms(password)):
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


def _forms(password: str | None) -> list[str]:
    """The password as it is given, and as PDF 2.0 has it prepared (SASLprep, RFC 4013)."""
    if not password:
        return []
    mapped = (" " if stringprep.in_table_c12(letter) else letter for letter in password)
    prepared = unicodedata.normalize("NFKC", "".join(x for x in mapped if not stringprep.in_table_b1(x)))
    return list(dict.fromkeys((password, prepared)))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def outline_of(document: pymupdf.Document) -> list[Entry]:
    """The file's bookmarks, as far as they lead to a page."""
    try:
        toc = document.get_toc(simple=True)
    except Exception:
        return []
    count = document.page_count
    return [Entry(level, " ".join(title.split()), page) for level, title, page in toc if 1 <= page <= count and title]


def read_page(
    document: pymupdf.Document, number: int, language: str, reading: Reading, step: Callable[[float], None]
) -> Page:
    """A page, counted from 1, read from its text or else from its picture."""
    step(1)
    try:
        page = document[number - 1]
        content = page.get_text("dict", flags=_FLAGS)
        state = ""
        if _illegible(page, content, reading):
            if missing(language, reading):
                return Page(number, page.rect.width, page.rect.height, [], state=NEEDS_OCR)
            step(OCR_PAGES)
            content, state = recognise(page, language, reading), OCR
            step(1)
        return _laid_out(page, content, number, state)
    except MemoryError:
        raise
    except Exception:  # one damaged page does not cost the book
        return Page(number, 0.0, 0.0, [], state=DAMAGED)


def _illegible(page: pymupdf.Page, content: dict[str, Any], reading: Reading) -> bool:
    """Whether the page shows text that its text layer does not hold: it is a picture, or its fonts are no help."""
    spans = (span for block in content["blocks"] for line in block.get("lines", ()) for span in line["spans"])
    text = "".join(span["text"] for span in spans).strip()
    if len(text) >= _STAMP:
        return text.count("\ufffd") > reading.unknown_max * len(text)
    area: float = abs(page.rect) or 1.0
    covered: float = sum(abs(pymupdf.Rect(image["bbox"]) & page.rect) for image in page.get_image_info()) / area
    return covered > (_WHOLE if text else _PART)


def _laid_out(page: pymupdf.Page, content: dict[str, Any], number: int, state: str) -> Page:
    raw = [line for block in content["blocks"] for line in block.get("lines", ())]
    turn = _turn(raw)
    width, height = content["width"], content["height"]
    lines = printed_once([line for item in raw if (line := _line(item, turn, width, height)) is not None])
    turned = sum(_words(line) for line in raw if _direction(line) != turn)
    across, down = ([], []) if state else rules_of(content["blocks"], lambda box: _upright(box, turn, width, height))
    if turn:
        return Page(number, height, width, lines, across, down, state, turned)
    return Page(number, width, height, _parted(page, lines, down) if down else lines, across, down, state, turned)


def _upright(box: Box, turn: int, width: float, height: float) -> Box:
    """The box as it stands when the page is held so that its text runs rightwards."""
    x0, y0, x1, y1 = box
    if turn == 1:
        return y0, width - x1, y1, width - x0
    return (height - y1, x0, height - y0, x1) if turn else box


def _parted(page: pymupdf.Page, lines: list[Line], down: list[Rule]) -> list[Line]:
    """The lines, those that vertical rulings run through cut there: MuPDF joins cells that stand close."""
    result: list[Line] = []
    words: list[Any] = []
    for line in lines:
        box = (line.x0, line.y0, line.x1, line.y1)
        bars = crossing(box, down)
        words = words or (page.get_text("words") if bars else [])
        parts = pieces(words, box, bars) if bars else []
        cells = [replace(line, text=text, x0=x0, x1=x1) for text, x0, x1 in parts]
        result.extend(cells if len(cells) > 1 else [line])
    return result


def _turn(raw: list[dict[str, Any]]) -> int:
    """The direction most lines run in: 0 rightwards, 1 downwards, -1 upwards."""
    votes = {0: 0, 1: 0, -1: 0, _OBLIQUE: 0}
    for line in raw:
        votes[_direction(line)] += len(line["spans"])
    return max((0, 1, -1), key=lambda turn: votes[turn])


def _direction(line: dict[str, Any]) -> int:
    x, y = line["dir"]
    if min(abs(x), abs(y)) > 0.2:
        return _OBLIQUE
    return 0 if abs(x) >= abs(y) else (1 if y > 0 else -1)


def _words(line: dict[str, Any]) -> int:
    return len("".join(span["text"] for span in line["spans"]).split())


def _line(raw: dict[str, Any], turn: int, width: float, height: float) -> Line | None:
    if _direction(raw) != turn:  # a watermark or the label of an axis
        return None
    spans = [span for span in raw["spans"] if span["text"]]
    visible = [span for span in spans if span["text"].strip()]
    if not visible:
        return None
    main = max(visible, key=lambda span: len(span["text"]))
    size = main["size"]
    x0, y0, x1, y1 = _upright(raw["bbox"], turn, width, height)
    base: float = (main["origin"][1], width - main["origin"][0], main["origin"][0])[turn]
    text = "".join(span["text"] if span["size"] > 0.85 * size else _shifted(span, main, turn) for span in spans)
    face = main["font"] if all(span["font"] == main["font"] for span in visible) else ""
    bold = [_bold(span["font"], span["flags"]) for span in visible]
    return Line(text, x0, y0, x1, y1, base, round(size, 1), all(bold), bold[0], face)


@lru_cache(maxsize=1024)
def _bold(font: str, flags: int) -> bool:
    return bool(flags & pymupdf.TEXT_FONT_BOLD) or any(mark in font.lower() for mark in _BOLD)


def _shifted(span: dict[str, Any], main: dict[str, Any], turn: int) -> str:
    """Small type above or below the baseline: 10 and a raised 6 is ``10⁶`` and not 106."""
    across, up = (main["origin"][axis] - span["origin"][axis] for axis in (0, 1))
    rise = (up, -across, across)[turn] / main["size"]
    text: str = span["text"]
    if abs(rise) < 0.06 or text.strip(PLAIN + " "):
        return text
    return text.translate(RAISED if rise > 0 else LOWERED)
