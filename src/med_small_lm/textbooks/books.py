"""A file to its records: what the other modules do, in order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from med_small_lm.params.ingest_textbooks import IngestTextbooks, Reading
from med_small_lm.schemas.rows import Dropped, Passage, SourceReport
from med_small_lm.textbooks.cleaning import Speller
from med_small_lm.textbooks.documents import Document, FileRead, SourceFile
from med_small_lm.textbooks.layout import body_type, columns, is_contents, strip_furniture
from med_small_lm.textbooks.pages import Unreadable, open_book
from med_small_lm.textbooks.paragraphs import Flow
from med_small_lm.textbooks.passages import passages_of, words
from med_small_lm.textbooks.sections import HEADING, place
from med_small_lm.textbooks.tables import fold_tables


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
    begun = time.perf_counter()
    report = SourceReport(file.book, file.path.as_posix(), "ok", "", 0, 0, 0)
    read = FileRead([], [], report)
    try:
        document = document_of(file, params.reading)
        read = _records(document, file, params, count, report)
    except Unreadable as error:
        read = replace(read, report=replace(report, status=error.status, reason=error.reason, pages=error.pages))
    except FileNotFoundError:
        raise
    except Exception as error:  # the shelf goes on without a file that breaks an assumption of ours
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        read = replace(read, report=replace(report, status="quarantined", reason=reason))
    return replace(read, report=replace(read.report, seconds=round(time.perf_counter() - begun, 3)))


def document_of(file: SourceFile, reading: Reading) -> Document:
    """A file's paragraphs in reading order.

    Raises:
        Unreadable: The file is empty, broken, encrypted, or not what its name says.
        FileNotFoundError: There is no such file.
    """
    return pdf_document(file, reading)


def pdf_document(file: SourceFile, reading: Reading) -> Document:
    """A PDF's paragraphs in reading order."""
    content = open_book(file.path, file.password, reading)
    pages = content.pages
    left_out = strip_furniture(pages, reading)
    body = body_type(pages)
    speller = Speller.of(line.text for page in pages for line in page.lines)
    contents = {page.number for page in pages if is_contents(page, len(pages))}
    run = []
    for page in pages:
        if page.number in contents:
            left_out["contents", page.number] += sum(_count(line.text) for line in page.lines)
            continue
        fold_tables(page, speller)
        run.extend(columns(page, body, speller, reading))
    paragraphs = Flow(body, speller, reading).paragraphs(run)
    return Document(content.count, paragraphs, content.outline, _end_of_contents(contents), left_out)


def _records(
    document: Document, file: SourceFile, params: IngestTextbooks, count: Callable[[str], int], report: SourceReport
) -> FileRead:
    placed = place(document.paragraphs, document.outline, document.pages, params.reading, document.contents)
    left_out = Counter(document.left_out)
    for item in placed:
        if item.reason and item.reason != HEADING:
            left_out[item.reason, item.paragraph.page] += _count(item.paragraph.text)
    kept = _once(passages_of(placed, file, params.passages, count), left_out)
    return FileRead(kept, [], _filled(report, document, kept, left_out))


def _filled(
    report: SourceReport, document: Document, kept: list[Passage], left_out: Counter[tuple[str, int]]
) -> SourceReport:
    held = {page for passage in kept for page in range(passage.page_first, passage.page_last + 1)}
    words_left, pages_left = Counter[str](), Counter[str]()
    most: dict[int, tuple[int, str]] = {}
    for (reason, page), number in left_out.items():
        words_left[reason] += number
        most[page] = max(most.get(page, (0, "no text")), (number, reason))
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


def _end_of_contents(contents: set[int]) -> int:
    """The last page of the first run of pages that list pages, or 0: lists further on are no front matter's end."""
    page = min(contents, default=0)
    while page + 1 in contents:
        page += 1
    return page


def _count(text: str) -> int:
    """Words that hold a letter or a digit: the dots of a table of contents are none."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _once(passages: list[Passage], left_out: Counter[tuple[str, int]]) -> list[Passage]:
    """The passages without those that repeat, word for word, one of their own section: an id names one text."""
    seen: dict[str, Passage] = {}
    for passage in passages:
        if passage.passage_id in seen:
            left_out["repeated", passage.page_first] += passage.n_words
        else:
            seen[passage.passage_id] = passage
    return [replace(passage, ordinal=number) for number, passage in enumerate(seen.values())]
