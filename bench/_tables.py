"""How many cells of a book's tables stand in their row."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path

BAR = " | "


def table_cells(passages: Iterable[str], truth: Path) -> tuple[int, int]:
    """The cells of the truth's tables that stand in their row of the passages, and how many there are.

    A row of the truth is a line of a block of kind table with two cells or more; its place is the line of the
    passages that holds most of its cells. A cell stands there if its letters and digits are part of one cell, which
    no other cell of the row has taken.
    """
    lines = [
        [squeeze(cell) for cell in line.split(BAR)] for text in passages for line in text.split("\n") if BAR in line
    ]
    where: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        for gram in {gram for cell in line for gram in _grams(cell)}:
            where.setdefault(gram, []).append(number)
    standing = total = 0
    for row in table_rows(truth):
        near = {number for cell in row for number in _holding(cell, where)}
        standing += max((_standing(row, lines[number]) for number in near), default=0)
        total += len(row)
    return standing, total


def table_rows(truth: Path) -> list[list[str]]:
    """The rows of the truth's tables that have two cells or more, as letters and digits."""
    blocks = map(json.loads, truth.read_text(encoding="utf-8").splitlines())
    lines = [line for block in blocks if block["kind"] == "table" for line in block["text"].split("\n")]
    rows = [[cell for part in line.split("|") if (cell := squeeze(part))] for line in lines]
    return [row for row in rows if len(row) > 1]


def squeeze(text: str) -> str:
    """The text's letters and digits, folded."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _grams(cell: str) -> set[str]:
    """Pieces by which the lines that may hold a cell are found."""
    return {cell[at : at + size] for size in (1, 4) for at in range(len(cell) - size + 1)}


def _holding(cell: str, where: dict[str, list[int]]) -> set[int]:
    lists = [where.get(gram, []) for gram in (_grams(cell) if len(cell) < 4 else {cell[:4], cell[-4:]})]
    return set(min(lists, key=len))


def _standing(row: list[str], line: list[str]) -> int:
    """How many cells of the row stand in the line, each in a cell of its own: the longest choose first."""
    free = list(line)
    for cell in sorted(row, key=len, reverse=True):
        home = min((other for other in free if cell in other), key=len, default=None)
        if home is not None:
            free.remove(home)
    return len(line) - len(free)
