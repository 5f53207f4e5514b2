"""The lines of a text file, plain or gzipped, one after another; what is no text is a fault of its line."""

from __future__ import annotations

import gzip
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from med_small_lm.synthesis.graphs.model import NotAGraph, Tally

LONGEST = 1 << 20
"""Bytes of a line; UMLS's longest is some 30,000."""

_HEAD = 8_192  # bytes in which text has no zero byte


def lines_of(path: Path, tally: Tally) -> Iterator[tuple[int, str]]:
    """Yield the lines that are UTF-8 text and not empty, numbered from 1, without their ends.

    Raises:
        NotAGraph: The file is empty, cannot be read, or is no text.
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(_HEAD)
            if not head:
                raise NotAGraph("the file is empty")
            if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                raise NotAGraph("the file is UTF-16, not UTF-8: save it as UTF-8")
            if b"\0" in head:
                raise NotAGraph("the file is binary, not text")
            file.seek(0)
            while raw := file.readline(LONGEST):
                number += 1
                if len(raw) == LONGEST and not raw.endswith(b"\n"):
                    tally.fault(number, f"longer than {LONGEST:,} bytes", raw.decode("utf-8", "replace"))
                    _leave_line(file)
                    continue
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError:
                    tally.fault(number, "not UTF-8", raw.decode("utf-8", "replace"))
                    continue
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as problem:
        if not number:
            raise NotAGraph(f"the file cannot be read: {problem}") from problem
        tally.fault(number + 1, f"the file ends here: {problem}", "")


def _leave_line(file: gzip.GzipFile | BufferedReader) -> None:
    """Read to the end of a line that is too long to be held."""
    while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
        pass
