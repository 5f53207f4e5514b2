"""The command group ``pocket``: makes the pocket library, its exam and the counterfactual from a fact table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

FACTS = Path("data/01_raw/pocket_facts.csv")
TEXTBOOKS = Path("data/01_raw/textbooks")
EXAM = Path("data/01_raw/benchmarks/pocket_exam.jsonl")
COUNTERFACTUAL = Path("data/counterfactual/01_raw")

T = TypeVar("T")


def _path(name: str, default: Path, what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that takes a path."""
    return click.option(name, type=click.Path(path_type=Path), default=default, show_default=True, help=what)


def _seed(command: Callable[..., None]) -> Callable[..., None]:
    """The option ``--seed``."""
    return click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed.")(command)


@click.group()
def pocket() -> None:
    """Make the pocket library, its exam and its counterfactual. For testing software, not for clinical use."""


@pocket.command()
@_path("--facts", FACTS, "Table of facts, CSV.")
@_path("--out", TEXTBOOKS, "Folder for the PDFs.")
def library(facts: Path, out: Path) -> None:
    """Typeset the textbooks."""
    from med_small_lm.pocket.outputs import write_library

    written = _run(lambda: write_library(facts, out))
    click.echo(f"{len(written)} books, {sum(path.stat().st_size for path in written) / 1e6:.1f} MB in {out}")


@pocket.command()
@_path("--facts", FACTS, "Table of facts, CSV.")
@_path("--out", EXAM, "File for the questions, JSON lines.")
@_seed
def exam(facts: Path, out: Path, seed: int) -> None:
    """Write the exam."""
    from med_small_lm.pocket.outputs import write_exam

    splits = Counter(question.split for question in _run(lambda: write_exam(facts, out, seed)))
    click.echo(f"{splits['test']} test and {splits['dev']} dev questions in {out}")


@pocket.command()
@_path("--facts", FACTS, "Table of facts, CSV.")
@_path("--exam", EXAM, "Exam of that table, JSON lines.")
@_path("--out", COUNTERFACTUAL, "Folder for the changed table, the changes and the exam with its new keys.")
@click.option("--n", type=click.IntRange(min=1), default=40, show_default=True, help="Facts to change.")
@_seed
def counterfactual(facts: Path, exam: Path, out: Path, n: int, seed: int) -> None:
    """Change some facts and the keys of the questions that ask for them."""
    from med_small_lm.pocket.outputs import write_counterfactual

    changes = _run(lambda: write_counterfactual(facts, exam, out, n, seed))
    click.echo(f"{len(changes)} facts changed in {out}")


def _run(make: Callable[[], T]) -> T:
    """What ``make`` returns; what the user can mend ends the command with a message."""
    from med_small_lm.pocket.exam import ExamError
    from med_small_lm.pocket.facts import FactTableError

    try:
        return make()
    except (FactTableError, ExamError, OSError) as error:
        raise click.ClickException(str(error)) from error
