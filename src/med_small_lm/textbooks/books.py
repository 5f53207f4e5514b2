"""A file to its records: what the other modules do, in order."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.schemas.rows import Dropped, Passage, SourceReport
from med_small_lm.textbooks.documents import Document, FileRead, SourceFile
from med_small_lm.textbooks.exercises import exercises
from med_small_lm.textbooks.pages import Unreadable, check_file
from med_small_lm.textbooks.passages import passages_of, words
from med_small_lm.textbooks.ranges import Step, pdf_document, readable_words, unhurried
from med_small_lm.textbooks.sections import HEADING, Placed, place
from med_small_lm.textbooks.sources import reader_of


def read_file(file: SourceFile, params: IngestTextbooks, count: Callable[[str], int] = words) -> FileRead:
    """A file's passages in reading order, the book's own questions, and the report of what was kept and dropped.

    Nothing that a file contains raises: a file that cannot be read gives no passages and a report that says why.

    Args:
        file: The file and what its records carry.
        params: How pages are read and how long a passage is.
        count: What the passages' budget counts: words, or a tokenizer's tokens.

    Raises:
        FileNotFoundError: There is no such file.
    """
    return records_of(file, params, count, lambda: document_of(file, params.reading))


def records_of(
    file: SourceFile,
    params: IngestTextbooks,
    count: Callable[[str], int],
    document: Callable[[], Document],
    cut: Callable[..., list[Passage]] = passages_of,
) -> FileRead:
    """What ``read_file`` gives of a file whose document comes from the function passed in.

    Args:
        file: The file and what its records carry.
        params: How pages are read and how long a passage is.
        count: What the passages' budget counts.
        document: Gives the file's paragraphs.
        cut: ``passages_of``, or what does the same elsewhere.

    Raises:
        FileNotFoundError: There is no such file.
    """
    begun = time.perf_counter()
    report = SourceReport(file.book, file.path.as_posix(), "ok", "", 0, 0, 0)
    read = FileRead([], [], report)
    try:
        with _collector_paused():
            passages = partial(cut, file=file, budget=params.passages, count=count)
            read = _records(document(), file, params, passages, report)
    except Unreadable as error:
        read = replace(read, report=replace(report, status=error.status, reason=error.reason, pages=error.pages))
    except FileNotFoundError:
        raise
    except MemoryError:
        reason = "it needs more memory than a process may use (workers.memory)"
        read = replace(read, report=replace(report, status="quarantined", reason=reason))
    except Exception as error:  # the shelf goes on without a file that breaks an assumption of ours
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        read = replace(read, report=replace(report, status="quarantined", reason=reason))
    return replace(read, report=replace(read.report, seconds=round(time.perf_counter() - begun, 3)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No search for cycles meanwhile: a read makes none, and walking its many lines takes a quarter of its time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def document_of(file: SourceFile, reading: Reading, step: Step = unhurried) -> Document:
    """A file's paragraphs in reading order. ``step`` hears how long what comes next may take, in pages.

    Raises:
        Unreadable: The file is empty, broken, encrypted, or not what its name says.
        FileNotFoundError: There is no such file.
    """
    check_file(file.path)
    reader = reader_of(file.path)
    document = reader(file, reading) if reader else pdf_document(file, reading, step)
    step(1 + document.pages / 100)
    return document


def placed_of(document: Document, reading: Reading) -> list[Placed]:
    """A document's paragraphs with their sections, and the reason for each that is kept apart."""
    return place(
        document.paragraphs,
        document.outline,
        document.pages,
        reading,
        document.contents,
        has_front=not document.papers,
    )


def _records(
    document: Document,
    file: SourceFile,
    params: IngestTextbooks,
    cut: Callable[[list[Placed]], list[Passage]],
    report: SourceReport,
) -> FileRead:
    placed = placed_of(document, params.reading)
    questions = exercises(placed, file)
    left_out = Counter(document.left_out)
    for item in placed:
        if item.reason and item.reason != HEADING:
            left_out[item.reason, item.paragraph.page] += readable_words(item.paragraph.text)
    kept = _once(cut(placed), left_out)
    return FileRead(kept, questions, _filled(report, document, kept, left_out))


def _filled(
    report: SourceReport, document: Document, kept: list[Passage], left_out: Counter[tuple[str, int]]
) -> SourceReport:
    held = {page for passage in kept for page in range(passage.page_first, passage.page_last + 1)}
    words_left, pages_left = Counter[str](), Counter[str]()
    most: dict[int, tuple[int, str]] = {}
    for (reason, page), number in left_out.items():
        words_left[reason] += number
        most[page] = max(most.get(page, (-1, "")), (number, reason))
    for page in range(1, document.pages + 1):
        if page not in held:
            pages_left[most.get(page, (0, "no text"))[1]] += 1
    dropped = [Dropped(reason, words_left[reason], pages_left[reason]) for reason in sorted(words_left | pages_left)]
    return replace(
        report,
        status=("ocr" if document.ocr else "ok") if kept else "quarantined",
        reason="" if kept else "it holds no running text",
        pages=document.pages,
        pages_kept=len(held),
        words=sum(passage.n_words for passage in kept),
        dropped=[entry for entry in dropped if entry.count or entry.pages],
    )


def _once(passages: list[Passage], left_out: Counter[tuple[str, int]]) -> list[Passage]:
    """The passages without those that repeat, word for word, one of their own section: an id names one text."""
    seen: dict[str, Passage] = {}
    for passage in passages:
        if passage.passage_id in seen:
            left_out["repeated", passage.page_first] += passage.n_words
        else:
            seen[passage.passage_id] = passage
    return [replace(passage, ordinal=number) for number, passage in enumerate(seen.values())]
