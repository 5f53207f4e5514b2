"""How a pocket book orders its entries: chapters by kind, sections by field of medicine, a few tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from med_small_lm.pocket.facts import Fact
from med_small_lm.pocket.library import Entry, entries
from med_small_lm.pocket.wordings import capitalised, load_yaml, stable_hash

PLAN: dict[str, Any] = load_yaml("books.yml")
SECTION_SIZE = 5  # subjects, about
SECTION_MIN = 3
LAST_SECTION_MAX = 7
MIN_CHAPTER = 4  # subjects; a smaller group joins the chapter before it
TABLE_ROWS = 7
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table of one attribute: caption, two column heads, rows of subject and value."""

    caption: str
    head: tuple[str, str]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A few entries of one kind under a heading, perhaps with a table at the end."""

    title: str
    entries: tuple[Entry, ...]
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """Sections of one kind, or of a few kinds that go together, after a sentence on what follows."""

    title: str
    lead: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A pocket book as it will be typeset."""

    slug: str
    title: str
    subtitle: str
    design: str
    chapters: tuple[Chapter, ...]


def books(facts: Sequence[Fact]) -> list[Book]:
    """The eighteen books of the table, in the order of their slugs."""
    return [_book(slug, held) for slug, held in sorted(entries(facts).items())]


def _book(slug: str, held: Sequence[Entry]) -> Book:
    """One book of these entries."""
    plan = PLAN["books"][slug]
    order = [*plan["order"], *(group for group in PLAN["groups"] if group not in plan["order"])]
    grouped: list[tuple[str, list[Entry]]] = []
    for group in order:
        own = [e for kind in PLAN["groups"][group]["kinds"] for e in held if _kind(e) == kind]
        if grouped and len(own) < MIN_CHAPTER:
            grouped[-1][1].extend(own)
        elif own:
            grouped.append((group, own))
    chapters = tuple(_chapter(slug, number, *pair) for number, pair in enumerate(grouped, start=1))
    return Book(slug, plan["title"], plan["subtitle"], plan["design"], chapters)


def _chapter(slug: str, number: int, group: str, held: Sequence[Entry]) -> Chapter:
    """One chapter: its kinds one after the other, each in sections, with one or two tables."""
    titles = PLAN["groups"][group]["titles"]
    kinds = list(dict.fromkeys(_kind(entry) for entry in held))
    sections: list[Section] = []
    tabled: list[Table] = []
    for kind in kinds:
        own = _sections(slug, kind, [entry for entry in held if _kind(entry) == kind])
        if len(tabled) < 2 and (table := _table(slug, kind, own, f"Table {number}.{len(tabled) + 1}")):
            place = len(own) // 2
            own[place] = Section(own[place].title, own[place].entries, table)
            tabled.append(table)
        sections += own
    lead = PLAN["leads"][stable_hash("lead", slug, group) % len(PLAN["leads"])].format(
        subjects=len(held), sections=_counted(len(sections)), tables=_tables_named(number, len(tabled))
    )
    return Chapter(titles[stable_hash("chapter", slug, group) % len(titles)], capitalised(lead), tuple(sections))


def _sections(slug: str, kind: str, held: Sequence[Entry]) -> list[Section]:
    """Sections of about five entries, each of a field of medicine that all its subjects belong to."""
    plural = PLAN["plurals"][kind]
    rest, found, free = list(held), list[Section](), [field for field in PLAN["fields"] if field != slug]
    while len(rest) > LAST_SECTION_MAX and free:
        field = max(free, key=lambda field: (sum(_nearness(entry, field) for entry in rest), field))
        free.remove(field)
        members = [entry for entry in rest if _nearness(entry, field)]
        members = sorted(members, key=lambda entry: -_nearness(entry, field))[: SECTION_SIZE + 1]
        if len(members) >= SECTION_SIZE - 1:
            taken = [entry for entry in rest if entry in members]
            found.append(Section(_section_title(slug, plural, field), tuple(taken)))
            rest = [entry for entry in rest if entry not in members]
    if found and len(rest) < SECTION_MIN:
        rest = [*found.pop().entries, *rest]
    return [*found, Section(f"Further {plural}" if found else f"Selected {plural}", tuple(rest))]


def _section_title(slug: str, plural: str, field: str) -> str:
    """A heading such as "Drugs in psychiatry", built differently from book to book."""
    pattern: str = PLAN["sections"][stable_hash("section", slug, field) % len(PLAN["sections"])]
    return capitalised(pattern.format(plural=plural, **PLAN["fields"][field]))


def _table(slug: str, kind: str, sections: Sequence[Section], label: str) -> Table | None:
    """A table of one attribute of this kind in this book, or none where too few subjects have it."""
    facts = [s.fact for section in sections for entry in section.entries for s in entry.sentences]
    names = [name for name in PLAN["tables"][kind] if sum(fact.attribute == name for fact in facts) >= SECTION_SIZE]
    if not names:
        return None
    attribute = names[stable_hash("table", slug, kind) % len(names)]
    caption, head = PLAN["tables"][kind][attribute]
    own = [fact for fact in facts if fact.attribute == attribute]
    picked = sorted(own, key=lambda fact: stable_hash("row", slug, fact.subject))[:TABLE_ROWS]
    rows = tuple(sorted((capitalised(fact.subject), fact.value) for fact in picked))
    return Table(f"{label} {caption}", (capitalised(kind), head), rows)


def _tables_named(chapter: int, n: int) -> str:
    """The chapter's tables as the subject of a sentence with its verb, as in "Tables 1.1 and 1.2 sum"."""
    if n == 0:
        return "the headings sum"
    return f"Table {chapter}.1 sums" if n == 1 else f"Tables {chapter}.1 and {chapter}.2 sum"


def _kind(entry: Entry) -> str:
    """The kind of the entry's subject."""
    return entry.sentences[0].fact.kind


def _nearness(entry: Entry, field: str) -> float:
    """How near a subject is to a field: 1 for the first of its listed books, less for later ones, 0 for others."""
    listed = entry.sentences[0].fact.books
    return 1 / (1 + listed.index(field)) if field in listed else 0.0


def _counted(sections: int) -> str:
    """How many sections, as in "five sections"."""
    number = NUMBERS[sections] if sections < len(NUMBERS) else str(sections)
    return f"{number} section" if sections == 1 else f"{number} sections"
