"""Paragraphs out of columns of lines: closed up over line, column and page breaks, with what floats set beside them.

Figures, tables and notes often stand in the middle of a paragraph. They are held back until it ends, so that no
sentence is interrupted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller, tidy
from med_small_lm.textbooks.layout import Column, Type
from med_small_lm.textbooks.pages import Line

_CAPTION = re.compile(r"(?:Figure|Fig\.?|FIGURE|Table|TABLE|Plate|Scheme|Chart|Box|Exhibit)\s+[A-Z]?\d")
_BULLET = re.compile(r"[•◦▪▫■□●○‣⁃∙►➢➤✓✔❏❑❖\uf0a7\uf0b7\uf0d8]\s*")
_DASH = re.compile(r"[-–—*·]\s+")  # a bullet too, but only where a paragraph may begin
_MARK = re.compile(rf"\A(?:{_BULLET.pattern}|{_DASH.pattern})")
_NUMBER = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{2,4})[.)]\s+\S")
_TERMINAL = re.compile(r"[.!?:;…][\"'”’)\]]*\d{0,3}$")
_HEADING_WORDS = 30  # a bold or large stretch that is longer is text


@dataclass(slots=True)
class Paragraph:
    """A stretch of text that belongs together: kind is heading, text, item, caption, note or table.

    ``marks`` are pairs (offset, page): from that character on the text stands on that page. ``x0`` is the distance of
    the first line from the column's left edge in points; ``hanging`` says that the others stand deeper.
    """

    kind: str
    text: str
    marks: list[tuple[int, int]]
    size: float
    bold: bool
    x0: float = 0.0
    hanging: bool = False
    rows: list[str] = field(default_factory=list)

    def page_at(self, offset: int) -> int:
        """The page that the character at the offset stands on."""
        return next(page for start, page in reversed(self.marks) if start <= offset or start == 0)

    @property
    def page(self) -> int:
        """The page that the paragraph begins on."""
        return self.marks[0][1]

    @property
    def n_words(self) -> int:
        """The paragraph's length in words."""
        return len(self.text.split())


