"""What a worker process does: it waits for a method's name, and sends back what the method returns or raises."""

from __future__ import annotations

import gc
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from multiprocessing.connection import Connection
from operator import attrgetter
from typing import Any

from med_small_lm.params.ingest_textbooks import IngestTextbooks, PassageBudget, Workers
from med_small_lm.schemas.rows import Passage
from med_small_lm.textbooks.books import document_of, records_of
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.pages import Entry, Unreadable, check_file
from med_small_lm.textbooks.passages import passages_of
from med_small_lm.textbooks.ranges import Range
from med_small_lm.textbooks.sections import Placed
from med_small_lm.textbooks.sources import reader_of

_MEGABYTES_A_PAGE = 0.2  # of a file that has no pages: so much may take as long as a page
_VALUES = attrgetter(*(entry.name for entry in fields(Passage)))


def serve(handle: int) -> None:
    """Answers until the other side closes the socket."""
    gc.disable()  # a read makes no cycles; what there is of them is collected between two files
    gc.freeze()
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # MuPDF and Tesseract speak of every oddity
    connection, reader = Connection(handle), Reader()
    while True:
        try:
            method, values = connection.recv()
            reply = False, getattr(reader, method)(*values)
        except EOFError:
            return
        except Exception as error:
            reply = True, error if isinstance(error, Unreadable | OSError | MemoryError) else RuntimeError(repr(error))
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send(reply)


class Reader:
    """Reads files as a whole, or a range of the pages of one in steps."""

    def __init__(self) -> None:
        """Has read nothing."""
        self._range: Range | None = None
        self._limits = Workers()

    def read(self, file: SourceFile, params: IngestTextbooks, count: Callable[[str], int], split: int) -> Any:
        """The records of a file; of a PDF of at least ``split`` pages (0: none) their number and its outline."""
        self._begin(file, params)
        if split and (found := self._large(file, params, split)):
            return found
        return records_of(file, params, count, partial(document_of, file, params.reading, self._step))

    def extract(self, file: SourceFile, params: IngestTextbooks, first: int, last: int) -> Any:
        """What ``Range.extract`` returns, of a range that ``step`` goes on with."""
        self._begin(file, params)
        self._range = Range(file, params.reading, self._step)
        return self._range.extract(first, last)

    def step(self, method: str, *values: Any) -> Any:
        """What the method of the range returns."""
        self._step(1)
        return getattr(self._range, method)(*values)

    def cut(self, placed: list[Placed], file: SourceFile, budget: PassageBudget, count: Callable[[str], int]) -> Any:
        """What ``passages_of`` returns, each passage as its values: they go between processes faster than records."""
        self._step(1 + len(placed) / 1000)
        return [_VALUES(passage) for passage in passages_of(placed, file, budget, count)]

    def _large(self, file: SourceFile, params: IngestTextbooks, split: int) -> tuple[int, list[Entry]] | None:
        """Pages and outline of a PDF that is worth splitting; whatever is wrong with it, reading it will say."""
        try:
            check_file(file.path)
            if reader_of(file.path):
                return None
            found = Range(file, params.reading, self._step)
        except (Unreadable, OSError):
            return None
        return (found.count, found.outline()) if found.count >= split else None

    def _begin(self, file: SourceFile, params: IngestTextbooks) -> None:
        """Sets the limits of the file: memory for good, time until the first step."""
        self._range = None
        gc.collect()
        self._limits = params.workers
        most, hard = params.workers.memory * 2**20, resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        size = file.path.stat().st_size if file.path.exists() else 0
        self._step(1 + size / 1e6 / _MEGABYTES_A_PAGE)

    def _step(self, pages: float) -> None:
        """Sets the alarm that ends this process, even inside a library's call, unless the next step comes in time."""
        signal.setitimer(signal.ITIMER_REAL, self._limits.seconds * pages)
