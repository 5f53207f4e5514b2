"""Paragraphs out of columns of lines: closed up over line, column and page breaks, with what floats set beside them.

Figures, tables and notes often stand in the middle of a paragraph. They are held back until it ends, so that no
sentence is interrupted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller, tidy
from med_small_lm.textbooks.layout import Column, Type
from med_small_lm.textbooks.pages import Line
from med_small_lm.textbooks.tables import CAPTION, continued, table_text

_BULLET = re.compile(r"[•◦▪▫■□●○‣⁃∙►➢➤✓✔❏❑❖\uf0a7\uf0b7\uf0d8]\s*")
_DASH = re.compile(r"[-–—*·]\s+")  # a bullet too, but only where a paragraph may begin
_MARK = re.compile(rf"\A(?:{_BULLET.pattern}|{_DASH.pattern})")
_NUMBER = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{2,4})[.)]\s+\S")
_COUNT = re.compile(r"(\d{1,2})\s+[^\W\d_]")
_TERMINAL = re.compile(r"[.!?:;…][\"'”’)\]]*\d{0,3}$")
_URL = ("http://", "https://", "www.")
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED = str.maketrans(SUPERSCRIPTS, "0123456789")
_NOTE = re.compile(r"([⁰¹²³⁴-⁹]{1,3}|\d{1,3}(?=[.)]?\s|[A-Z])|[*†‡§¶]{1,3})[.)]?\s*(?=\S)")
_RAISED_GAP = 1.35  # most leading of a line that a raised mark pushes down, in leadings
_HEADING_WORDS = 30  # a bold or large stretch that is longer is text


@dataclass(slots=True)
class Paragraph:
    """A stretch of text that belongs together: kind is heading, text, item, caption, note or table.

    ``marks`` are pairs (offset, page): from that character on the text stands on that page. ``x0`` is the distance of
    the first line from the column's left edge in points; ``hanging`` says that the others stand deeper. ``lines`` are
    its lines with their pages, for pictures; another process may leave them out.
    ``level`` is a heading's, where the source gives it; 0 leaves it to outline, number and type.
    """

    kind: str
    text: str
    marks: list[tuple[int, int]]
    size: float
    bold: bool
    x0: float = 0.0
    hanging: bool = False
    rows: list[list[str]] = field(default_factory=list)
    lines: list[tuple[int, Line]] = field(default_factory=list, repr=False)
    level: int = 0

    def page_at(self, offset: int) -> int:
        """The page that the character at the offset stands on."""
        if len(self.marks) == 1:
            return self.marks[0][1]
        return next(page for start, page in reversed(self.marks) if start <= offset or start == 0)

    def __reduce__(self) -> tuple[type[Paragraph], tuple[Any, ...]]:
        """The fields in their order: it goes between processes twice as fast as by the default."""
        return Paragraph, _FIELDS(self)

    def text_on(self, page: int) -> str:
        """The part of the text that stands on the page, empty if none does."""
        starts = [start for start, _ in self.marks]
        parts = zip(self.marks, [*starts[1:], len(self.text)], strict=True)
        return " ".join(self.text[start:end] for (start, on), end in parts if on == page).strip()

    @property
    def page(self) -> int:
        """The page that the paragraph begins on."""
        return self.marks[0][1]

    @property
    def n_words(self) -> int:
        """The paragraph's length in words."""
        return len(self.text.split())


