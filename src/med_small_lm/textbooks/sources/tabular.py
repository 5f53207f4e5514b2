"""Tables and lists as HTML and JATS both mark them up: rows of cells, and what stands before an item."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from med_small_lm.textbooks.sources.blocks import Blocks
from med_small_lm.textbooks.sources.markup import End, nothing

_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_SPAN_MAX = 1000
_COUNTED: dict[str, Callable[[int], str]] = {
    "a": lambda number: _letters(number),
    "A": lambda number: _letters(number).upper(),
    "i": lambda number: _roman(number),
    "I": lambda number: _roman(number).upper(),
}


class Tables:
    """Writes tables to blocks. One that holds headings or tables is a page's layout, and its cells are text."""

    def __init__(self, blocks: Blocks) -> None:
        """Starts outside any table."""
        self._blocks = blocks
        self._rows: list[_Rows | None] = []

    def begin(self, node: etree._Element, name: str) -> End:
        """Begins a table, row or cell; what ends it."""
        if name == "table":
            layout = next(node.iterdescendants("{*}table", "{*}h1", "{*}h2", "{*}h3", "{*}h4"), None) is not None
            self._rows.append(None if layout else _Rows())
            return self._end_table
        rows = self._rows[-1] if self._rows else None
        if rows is None:
            self._blocks.open()
            return self._blocks.close
        if name == "tr":
            rows.begin()
            return nothing
        self._blocks.cell()
        return lambda: rows.add(self._blocks.release(), _span(node, "rowspan"), _span(node, "colspan"))

    def _end_table(self) -> None:
        rows = self._rows.pop()
        if rows is not None:
            self._blocks.table(rows.lines)


class _Rows:
    """The rows of one table. A cell that spans rows or columns leaves its place empty in all but its first."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self._until: dict[int, int] = {}  # the number of rows when the cell that spans a column ends

    def begin(self) -> None:
        self.lines.append([])

    def add(self, text: str, rows: int, columns: int) -> None:
        if not self.lines:
            self.begin()
        row = self.lines[-1]
        while self._until.get(len(row), 0) >= len(self.lines):
            row.append("")
        for said in [text.replace("|", "/"), *[""] * (columns - 1)]:
            self._until[len(row)] = len(self.lines) + rows - 1
            row.append(said)


def _span(cell: etree._Element, name: str) -> int:
    """How many rows or columns a cell takes; 1 where that is not said."""
    said = cell.get(name, "1")
    return max(1, min(int(said), _SPAN_MAX)) if said.isdecimal() else 1


class Counter:
    """What stands before the items of an ordered list; nothing before those of another."""

    def __init__(self, style: str = "", start: str = "1") -> None:
        """A style of HTML: 1, a, A, i or I; empty where the list is not ordered."""
        self._style, self._number = style, int(start) if re.fullmatch(r"-?\d{1,9}", start) else 1

    def mark(self, value: str = "") -> str:
        """The next item's mark, of the value that the item itself may give."""
        if not self._style:
            return ""
        self._number = int(value) if re.fullmatch(r"-?\d{1,9}", value) else self._number
        counted = _COUNTED.get(self._style, str) if 0 < self._number < 400 else str
        self._number += 1
        return f"{counted(self._number - 1)}."


def _letters(number: int) -> str:
    return (_letters((number - 1) // 26) if number > 26 else "") + chr(ord("a") + (number - 1) % 26)


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text
