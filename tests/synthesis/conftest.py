"""Passages from the pocket books' statements, the exam, the prompts, and a teacher that says what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from med_small_lm.pocket.exam import read_questions
from med_small_lm.pocket.facts import Fact, read_facts
from med_small_lm.pocket.library import entries
from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

ROOT = Path(__file__).parents[2]
SUBJECTS_A_PASSAGE = 3


@pytest.fixture(scope="session")
def facts() -> list[Fact]:
    return read_facts(ROOT / "data/01_raw/pocket_facts.csv")


@pytest.fixture(scope="session")
def exam() -> list[Question]:
    return read_questions(ROOT / "data/01_raw/benchmarks/pocket_exam.jsonl")


@pytest.fixture(scope="session")
def dev(exam: list[Question]) -> list[Question]:
    return [question for question in exam if question.split == "dev"]


@pytest.fixture(scope="session")
def prompts() -> dict[str, Prompt]:
    """The project's own prompts by id."""
    files = sorted((ROOT / "conf/base/prompts").glob("*.yml"))
    return {file.stem: Prompt.parse(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files}


@pytest.fixture(scope="session")
def passages(facts: list[Fact]) -> list[Passage]:
    """The books' paragraphs, three subjects a passage, four passages a section."""
    found = []
    for book, own in entries(facts).items():
        for place in range(0, len(own), SUBJECTS_A_PASSAGE):
            told = own[place : place + SUBJECTS_A_PASSAGE]
            text = " ".join(sentence.text for entry in told for sentence in entry.sentences)
            section = f"Chapter {place // 36 + 1} > Section {place // 12 + 1}"
            found.append(make_passage(text, book, place, section))
    return found


def make_passage(text: str, book: str = "book", ordinal: int = 0, section: str = "Chapter > Section") -> Passage:
    digest = sha256(f"{section} {text}".encode()).hexdigest()
    return Passage(f"{book}-{digest[:12]}", book, ordinal, section, 1, 1, text, len(text.split()), digest, "CC-BY-4.0")


@pytest.fixture(scope="session")
def reply() -> Callable[..., Reply]:
    """Makes a reply: from an object, or with a status and a reason."""

    def made(parsed: Any = None, status: str = "ok", reason: str = "", call_id: str = "c0ffee") -> Reply:
        return Reply(call_id, status, json.dumps(parsed), parsed, False, "a-model", reason=reason)

    return made