class Flow:
    """Reads columns one after the other and closes up their paragraphs."""

    def __init__(self, body: Type, speller: Speller, reading: Reading) -> None:
        """Starts before the first column."""
        self._body, self._speller, self._reading = body, speller, reading
        self._done: list[Paragraph] = []
        self._open: Paragraph | None = None  # the running text
        self._held: list[Paragraph] = []  # floats that wait for its end
        self._last: Line | None = None  # the line before, in this column
        self._head: tuple[Line, int] | None = None  # last line of the last heading, and its page
        self._text_last: tuple[Line, float] | None = None  # last line of the running text, right edge of its column

    def paragraphs(self, columns: list[Column]) -> list[Paragraph]:
        """All paragraphs of the columns, in reading order."""
        for column in columns:
            self._last = None
            leading = _leading(column, self._body)
            for line, after in zip(column.lines, [*column.lines[1:], None], strict=True):
                self._read(line, after, column, leading)
                self._last = line
        self._close()
        return self._done

    def _read(self, line: Line, after: Line | None, column: Column, leading: float) -> None:
        gap = line.base - self._last.base if self._last else float("inf")
        if line.rows:
            self._table(line, column.page)
            return
        kind = self._kind(line, after, gap, leading)
        if kind == "heading":
            self._heading(line, column.page)
        elif kind in ("caption", "note"):
            self._float(kind, line, gap, column.page)
        else:
            self._running(kind, line, after, column, gap / leading)

    def _table(self, line: Line, page: int) -> None:
        """A table of its own, or more rows of the one before, without the head that a new page repeats."""
        before = next((p for p in [*reversed(self._held), *self._done[-1:]] if p.kind == "table"), None)
        cells = line.rows[0].count(" | ")
        going_on = before and before.marks[-1][1] in (page, page - 1) and before.rows[0].count(" | ") == cells
        if before and going_on and line.rows[0] == before.rows[0]:
            line.rows = line.rows[1:]
        elif before and going_on and line.rows[0].startswith(" | "):  # a row that the page break cut
            pieces = zip(before.rows[-1].split(" | "), line.rows[0].split(" | "), strict=False)
            before.rows[-1] = " | ".join(self._speller.join(above, below) for above, below in pieces)
            line.rows = line.rows[1:]
        else:
            self._held.append(Paragraph("table", "\n".join(line.rows), [(0, page)], line.size, False, rows=line.rows))
            return
        start = sum(len(row) + 1 for row in before.rows)
        if line.rows and page != before.marks[-1][1]:
            before.marks.append((start, page))
        before.rows += line.rows
        before.text = "\n".join(before.rows)

    def _kind(self, line: Line, after: Line | None, gap: float, leading: float) -> str:
        text, relative = line.text.strip(), line.size / self._body.size
        lone = gap > 1.15 * leading or self._after_heading()
        wordy = any(letter.isalpha() for letter in text)
        small = relative < self._reading.small_size
        foreign = line.face not in ("", self._body.face)
        if _CAPTION.match(text) and len(text) > 8 and (small or line.lead_bold or foreign):
            return "caption"
        single = after is None or after.face != line.face or after.base - line.base > 1.15 * leading
        titled = line.bold or (foreign and single and not _TERMINAL.search(text) and not text[0].islower())
        if wordy and (relative >= self._reading.heading_size or (titled and relative > 0.97 and lone)):
            return "heading"
        if small:
            return "note"
        begins = lone or self._ended() or (self._open is not None and self._open.kind == "item")
        return "item" if _BULLET.match(text) or (begins and (_NUMBER.match(text) or _DASH.match(text))) else "text"

    def _after_heading(self) -> bool:
        return not self._held and self._open is not None and self._open.kind == "heading"

    def _ended(self) -> bool:
        """Whether the running text is complete as far as one can see: nothing open, or a sentence's end."""
        return self._open is None or bool(_TERMINAL.search(self._open.text))

    def _heading(self, line: Line, page: int) -> None:
        open_ = self._open
        before, on = self._head or (line, 0)  # its lines may stand in two columns: a wide one and a short rest
        if open_ and self._after_heading() and on == page and 0 < line.base - before.base < 1.7 * line.size:
            same = abs(open_.size - line.size) < 0.3 and open_.bold == line.bold and open_.n_words < _HEADING_WORDS
            if same and not re.match(r"\d+\.\d|Chapter|CHAPTER", line.text.strip()):
                self._append(open_, line, page)
                self._head = (line, page)
                return
        self._close()
        self._open, self._head = _paragraph("heading", line, page), (line, page)

    def _float(self, kind: str, line: Line, gap: float, page: int) -> None:
        last = self._held[-1] if self._held else None
        near = gap < 1.25 * line.size * max(1.2, self._body.leading / self._body.size)
        if kind == "note" and last and last.kind in ("caption", "note") and abs(last.size - line.size) < 0.6 and near:
            self._append(last, line, page)
        else:
            self._held.append(_paragraph(kind, line, page))

    def _running(self, kind: str, line: Line, after: Line | None, column: Column, gap: float) -> None:
        open_ = self._open
        if open_ and open_.kind != "heading" and self._continues(open_, kind, line, after, column, gap):
            open_.hanging |= open_.kind == "item" and line.x0 - column.left > open_.x0 + 3
            self._append(open_, line, column.page)
        else:
            self._close()
            self._open = _paragraph(kind, line, column.page)
            self._open.x0 = line.x0 - column.left
        self._text_last = (line, column.right)

    def _continues(
        self, open_: Paragraph, kind: str, line: Line, after: Line | None, column: Column, gap: float
    ) -> bool:
        """Whether a line of running text goes on with the open paragraph. ``gap`` is in leadings."""
        if kind == "item":
            return False
        before, right = self._text_last or (line, column.right)
        broken = self._last is not before  # a column, a page or a float lies between
        if not broken and gap > self._reading.paragraph_gap:
            return False
        short = _fits(line, before, right) and line.text.lstrip()[:1].isupper()
        indented = 0.7 * line.size < line.x0 - (column.left if broken else before.x0) < 6 * line.size
        if broken and line.text.lstrip()[:1].islower():
            return True
        if open_.kind == "item" and (open_.hanging or (indented and not broken)):
            return line.x0 - column.left > open_.x0 + 3
        returns = after is None or after.x0 < line.x0 - 0.5 * line.size
        if indented and (returns or short) and (not broken or self._ended()):
            return False
        return not (short and (self._ended() or open_.kind == "item"))

    def _append(self, paragraph: Paragraph, line: Line, page: int) -> None:
        piece = _piece(line)
        joined = self._speller.join(paragraph.text, piece)
        if page != paragraph.marks[-1][1]:
            paragraph.marks.append((max(0, len(joined) - len(piece.strip())), page))
        paragraph.text = joined

    def _close(self) -> None:
        for paragraph in [*([self._open] if self._open else []), *self._held]:
            paragraph.text = paragraph.text.rstrip("\u00ad ")
            if paragraph.kind == "heading" and paragraph.n_words > _HEADING_WORDS:
                paragraph.kind = "text"
            if paragraph.text:
                self._done.append(paragraph)
        self._open, self._held = None, []


def _paragraph(kind: str, line: Line, page: int, text: str = "") -> Paragraph:
    text = text or _piece(line)
    if kind == "item":
        text = _MARK.sub("", text, count=1)
    return Paragraph(kind, text, [(0, page)], line.size, line.bold, rows=line.rows)


def _piece(line: Line) -> str:
    """The line's tidy text with what its end says: a soft hyphen, or a space after a dash."""
    end = line.text[-1:]
    return tidy(line.text) + (end if end in ("\u00ad", " ") else "")


def _leading(column: Column, body: Type) -> float:
    """The distance of lines in this column: pages that are stretched to full height have their own."""
    gaps = sorted(
        two.base - one.base
        for one, two in zip(column.lines, column.lines[1:], strict=False)
        if abs(one.size - body.size) < 0.3 > abs(two.size - body.size) and 0.9 < (two.base - one.base) / body.size < 2.5
    )
    return gaps[int(0.3 * len(gaps))] if len(gaps) > 4 else body.leading


def _fits(line: Line, before: Line, right: float) -> bool:
    """Whether the line's first word had room at the end of the line before: then that break was meant."""
    words = line.text.split()
    letter = line.width / max(1, len(line.text.strip()))
    return right - before.x1 > letter * (len(words[0]) + 1) * 1.3 + letter if words else False
