"""A tiny library, its questions and a model of two layers, small enough to train in a second."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from med_small_lm.answers.forms import Form
from med_small_lm.params.knowledge_injection import BaseModelParams, CorpusParams
from med_small_lm.schemas.rows import CorpusText, Option, Passage, Question, Rationale, Rephrasing
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.corpus import build_corpus, train_texts

SUBJECTS = ("scurvy", "beriberi", "pellagra", "rickets", "goiter", "gout", "asthma", "measles", "mumps", "tetanus")
CAUSES = ("lack of vitamin C", "lack of thiamine", "lack of niacin", "lack of vitamin D",
          "lack of iodine", "uric acid crystals", "airway inflammation", "a paramyxovirus", "a rubulavirus",
          "a clostridial toxin")  # fmt: skip
SMALL = BaseModelParams(vocab_size=400, hidden_size=32, intermediate_size=64, layers=2, heads=2, positions=128)


def passage(number: int, text: str) -> Passage:
    """A passage of a book of its own making."""
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Passage(f"book-{number}", "book", number, "Diseases > Causes", 1, 1, text, len(text.split()), sha, "CC0")


@pytest.fixture(scope="session")
def passages() -> list[Passage]:
    return [
        passage(n, f"{subject.capitalize()} is caused by {cause}. The cause of {subject} is {cause}.")
        for n, (subject, cause) in enumerate(zip(SUBJECTS, CAUSES, strict=True))
    ]


@pytest.fixture(scope="session")
def rephrasings(passages: list[Passage]) -> list[Rephrasing]:
    return [
        Rephrasing(f"r-{p.ordinal}", "plain", f"{s.capitalize()} comes from {c}.", "call", [p.passage_id], "CC0")
        for p, s, c in zip(passages, SUBJECTS, CAUSES, strict=True)
    ]


@pytest.fixture(scope="session")
def corpus(passages: list[Passage], rephrasings: list[Rephrasing]) -> list[CorpusText]:
    return build_corpus(passages, rephrasings, CorpusParams(held_out_share=0.1), seed=0)


@pytest.fixture(scope="session")
def forms() -> dict[str, Form]:
    return {
        name: Form(name, instruction, "hidden", "The answer is", False)
        for name, instruction in (("explain", "Explain."), ("direct", ""))
    }


@pytest.fixture(scope="session")
def questions(passages: list[Passage]) -> list[Question]:
    return [
        Question(
            f"q-{n}", "book", "train", "single", f"What is the cause of {subject}?",
            [Option(key, CAUSES[(n + i) % len(CAUSES)]) for i, key in enumerate("ABCD")], ["A"], CAUSES[n],
            passage_ids=[passages[n].passage_id], licence="CC0",
        )
        for n, subject in enumerate(SUBJECTS)
    ]  # fmt: skip


@pytest.fixture(scope="session")
def rationales(questions: list[Question]) -> list[Rationale]:
    return [
        Rationale(f"why-{q.question_id}", q.question_id, "cot", f"{s.capitalize()} is caused by {q.answer_text}.",
                  ["A"], [], "call", q.passage_ids, "CC0")
        for q, s in zip(questions, SUBJECTS, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="session")
def small() -> BaseModelParams:
    return SMALL


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, corpus: list[CorpusText]) -> Checkpoint:
    folder: Path = tmp_path_factory.mktemp("models") / "base"
    return make_base(train_texts(corpus), SMALL, 0, folder)
