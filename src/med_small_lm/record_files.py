"""Files of records as rows, one after another: JSON Lines, a JSON array, CSV, TSV, Parquet.

None is held whole, but what follows a malformed record of a JSON array.
"""

from __future__ import annotations

import csv
import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

_CHUNK = 1 << 20  # characters of a JSON array that are read at once; twice as many for a record that is longer
_FIELD = 1 << 20  # most characters of a field of a CSV file; a quote that is never closed reads so far
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")  # where the next record of a JSON array begins


@dataclass(frozen=True, slots=True)
class Row:
    """A record and the line, counted from 1, that it begins in (in Parquet its number); or why there is none."""

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


def rows_of(file: Path) -> Iterator[Row]:
    """Yields the rows of a file; what is malformed is a row with a fault.

    Raises:
        OSError: the file cannot be opened.
    """
    kind = file.suffix.lower()
    if kind == ".parquet":
        yield from _parquet(file)
    elif _is_utf16(file):
        yield Row(1, fault="the file is UTF-16, not UTF-8: save it as UTF-8")
    elif kind in (".csv", ".tsv"):
        yield from table_rows(file, "\t" if kind == ".tsv" else ",")
    elif kind == ".json" and _is_array(file):
        with file.open(encoding="utf-8-sig", errors="surrogateescape") as text:
            yield from _array(text)
    else:
        yield from _lines(file)


def _row(line: int, record: Any) -> Row:
    """Returns a record as a row, if it is an object."""
    return Row(line, record) if isinstance(record, Mapping) else Row(line, fault="the record is no object")


def _is_utf16(file: Path) -> bool:
    with file.open("rb") as raw:
        return raw.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE)


def _is_array(file: Path) -> bool:
    with file.open(encoding="utf-8-sig", errors="surrogateescape") as text:
        return text.read(4096).lstrip().startswith("[")


def _lines(file: Path) -> Iterator[Row]:
    """Yields the rows of JSON Lines; blank lines are none."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _row(number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8")))
                except UnicodeDecodeError:
                    yield Row(number, fault="the text is not UTF-8")
                except (ValueError, RecursionError) as error:
                    yield Row(number, fault=_malformed(error))


def _malformed(error: ValueError | RecursionError) -> str:
    """Returns what is wrong with a JSON text; beside malformed ones there are numbers of too many digits."""
    if isinstance(error, RecursionError):
        return "malformed JSON: nested too deeply"
    return f"malformed JSON: {getattr(error, 'msg', 'a number of too many digits')}"


def _array(text: TextIO) -> Iterator[Row]:
    """Yields the objects of a JSON array; after a malformed one it goes on where the next object seems to begin."""
    decoder = json.JSONDecoder()
    held, line = text.read(_CHUNK), 1
    at = held.index("[") + 1
    counted, ended = 0, False
    while True:
        start = re.compile(r"[\s,]*").match(held, at).end()  # type: ignore[union-attr]
        line, counted = line + held.count("\n", counted, start), start
        if held.startswith("]", start):
            return
        try:
            record, at = decoder.raw_decode(held, start)
        except (ValueError, RecursionError) as error:
            if not ended:  # it may only not be all here
                more = text.read(max(_CHUNK, len(held) - start))
                held, at, counted, ended = held[start:] + more, 0, 0, not more
                continue
            if start < len(held):
                yield Row(line, fault=_malformed(error))
            else:
                yield Row(line, fault="malformed JSON: the array does not end")
            found = _NEXT.search(held, start)
            if not found:
                return
            at = found.end()
        else:
            yield _row(line, record)


class _Lines:
    """The lines of a text; those of the record at hand (``taken``) but its first can be read again."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._again, self.taken = text, deque[str](), list[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Let all but the record's first line be read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def table_rows(file: Path, delimiter: str, columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yields the rows of a table of these columns, else of those that its first line names.

    A quoted field may run over several lines.
    """
    csv.field_size_limit(_FIELD)
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        lines, at, names = _Lines(text), 1, list(columns)
        table = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.taken.clear()
            try:
                cells = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(at, fault=_unread(error, lines))
            else:
                if not names:
                    names = cells
                elif cells and len(cells) != len(names):
                    yield Row(at, fault=f"the row has {len(cells)} columns, not {len(names)}")
                elif cells:
                    yield Row(at, dict(zip(names, cells, strict=True)))
            at += len(lines.taken)


def _unread(error: csv.Error, lines: _Lines) -> str:
    """Returns why a record cannot be read; where a quote was never closed, the lines behind it are records again."""
    count = len(lines.taken)
    if count > 1 and "expected after" not in str(error):
        lines.give_back()
        return "malformed table: a quote is never closed"
    return f"malformed table: {error}" + (f"; {count} lines skipped" if count > 1 else "")


def _parquet(file: Path) -> Iterator[Row]:
    """Yields the rows of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            batches = (batch.to_pylist() for batch in parquet.iter_batches(1_000))
            for number, record in enumerate(chain.from_iterable(batches), start=1):
                yield Row(number, record)
    except (pa.ArrowInvalid, OSError) as error:
        yield Row(1, fault=f"no Parquet file: {str(error).partition(chr(10))[0]}")
