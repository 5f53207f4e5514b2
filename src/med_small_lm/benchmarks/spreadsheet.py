"""The first sheet of an Excel workbook (xlsx) as rows, by the names in its first line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from med_small_lm.record_files import Row

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")


def sheet_rows(file: Path) -> Iterator[Row]:
    """Yields the rows below the first, with its number: texts, and numbers as texts; an empty cell is no field.

    Raises:
        ValueError: The file is no workbook.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with ZipFile(file) as book:
            sheets = sorted(
                (int(found.group(1)), name) for name in book.namelist() if (found := _SHEET.fullmatch(name))
            )
            shared = "xl/sharedStrings.xml"
            table = etree.fromstring(book.read(shared), parser) if shared in book.namelist() else None
            sheet = etree.fromstring(book.read(sheets[0][1]), parser) if sheets else None
    except (BadZipFile, ZlibError, RuntimeError, etree.XMLSyntaxError) as problem:  # RuntimeError: it has a password
        raise ValueError(f"no Excel workbook: {problem}") from problem
    if sheet is None:
        raise ValueError("no Excel workbook: it has no sheet")
    texts = [] if table is None else [_joined(item) for item in table.iter(f"{_MAIN}si")]
    names: dict[int, str] = {}
    line = 0
    for row in sheet.iter(f"{_MAIN}row"):
        line = int(row.get("r", line + 1))
        cells = dict(_cells(row, texts))
        if names and cells:
            yield Row(line, {names[at]: text for at, text in cells.items() if at in names})
        names = names or {at: text.strip() for at, text in cells.items()}


def _cells(row: Any, texts: list[str]) -> Iterator[tuple[int, str]]:
    """The columns of a row, from 1, that hold a text, with it; a cell without a place follows the one before."""
    at = 0
    for cell in row.iter(f"{_MAIN}c"):
        at = _column(cell.get("r")) if cell.get("r") else at + 1
        if text := _value(cell, texts):
            yield at, text


def _column(place: str) -> int:
    """The number of a cell's column, from 1: 28 of ``AB12``."""
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + int(letter, 36) - 9
    return number


def _value(cell: Any, texts: list[str]) -> str:
    """The text of a cell: shared, inline, or its value."""
    if cell.get("t") == "inlineStr":
        return "".join(map(_joined, cell.iterfind(f"{_MAIN}is")))
    value = cell.findtext(f"{_MAIN}v") or ""
    if cell.get("t") != "s" or not value:
        return value
    if not 0 <= int(value) < len(texts):
        raise ValueError(f"no Excel workbook: there is no shared text {value}")
    return texts[int(value)]


def _joined(item: Any) -> str:
    """The text of an item, of one part or of several formats; how it is pronounced (rPh) is none of it."""
    parts = (part for path in ("t", f"r/{_MAIN}t") for part in item.iterfind(f"{_MAIN}{path}"))
    return "".join(part.text or "" for part in parts)
