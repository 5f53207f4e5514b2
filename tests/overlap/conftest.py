"""The pocket exam with the subject that each item really asks about: what the index must find out for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.pocket.exam import asked_facts, read_questions
from med_small_lm.pocket.facts import Fact, read_facts
from med_small_lm.schemas.rows import Question

RAW = Path(__file__).parents[2] / "data/01_raw"


@pytest.fixture(scope="session")
def facts() -> list[Fact]:
    return read_facts(RAW / "pocket_facts.csv")


@pytest.fixture(scope="session")
def exam() -> list[Question]:
    return read_questions(RAW / "benchmarks/pocket_exam.jsonl")


@pytest.fixture(scope="session")
def items(exam: list[Question]) -> list[Question]:
    """The test split."""
    return [question for question in exam if question.split == "test"]


@pytest.fixture(scope="session")
def dev(exam: list[Question]) -> list[Question]:
    """The dev split."""
    return [question for question in exam if question.split == "dev"]


@pytest.fixture(scope="session")
def asked(exam: list[Question], facts: list[Fact]) -> dict[str, Fact]:
    """The fact of each item by question id, from the table."""
    return asked_facts(exam, facts)


@pytest.fixture(scope="session")
def index(items: list[Question], dev: list[Question]) -> ContaminationIndex:
    return ContaminationIndex(items, dev)
