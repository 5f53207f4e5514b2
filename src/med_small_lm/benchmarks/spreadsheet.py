"""The first sheet of an Excel workbook (xlsx) as rows, by the names in its first line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

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
    except (BadZipFile, etree.XMLSyntaxError) as problem:
        raise ValueError(f"no Excel workbook: {problem}") from problem
    if sheet is None:
        raise ValueError("no Excel workbook: it has no sheet")
    texts = [] if table is None else [_joined(item) for item in table.iter(f"{_MAIN}si")]
    names: dict[str, str] = {}
    for row in sheet.iter(f"{_MAIN}row"):
        cells = {_column(cell): text for cell in row.iter(f"{_MAIN}c") if (text := _value(cell, texts))}
        if names and cells:
            yield Row(int(row.get("r", "0")), {names[at]: text for at, text in cells.items() if at in names})
        names = names or {at: text.strip() for at, text in cells.items()}


def _column(cell: Any) -> str:
    """The letters of a cell's place: ``AB`` of ``AB12``."""
    return str(cell.get("r", "")).rstrip("0123456789")


def _value(cell: Any, texts: list[str]) -> str:
    """The text of a cell: shared, inline, or its value."""
    if cell.get("t") == "inlineStr":
        return _joined(cell)
    value = cell.findtext(f"{_MAIN}v") or ""
    return texts[int(value)] if cell.get("t") == "s" and value else value


def _joined(item: Any) -> str:
    return "".join(part.text or "" for part in item.iter(f"{_MAIN}t"))
