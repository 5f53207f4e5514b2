"""What the pocket commands leave on disk: the books, the exam, the counterfactual."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from med_small_lm.pocket.aside import write_aside
from med_small_lm.pocket.chapters import books
from med_small_lm.pocket.counterfactual import N_CHANGES, Change, counterfactual
from med_small_lm.pocket.exam import exam, read_questions, write_questions
from med_small_lm.pocket.facts import read_facts, write_facts
from med_small_lm.pocket.typeset import typeset
from med_small_lm.schemas.rows import Question

SEED = 0
FACTS_FILE = "pocket_facts.csv"
EXAM_FILE = "pocket_exam.jsonl"
CHANGES_FILE = "changes.jsonl"


def write_library(facts_csv: Path, out_dir: Path) -> list[Path]:
    """The paths of the books, one PDF for each book that holds some fact of the table.

    Raises:
        FactTableError: the table is missing or wrong.
    """
    written = []
    for book in books(read_facts(facts_csv)):
        if book.chapters:
            written.append(out_dir / f"{book.slug}.pdf")
            write_aside(written[-1], typeset(book))
    return written


def write_exam(facts_csv: Path, out_file: Path, seed: int = SEED) -> list[Question]:
    """The questions of both splits, as they stand in ``out_file``.

    Raises:
        FactTableError: the table is missing or wrong.
        ExamError: the table is too small for an exam.
    """
    questions = exam(read_facts(facts_csv), seed)
    write_questions(questions, out_file)
    return questions


def write_counterfactual(
    facts_csv: Path, exam_file: Path, out_dir: Path, n: int = N_CHANGES, seed: int = SEED
) -> list[Change]:
    """The ``n`` changes; ``out_dir`` then holds the changed table, the changes and the exam with its new keys.

    Raises:
        FactTableError: the table is missing or wrong.
        ExamError: the exam does not belong to the table, or fewer than ``n`` of its items can be changed.
    """
    facts, changes, questions = counterfactual(read_facts(facts_csv), read_questions(exam_file), seed, n)
    write_facts(facts, out_dir / FACTS_FILE)
    write_questions(questions, out_dir / EXAM_FILE)
    lines = "".join(json.dumps(asdict(change)) + "\n" for change in changes)
    write_aside(out_dir / CHANGES_FILE, lines.encode())
    return changes
