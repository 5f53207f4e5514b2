"""Marked-up text on its way to paragraphs: what the walkers of HTML and JATS write to.

What floats (a figure's caption, a table, a note) is held back until the paragraph that it stands in has ended, so
that no sentence is interrupted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from med_small_lm.textbooks.cleaning import tidy
from med_small_lm.textbooks.pages import LOWERED, PLAIN, RAISED
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sources.citations import CITED, drop_citations

_BLANK_LINE = re.compile(r"\n\s*\n")
_STOPS = (".", ":", ";", ",", "!", "?", "…", "。")


def paragraph(kind: str, text: str, page: int, level: int = 0, rows: list[list[str]] | None = None) -> Paragraph:
    """A paragraph that has no type: its kind, and a heading's level, are given by the source."""
    return Paragraph(kind, text, [(0, page)], 0.0, False, rows=rows or [], level=level)


@dataclass(slots=True)
class _Frame:
    """What is being written: the open paragraph, what is done, and what waits for the open paragraph's end."""

    usual: str  # the kind of a paragraph that nothing says more of
    cell: bool = False  # a table's cell, which has no paragraphs
    kind: str = ""
    level: int = 0
    mark: str = ""
    parts: list[str] = field(default_factory=list)
    scripts: list[int] = field(default_factory=list)  # where raised and lowered stretches begin in ``parts``
    glued: bool = False  # the next block goes on with the open paragraph
    stopping: bool = False  # and does so behind a stop
    done: list[Paragraph] = field(default_factory=list)
    waiting: list[Paragraph] = field(default_factory=list)

    @property
    def blank(self) -> bool:
        return not any(part.strip() for part in self.parts)


class Blocks:
    """Collects paragraphs, and counts the words that are left out by reason and page."""

    def __init__(self, page: int = 1) -> None:
        """Starts on a page."""
        self.page = page
        self.preformatted = 0
        self.left_out: Counter[tuple[str, int]] = Counter()
        self._frame = _Frame("text")
        self._outer: list[_Frame] = []

    def paragraphs(self) -> list[Paragraph]:
        """All paragraphs, in reading order."""
        while self._outer:
            self.release()
        self.close()
        return self._frame.done

    def write(self, text: str | None) -> None:
        """Adds running text; white space is one space unless it is preformatted."""
        if text:
            frame = self._frame
            if not text.isspace():
                if frame.stopping and not frame.blank:
                    label = "".join(frame.parts).rstrip()
                    frame.parts = [label, " " if label.endswith(_STOPS) else ". "]
                frame.stopping = frame.glued = False
            frame.parts.append(text if self.preformatted else re.sub(r"\s+", " ", text))

    def break_line(self) -> None:
        """Ends a line; two in a row end the paragraph."""
        self._frame.parts.append("\n")

    def stop(self) -> None:
        """Ends a label or title. The same paragraph may go on after it, behind a full stop if it has no stop."""
        self._frame.stopping = self._frame.glued = True

    def glue(self, text: str = " ") -> None:
        """Lets the next block go on with the open paragraph."""
        self._frame.parts.append(text)
        self._frame.glued = True

    def cite(self, text: str) -> None:
        """A reference to the literature, which is no part of the sentence."""
        self._frame.parts.append(CITED.format(" ".join(text.split())))

    def open(self, kind: str = "text", level: int = 0, mark: str = "") -> None:
        """Begins a paragraph. One of plain text goes on with an open one of another kind that is still empty."""
        frame = self._frame
        if frame.cell:
            frame.parts.append(" ")
        elif not (kind == "text" and (frame.glued or (frame.kind not in ("", "text") and frame.blank))):
            self.close()
            frame.kind, frame.level, frame.mark = kind, level, mark

    def close(self) -> None:
        """Ends the open paragraph; what it held back follows."""
        frame = self._frame
        if frame.cell:
            frame.parts.append(" ")
            return
        frame.done.extend(self._closed(frame))
        frame.done.extend(frame.waiting)
        frame.parts, frame.scripts, frame.waiting = [], [], []
        frame.kind, frame.level, frame.mark, frame.glued = "", 0, "", False
        frame.stopping = False

    def _closed(self, frame: _Frame) -> Iterator[Paragraph]:
        text = drop_citations("".join(frame.parts))
        kind = frame.usual if frame.kind in ("", "text") else frame.kind
        pieces = [text] if kind == "heading" else _BLANK_LINE.split(text)
        for piece in filter(None, map(tidy, pieces)):
            yield paragraph(kind, f"{frame.mark} {piece}".strip(), self.page, frame.level)
            frame.mark = ""

    def hold(self, kind: str) -> None:
        """Begins what floats in the open paragraph; its plain text is of that kind."""
        self._outer.append(self._frame)
        self._frame = _Frame(kind)

    def cell(self) -> None:
        """Begins a cell of a table."""
        self._outer.append(self._frame)
        self._frame = _Frame("text", cell=True)

    def release(self) -> str:
        """Ends what was held or the cell; a cell's text."""
        self.close()
        inner, self._frame = self._frame, self._outer.pop()
        self._frame.waiting += [*inner.done, *inner.waiting]
        if self._frame.blank and not self._frame.cell:
            self._frame.done += self._frame.waiting
            self._frame.waiting = []
        return tidy(drop_citations("".join(inner.parts))) if inner.cell else ""

    def table(self, rows: list[list[str]]) -> None:
        """Adds a table: a line a row. What has one column only is no table, but text in a frame."""
        lines = [" | ".join(row).rstrip(" |") for row in rows if any(row)]
        single = all(sum(map(bool, row)) < 2 for row in rows)
        made = [paragraph("text", line, self.page) for line in lines] if single else []
        if lines and not single:
            made = [paragraph("table", "\n".join(lines), self.page, rows=rows)]
        self._frame.waiting += made
        if self._frame.blank and not self._frame.cell:
            self.close()

    def begin_script(self) -> None:
        """Begins a raised or lowered stretch."""
        self._frame.scripts.append(len(self._frame.parts))

    def end_script(self, name: str) -> None:
        """Ends it: figures and signs as such characters (10⁶, H₂O), other text as it is."""
        frame = self._frame
        if not frame.scripts:
            return
        start = frame.scripts.pop()
        text = "".join(frame.parts[start:])
        if name == "sup" and not drop_citations(text).strip(" ,;–-—"):
            text = ""  # numbers of references alone
        elif text.strip() and not text.strip(PLAIN + " "):
            text = text.strip().translate(RAISED if name == "sup" else LOWERED)
        frame.parts[start:] = [text]

    def leave_out(self, reason: str, text: str) -> None:
        """Counts text that is kept apart."""
        number = sum(any(map(str.isalnum, word)) for word in text.split())
        if number:
            self.left_out[reason, self.page] += number
