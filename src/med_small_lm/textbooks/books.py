"""A book from file to passages: what the other modules do, in order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from med_small_lm.params.ingest_textbooks import PassageBudget, Reading
from med_small_lm.schemas.rows import Dropped, Passage, SourceReport
from med_small_lm.textbooks.cleaning import Speller
from med_small_lm.textbooks.layout import body_type, columns, is_contents, strip_furniture
from med_small_lm.textbooks.pages import Book, Unreadable, open_book
from med_small_lm.textbooks.paragraphs import Flow
from med_small_lm.textbooks.passages import passages_of, words
from med_small_lm.textbooks.sections import HEADING, Placed, place
from med_small_lm.textbooks.tables import fold_tables


def read_book(
    path: Path,
    *,
    book: str,
    licence: str,
    password: str | None = None,
    reading: Reading,
    passages: PassageBudget,
    count: Callable[[str], int] = words,
) -> tuple[list[Passage], SourceReport]:
    """A book's passages in reading order, and the report of what was kept and dropped.

    Nothing that a file contains raises: a file that cannot be read gives no passages and a report that says why.

    Args:
        path: The PDF.
        book: The book's name on the shelf; it begins every passage's id.
        licence: The licence that the passages carry.
        password: What opens an encrypted file.
        reading: Thresholds of the layout.
        passages: The budget of a passage.
        count: What the budget counts: words, or a tokenizer's tokens.

    Raises:
        FileNotFoundError: There is no such file.
    """
    begun = time.perf_counter()
    kept: list[Passage] = []
    report = SourceReport(book, path.as_posix(), "ok", "", 0, 0, 0)
    try:
        content = open_book(path, password, reading)
        placed, dropped = read_pages(content, reading)
        kept = _once(passages_of(placed, book, licence, passages, count), dropped)
        report = _filled(report, len(content.pages), kept, dropped)
    except Unreadable as error:
        report = replace(report, status=error.status, reason=error.reason, pages=error.pages)
    except FileNotFoundError:
        raise
    except Exception as error:  # the shelf goes on without a book that breaks an assumption of ours
        kept, reason = [], " ".join(f"{type(error).__name__}: {error}".split())[:200]
        report = replace(report, status="quarantined", reason=reason)
    return kept, replace(report, seconds=round(time.perf_counter() - begun, 3))


def _filled(report: SourceReport, pages: int, kept: list[Passage], dropped: Counter[str]) -> SourceReport:
    return replace(
        report,
        status="ok" if kept else "quarantined",
        reason="" if kept else "it holds no running text",
        pages=pages,
        pages_kept=len({page for passage in kept for page in range(passage.page_first, passage.page_last + 1)}),
        words=sum(passage.n_words for passage in kept),
        dropped=[Dropped(reason, number) for reason, number in sorted(dropped.items()) if number],
    )


def read_pages(content: Book, reading: Reading) -> tuple[list[Placed], Counter[str]]:
    """The paragraphs of a book with their sections, and the words dropped by reason."""
    pages = content.pages
    dropped = Counter({"running heads and folios": strip_furniture(pages, reading)})
    body = body_type(pages)
    speller = Speller.of(line.text for page in pages for line in page.lines)
    contents = {page.number for page in pages if is_contents(page, len(pages))}
    run = []
    for page in pages:
        if page.number in contents:
            dropped["contents"] += sum(_count(line.text) for line in page.lines)
            continue
        fold_tables(page, speller)
        run.extend(columns(page, body, speller, reading))
    placed = place(
        Flow(body, speller, reading).paragraphs(run), content.outline, len(pages), reading, _end_of_contents(contents)
    )
    for item in placed:
        if item.reason and item.reason != HEADING:
            dropped[item.reason] += _count(item.paragraph.text)
    return placed, dropped


def _end_of_contents(contents: set[int]) -> int:
    """The last page of the first run of pages that list pages, or 0: lists further on are no front matter's end."""
    page = min(contents, default=0)
    while page + 1 in contents:
        page += 1
    return page


def _count(text: str) -> int:
    """Words that hold a letter or a digit: the dots of a table of contents are none."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _once(passages: list[Passage], dropped: Counter[str]) -> list[Passage]:
    """The passages without those that repeat, word for word, one of their own section: an id names one text."""
    seen: dict[str, Passage] = {}
    for passage in passages:
        if passage.passage_id in seen:
            dropped["repeated"] += passage.n_words
        else:
            seen[passage.passage_id] = passage
    return [replace(passage, ordinal=number) for number, passage in enumerate(seen.values())]
