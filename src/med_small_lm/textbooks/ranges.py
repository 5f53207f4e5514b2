"""A PDF's paragraphs from ranges of its pages, which may be read in several processes.

A book's type, running heads and spelling are known only from all of its pages. So a range is read in steps, and what
each step finds is put together for the next one::

    range 1   extract ─┐            ┌─ margins ─┐            ┌─ strip ─┐           ┌─ tell ─┐
    range 2   extract ─┼─ body type ┼─ margins ─┼─ furniture ┼─ strip ─┼─ spelling ┼─ tell ─┼─ paragraphs
    range 3   extract ─┘            └─ margins ─┘            └─ strip ─┘           └─ tell ─┘

A paragraph may go on from one range to the next. Therefore each range but the first starts ``WARM_UP`` pages early; if
it then stands as the range before it ended, their paragraphs follow each other, else it starts again from there. Either
way the result is that of one range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller, Spelling
from med_small_lm.textbooks.documents import Document, SourceFile
from med_small_lm.textbooks.furniture import Slots, furniture, is_contents, is_index, margins, strip_furniture
from med_small_lm.textbooks.layout import Column, Styles, Type, body_type, columns
from med_small_lm.textbooks.ocr import SIZE, missing
from med_small_lm.textbooks.pages import (
    DAMAGED,
    NEEDS_OCR,
    OCR,
    Entry,
    Page,
    Unreadable,
    open_pdf,
    outline_of,
    read_page,
)
from med_small_lm.textbooks.paragraphs import Flow, Paragraph
from med_small_lm.textbooks.tables import fold_tables

WARM_UP = 1
"""Pages that a range reads of the range before it."""

Step = Callable[[float], None]
"""Hears how long the next step may take, in multiples of what a page may."""


def unhurried(_: float) -> None:
    """A ``Step`` that nobody waits for."""


class Ranges(Protocol):
    """The ranges of a file, wherever they are read."""

    def every(self, method: str, *values: Any) -> list[Any]:
        """What the method of each ``Range`` returns, in the order of the pages."""

    def one(self, index: int, method: str, *values: Any) -> Any:
        """What the method of one ``Range`` returns."""


@dataclass(slots=True)
class Stretch:
    """A range's paragraphs. ``begins`` and ``ends`` are the states of its flow before and after its own pages."""

    paragraphs: list[Paragraph]
    begins: dict[str, Any]
    ends: dict[str, Any]
    left_out: Counter[tuple[str, int]] = field(default_factory=Counter)
    contents: set[int] = field(default_factory=set)


class Range:
    """Consecutive pages of a PDF, read in the steps of the module's drawing, in their order."""

    def __init__(self, file: SourceFile, reading: Reading, step: Step = unhurried) -> None:
        """Opens the file.

        Raises:
            Unreadable: The file is empty, broken, no PDF, encrypted, or has too many pages.
        """
        self._file, self._reading, self._step = file, reading, step
        step(1)
        self._document = open_pdf(file.path, file.password, reading)
        self.count = self._document.page_count
        self._pages: list[Page] = []
        self._warm_up: list[Page] = []
        self._run: list[Column] = []

    def outline(self) -> list[Entry]:
        """The file's bookmarks."""
        return outline_of(self._document)

    def extract(self, first: int, last: int) -> tuple[Styles, dict[int, str]]:
        """The styles of the pages from the first to the last, and the states of those that are not simply read."""
        numbers = range(max(1, first - WARM_UP), last + 1)
        with self._document as document:
            pages = [read_page(document, n, self._file.language, self._reading, self._step) for n in numbers]
        self._warm_up, self._pages = pages[: first - numbers[0]], pages[first - numbers[0] :]
        return Styles.of(self._pages), {page.number: page.state for page in self._pages if page.state}

    def margins(self, body: Type) -> Slots:
        """The lines that may be running heads or folios; what was read from pictures is scaled to the body type."""
        for page in [*self._warm_up, *self._pages]:
            if page.state == OCR:
                for line in page.lines:
                    line.size = round(line.size * body.size / SIZE, 1)
        return margins(self._pages, body.leading, self._reading)

    def strip(self, marks: set[tuple[int, int]], leading: float) -> tuple[Counter[tuple[str, int]], Styles, Spelling]:
        """The words of the running heads taken off, and styles and spelling of what is left."""
        strip_furniture(self._warm_up, marks, leading)
        left_out = strip_furniture(self._pages, marks, leading)
        left_out.update({("turned lines", page.number): page.turned for page in self._pages if page.turned})
        return left_out, Styles.of(self._pages), Spelling.of(line.text for page in self._pages for line in page.lines)

    def tell(self, body: Type, speller: Speller) -> Stretch:
        """The range's paragraphs, as far as no later page can change them."""
        contents: set[int] = set()
        left_out: Counter[tuple[str, int]] = Counter()
        run: list[Column] = []
        warm_up: list[Column] = []
        for page in [*self._warm_up, *self._pages]:
            own = not self._warm_up or page.number > self._warm_up[-1].number
            self._step(1)
            listing = "contents" * is_contents(page, self.count) or "index" * is_index(page, self.count)
            if not listing:
                fold_tables(page, speller)
                (run if own else warm_up).extend(columns(page, body, speller, self._reading))
            elif own:
                contents |= {page.number} if listing == "contents" else set()
                left_out[listing, page.number] += sum(readable_words(line.text) for line in page.lines)
        self._step(1 + len(self._pages) / 100)
        self._run, self._body, self._speller = run, body, speller
        flow = Flow(body, speller, self._reading)
        flow.read(warm_up)
        _, state = flow.hand_over()
        stretch = self.tell_from(state)
        stretch.left_out, stretch.contents = left_out, contents
        return stretch

    def tell_from(self, state: dict[str, Any]) -> Stretch:
        """The paragraphs once more, from the state that the range before ended in."""
        flow = Flow(self._body, self._speller, self._reading)
        flow.take_over(state)
        flow.read(self._run)
        paragraphs, ends = flow.hand_over()
        for paragraph in paragraphs:
            paragraph.lines = paragraph.lines if len(self._pages) == self.count else []  # too many to send
        return Stretch(paragraphs, state, ends)


