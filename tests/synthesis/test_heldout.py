"""The guards of exams: what of them is read, however many questions their other splits have."""

from __future__ import annotations

from typing import Any

import pytest

from med_small_lm.schemas.rows import Option, Question
from med_small_lm.synthesis import heldout


def question(name: str, source: str, split: str) -> Question:
    options = [Option("A", "iodine"), Option("B", "iron")]
    return Question(name, source, split, "single", f"What is {name} due to?", options, ["A"], "iodine")


def test_a_large_train_split_is_read_in_part_and_every_guarded_question_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A guard lays every stem that it reads beside all others, so the work grows with their square."""
    read: list[tuple[Any, ...]] = []

    def index(items: Any, style: Any, *_: float, exams: Any) -> None:
        read.append((len(items), len(style), len(exams)))

    monkeypatch.setattr(heldout, "ContaminationIndex", index)
    large = [question(f"l{n}", "large", "test" if n % 5 == 0 else "train") for n in range(15_000)]
    small = [question(f"s{n}", "small", "test" if n % 2 else "dev") for n in range(20)]
    heldout.guards_of([*large, *small])
    (n_large, style, exams), (n_small, own, _) = read
    assert (n_large, n_small, own) == (3_000, 10, 10)
    assert 1_000 <= style < 2_000 and exams == 3_000 + style + 20
