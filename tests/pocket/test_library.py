"""The pocket library: which fact stands where, and the PDFs."""

from __future__ import annotations

import re
from collections import Counter

import pymupdf
import pytest

from med_small_lm.pocket.chapters import Book
from med_small_lm.pocket.dress import dress
from med_small_lm.pocket.facts import BOOKS, BOOKS_PER_FACT, Fact
from med_small_lm.pocket.library import shelve, statements
from med_small_lm.pocket.typeset import WARNING, typeset


def test_each_subject_stands_in_four_of_its_books_and_loads_are_even(facts: list[Fact]) -> None:
    shelves = shelve(facts)
    load: Counter[str] = Counter()
    for fact in facts:
        held = shelves[fact.subject]
        assert len(set(held)) == BOOKS_PER_FACT
        assert set(held) <= set(fact.books)
        load.update(held)
    assert set(load) == set(BOOKS)
    assert max(load.values()) <= 1.35 * min(load.values())


def test_a_fact_is_worded_differently_in_each_of_its_books(facts: list[Fact]) -> None:
    for told in statements(facts).values():
        assert len(told) == len(set(told)) == BOOKS_PER_FACT


def test_the_same_book_gives_the_same_bytes(shelf: list[Book], pdfs: dict[str, bytes]) -> None:
    for book in shelf:
        assert typeset(book) == pdfs[book.slug]


def test_the_whole_library_is_small_and_without_dates(pdfs: dict[str, bytes]) -> None:
    assert sum(map(len, pdfs.values())) < 5_000_000
    for pdf in pdfs.values():
        assert set(re.findall(rb"\((D:\d+)", pdf)) <= {b"D:20000101000000"}


@pytest.mark.parametrize("slug", BOOKS)
def test_a_book_is_a_proper_small_textbook(slug: str, pdfs: dict[str, bytes]) -> None:
    document = pymupdf.open(stream=pdfs[slug])
    assert 6 <= len(document) <= 14
    assert WARNING in document[0].get_text()
    contents = document[1].get_text()
    outline = document.get_toc()
    assert {level for level, _, _ in outline} == {1, 2}
    for _, title, page in outline:
        assert title in contents
        assert title in _flat(document[page - 1].get_text())
    for number in range(2, len(document)):
        lines = document[number].get_text().splitlines()
        assert str(number + 1) in lines
        assert WARNING in lines


def test_every_sentence_stands_in_the_text_of_its_book(shelf: list[Book], pdfs: dict[str, bytes]) -> None:
    held: Counter[Fact] = Counter()
    for book in shelf:
        text = _running_text(book, pdfs[book.slug])
        for sentence in (s for c in book.chapters for part in c.sections for e in part.entries for s in e.sentences):
            assert sentence.text in text
            held[sentence.fact] += 1
    assert min(held.values()) >= 3


def test_lines_are_divided_with_hyphens_and_tables_have_captions(shelf: list[Book], pdfs: dict[str, bytes]) -> None:
    for book in shelf:
        pages = [page.get_text() for page in pymupdf.open(stream=pdfs[book.slug])]
        assert sum(len(re.findall(r"[a-z]-\n[a-z]", page)) for page in pages) > 20
        assert all(re.search(rf"Table {number}\.1 \w", "".join(pages)) for number in (1, 2))


def _running_text(book: Book, pdf: bytes) -> str:
    """The text of the columns without running heads and folios, divided words joined, tables left where they stand."""
    frames = dress(book.design).frames
    text = []
    for page in list(pymupdf.open(stream=pdf))[2:]:
        height = page.rect.height
        for left, bottom, width, tall in frames:
            box = pymupdf.Rect(left - 2, height - bottom - tall - 2, left + width + 2, height - bottom + 2)
            text.append(page.get_text(clip=box))
    return _flat(re.sub(r"-\n(?=[a-z])", "", "".join(text)))


def _flat(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())