_FIELDS = attrgetter(*(entry.name for entry in fields(Paragraph)))


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
        self.read(columns)
        return self.close()

    def read(self, columns: Iterable[Column]) -> None:
        """Takes in more columns; they are left as they are."""
        for column in columns:
            self._last = None
            leading = _leading(column, self._body)
            for line, after in zip(column.lines, [*column.lines[1:], None], strict=True):
                self._read(line, after, column, leading)
                self._last = line

    def close(self) -> list[Paragraph]:
        """All paragraphs, none left open."""
        self._close()
        return self._done

    def hand_over(self) -> tuple[list[Paragraph], dict[str, Any]]:
        """The paragraphs that no later line can change, and the state that the next columns are read in."""
        done, self._done = self._done[:-1], self._done[-1:]
        state = {name: value for name, value in vars(self).items() if name not in ("_body", "_speller", "_reading")}
        head = self._head if self._after_heading() else None  # nobody asks for an older one
        return done, deepcopy(state | {"_last": None, "_head": head})

    def take_over(self, state: dict[str, Any]) -> None:
        """Goes on where another flow has handed over."""
        vars(self).update(deepcopy(state))

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
        near = before is not None and page - before.lines[-1][0] <= 1
        rows = continued(before.rows, line.rows, self._speller) if before and near else None
        if before is None or rows is None:
            self._held.append(_paragraph("table", line, page, table_text(line.rows)))
            return
        start = len(table_text(rows[: len(before.rows)])) + 1
        if len(rows) > len(before.rows) and page != before.marks[-1][1]:
            before.marks.append((start, page))
        before.rows = rows
        before.lines.append((page, line))
        before.text = table_text(rows)

    def _kind(self, line: Line, after: Line | None, gap: float, leading: float) -> str:
        text, relative = line.text.strip(), line.size / self._body.size
        lone = gap > 1.15 * leading or self._after_heading()
        wordy = any(letter.isalpha() for letter in text)
        small = relative < self._reading.small_size
        foreign = line.face not in ("", self._body.face)
        if CAPTION.match(text) and len(text) > 8 and (small or line.lead_bold or foreign):
            return "caption"
        single = after is None or after.face != line.face or after.base - line.base > 1.15 * leading
        titled = line.bold or (foreign and single and not _TERMINAL.search(text) and not text[0].islower())
        if wordy and (relative >= self._reading.heading_size or (titled and relative > 0.97 and lone)):
            return "heading"
        if small:
            return "note"
        begins = lone or self._ended() or (self._open is not None and self._open.kind == "item")
        item = _NUMBER.match(text) or _DASH.match(text) or self._counts_on(text)
        return "item" if _BULLET.match(text) or (begins and item) else "text"

    def _counts_on(self, text: str) -> bool:
        """Whether the line begins with 1, or the number after the open item's, and no stop behind it."""
        found = _COUNT.match(text)
        before = _COUNT.match(self._open.text) if self._open and self._open.kind == "item" else None
        return found is not None and int(found.group(1)) == 1 + (int(before.group(1)) if before else 0)

    def _after_heading(self) -> bool:
        return not self._held and self._open is not None and self._open.kind == "heading"

    def _ended(self) -> bool:
        """Whether the running text is complete as far as one can see: nothing open, or a sentence's end."""
        return self._open is None or bool(_TERMINAL.search(self._open.text))

    def _heading(self, line: Line, page: int) -> None:
        open_ = self._open
        before, on = self._head or (line, 0)  # its lines may stand in two columns: a wide one and a short rest
        tall = max(line.size, 0.7 * (line.y1 - line.y0))  # most letters of a line in small capitals are smaller than it
        if open_ and self._after_heading() and on == page and 0 < line.base - before.base < 1.7 * tall:
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
        begins = last and (_next_note(last.text, line.text) if last.kind == "note" else line.text[:1] in SUPERSCRIPTS)
        same = last and last.kind in ("caption", "note") and abs(last.size - line.size) < 0.6
        if kind == "note" and last and same and near and not begins:
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
            return gap < _RAISED_GAP and self._unfinished(line)
        short = (_fits(line, before, right) or _is_url(open_.text)) and line.text.lstrip()[:1].isupper()
        indented = 0.7 * line.size < line.x0 - (column.left if broken else before.x0) < 6 * line.size
        if self._ended() and line.text.startswith(_URL):
            return False
        if broken and line.text.lstrip()[:1].islower():
            return True
        if open_.kind == "item" and (open_.hanging or (indented and not broken)):
            return line.x0 - column.left > open_.x0 + 3 and not short
        returns = after is None or after.x0 < line.x0 - 0.5 * line.size
        if indented and (returns or short) and (not broken or self._ended()):
            return False
        return not (short and (self._ended() or open_.kind == "item" or _is_url(open_.text)))

    def _unfinished(self, line: Line) -> bool:
        """Whether a sentence, or a broken word, goes on in the line: a raised mark in it pushes lines apart."""
        text = self._open.text if self._open else ""
        return line.text.lstrip()[:1].islower() and (text.endswith(("-", "\u00ad", "\u2010")) or not self._ended())

    def _append(self, paragraph: Paragraph, line: Line, page: int) -> None:
        piece = _piece(line)
        joined = self._speller.join(paragraph.text, piece)
        if page != paragraph.marks[-1][1]:
            paragraph.marks.append((max(0, len(joined) - len(piece.strip())), page))
        paragraph.text = joined
        paragraph.lines.append((page, line))

    def _close(self) -> None:
        for paragraph in [*([self._open] if self._open else []), *self._held]:
            paragraph.text = paragraph.text.rstrip("\u00ad ").replace("\u2010", "-")
            if paragraph.kind == "heading" and paragraph.n_words > _HEADING_WORDS:
                paragraph.kind = "text"
            if paragraph.text:
                self._done.append(paragraph)
        self._open, self._held = None, []


def _is_url(text: str) -> bool:
    """Whether the text is nothing but an address."""
    return text.startswith(_URL) and " " not in text


def note_mark(text: str) -> str:
    """The mark that a footnote would begin with, its figures plain; empty if there is none."""
    found = _NOTE.match(text)
    return found.group(1).translate(_RAISED) if found else ""


def _next_note(above: str, below: str) -> bool:
    """Whether a line begins the footnote that follows the one above: 2 after 1, or another sign."""
    first, second = note_mark(above), note_mark(below)
    return bool(first and second) and (second == str(int(first) + 1) if first.isdigit() else first != second)


def _paragraph(kind: str, line: Line, page: int, text: str = "") -> Paragraph:
    text = text or _piece(line)
    if kind == "item":
        text = _MARK.sub("", text, count=1)
    return Paragraph(kind, text, [(0, page)], line.size, line.bold, rows=line.rows, lines=[(page, line)])


def _piece(line: Line) -> str:
    """The line's tidy text with what its end says: the kind of its hyphen, or a space after a dash."""
    end = line.text[-1:]
    text = tidy(line.text)
    return text[:-1] + end if end == "\u2010" else text + (end if end in ("\u00ad", " ") else "")


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