@dataclass(slots=True)
class Whole:
    """All pages as one range, read in this process."""

    range: Range

    def every(self, method: str, *values: Any) -> list[Any]:
        """What the range's method returns, as a list of one."""
        return [getattr(self.range, method)(*values)]

    def one(self, index: int, method: str, *values: Any) -> Any:
        """What the range's method returns."""
        return getattr(self.range, method)(*values)


def pdf_document(file: SourceFile, reading: Reading, step: Step = unhurried) -> Document:
    """A PDF's paragraphs in reading order.

    Raises:
        Unreadable: The file is empty, broken, no PDF, encrypted, or holds no text.
        FileNotFoundError: There is no such file.
    """
    found = Range(file, reading, step)
    outline = found.outline()
    document = put_together(Whole(found), [found.extract(1, found.count)], file, reading, found.count)
    document.outline = outline
    return document


def put_together(
    ranges: Ranges, extracted: list[tuple[Styles, dict[int, str]]], file: SourceFile, reading: Reading, count: int
) -> Document:
    """The paragraphs of a file whose ranges have extracted their pages.

    Raises:
        Unreadable: The file holds no text that could be read.
    """
    styles, states = Styles(), dict[int, str]()
    for some, their in extracted:
        styles.add(some)
        states |= their
    _check_text(styles, states, count, file.language, reading)
    body = body_type(styles)
    marks = furniture(ranges.every("margins", body), count, reading)
    left_out = Counter({(why, page): 0 for page, why in states.items() if why != OCR})
    styles, spelling = Styles(), Spelling()
    for words, some, spelt in ranges.every("strip", marks, body.leading):
        left_out.update(words)
        styles.add(some)
        spelling.add(spelt)
    body, speller = body_type(styles), Speller.by(spelling, file.language)
    stretches = _in_line(ranges.every("tell", body, speller), ranges)
    for stretch in stretches:
        left_out.update(stretch.left_out)
    flow = Flow(body, speller, reading)
    flow.take_over(stretches[-1].ends)
    paragraphs = [paragraph for stretch in stretches for paragraph in stretch.paragraphs] + flow.close()
    contents = set[int]().union(*(stretch.contents for stretch in stretches))
    return Document(count, paragraphs, [], _end_of_contents(contents), left_out, OCR in states.values())


def _in_line(stretches: list[Stretch], ranges: Ranges) -> list[Stretch]:
    """The stretches, each beginning where the one before ends."""
    for index in range(1, len(stretches)):
        before, stretch = stretches[index - 1], stretches[index]
        if stretch.begins != before.ends:
            again = ranges.one(index, "tell_from", before.ends)
            again.left_out, again.contents = stretch.left_out, stretch.contents
            stretches[index] = again
    return stretches


def _check_text(styles: Styles, states: dict[int, str], count: int, language: str, reading: Reading) -> None:
    if styles.characters:
        return
    if NEEDS_OCR in states.values():
        why = missing(language, reading)
        raise Unreadable("needs_ocr", f"its pages show text that their text layer does not hold; {why}", count)
    if sum(state == DAMAGED for state in states.values()) == count:
        raise Unreadable("quarantined", "none of its pages can be read", count)
    raise Unreadable("quarantined", "its pages hold no text", count)


def _end_of_contents(contents: set[int]) -> int:
    """The last page of the first run of pages that list pages, or 0: lists further on are no front matter's end."""
    page = min(contents, default=0)
    while page + 1 in contents:
        page += 1
    return page


def readable_words(text: str) -> int:
    """Words that hold a letter or a digit: the dots of a table of contents are none."""
    return sum(any(map(str.isalnum, word)) for word in text.split())
