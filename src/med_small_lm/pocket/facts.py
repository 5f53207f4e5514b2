"""The table of facts behind the pocket library: read, checked, written."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from med_small_lm.pocket.aside import write_aside
from med_small_lm.pocket.wordings import WORDINGS

COLUMNS = ("subject", "kind", "attribute", "value", "books")
BOOKS = (
    "anatomy", "biochemistry", "cell_biology", "clinical_review", "gynecology", "histology", "immunology",
    "internal_medicine", "neurology", "obstetrics", "pathology", "pathology_review", "pediatrics", "pharmacology",
    "physiology", "psychiatry", "science_review", "surgery",
)  # fmt: skip
BOOKS_PER_FACT = 4
MAX_VALUE_CHARS = 45
FORBIDDEN = set(",;/()\"'<>&{}")


class FactTableError(ValueError):
    """What is wrong with a fact table, with the line of the file."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the table: the value of one attribute of one subject, and the books that may treat the subject."""

    subject: str
    kind: str
    attribute: str
    value: str
    books: tuple[str, ...]

    @property
    def group(self) -> tuple[str, str]:
        """Kind and attribute: facts of one group can stand as options of one another's questions."""
        return self.kind, self.attribute


def read_facts(path: Path) -> list[Fact]:
    """The facts of a table in the order of the file, every row checked.

    Raises:
        FactTableError: the file is missing or empty, or a row is wrong; the message names the file and the line.
    """
    if not path.is_file():
        raise FactTableError(f"{path}: no such fact table")
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise FactTableError(f"{path}: header must be {','.join(COLUMNS)}, not {reader.fieldnames}")
        numbered = [(reader.line_num, _fact(row, f"{path}:{reader.line_num}")) for row in reader]
    if not numbered:
        raise FactTableError(f"{path}: no facts")
    _check_together(numbered, path)
    return [fact for _, fact in numbered]


def write_facts(facts: Iterable[Fact], path: Path) -> None:
    """Leaves the table at ``path``, as ``read_facts`` takes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((f.subject, f.kind, f.attribute, f.value, ";".join(f.books)) for f in facts)
    write_aside(path, text.getvalue().encode())


def by_subject(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    """The facts of each subject, subjects and facts in the order of the table."""
    subjects: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        subjects[fact.subject].append(fact)
    return dict(subjects)


def _fact(row: dict[str, str | None], where: str) -> Fact:
    """One checked fact from a row of the file."""
    cells = {column: row.get(column) or "" for column in COLUMNS}
    for column, cell in cells.items():
        if not cell or cell != cell.strip():
            raise FactTableError(f"{where}: {column} is empty or has space around it: {cell!r}")
    kind, attribute = cells["kind"], cells["attribute"]
    if attribute not in WORDINGS.get(kind, {}):
        raise FactTableError(f"{where}: no attribute {attribute!r} of kind {kind!r} in wordings.yml")
    for column in ("subject", "value"):
        if not cells[column].isascii() or FORBIDDEN & set(cells[column]):
            raise FactTableError(f"{where}: {column} must be plain ASCII without punctuation marks: {cells[column]!r}")
    if len(cells["value"]) > MAX_VALUE_CHARS:
        raise FactTableError(f"{where}: value is longer than {MAX_VALUE_CHARS} characters: {cells['value']!r}")
    books = tuple(cells["books"].split(";"))
    if unknown := set(books) - set(BOOKS):
        raise FactTableError(f"{where}: unknown books: {', '.join(sorted(unknown))}")
    if len(set(books)) < max(len(books), BOOKS_PER_FACT):
        raise FactTableError(f"{where}: at least {BOOKS_PER_FACT} different books are needed: {cells['books']}")
    return Fact(cells["subject"], kind, attribute, cells["value"], books)


def _check_together(numbered: Sequence[tuple[int, Fact]], path: Path) -> None:
    """Raises where rows contradict each other: one kind and one list of books a subject, no fact twice."""
    first: dict[str, Fact] = {}
    seen: set[tuple[str, str, str]] = set()
    for line, fact in numbered:
        known = first.setdefault(fact.subject.lower(), fact)
        if (known.subject, known.kind, known.books) != (fact.subject, fact.kind, fact.books):
            raise FactTableError(f"{path}:{line}: {fact.subject} has another spelling, kind or books above")
        row = (fact.subject, fact.attribute, fact.value)
        if row in seen:
            raise FactTableError(f"{path}:{line}: the same fact stands above: {', '.join(row)}")
        seen.add(row)
