"""The committed fact table and what is made of it once for all tests of the pocket library."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.pocket.chapters import Book, books
from med_small_lm.pocket.exam import exam
from med_small_lm.pocket.facts import Fact, read_facts
from med_small_lm.pocket.typeset import typeset
from med_small_lm.schemas.rows import Question

FACTS_CSV = Path(__file__).parents[2] / "data/01_raw/pocket_facts.csv"


@pytest.fixture(scope="session")
def facts_csv() -> Path:
    """The path of the committed table."""
    return FACTS_CSV


@pytest.fixture(scope="session")
def facts(facts_csv: Path) -> list[Fact]:
    """The committed table."""
    return read_facts(facts_csv)


@pytest.fixture(scope="session")
def shelf(facts: list[Fact]) -> list[Book]:
    """The eighteen books."""
    return books(facts)


@pytest.fixture(scope="session")
def pdfs(shelf: list[Book]) -> dict[str, bytes]:
    """The eighteen books as PDF, by slug."""
    return {book.slug: typeset(book) for book in shelf}


@pytest.fixture(scope="session")
def questions(facts: list[Fact]) -> list[Question]:
    """The exam of seed 0."""
    return exam(facts, seed=0)
