"""Which subject stands in which pocket book, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from med_small_lm.pocket.facts import BOOKS, BOOKS_PER_FACT, Fact, by_subject
from med_small_lm.pocket.wordings import WORDINGS, stable_hash, statement

WORDING_STEP = 2  # has no divisor in common with the nine wordings, so a fact's books never share one


@dataclass(frozen=True, slots=True)
class Sentence:
    """A fact as one book states it."""

    fact: Fact
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one book says of one subject: a paragraph, and whether the subject's name runs in before it."""

    subject: str
    sentences: tuple[Sentence, ...]
    run_in: bool


def shelve(facts: Sequence[Fact], per_fact: int = BOOKS_PER_FACT) -> dict[str, tuple[str, ...]]:
    """The ``per_fact`` books of each subject, chosen among those listed so that all books hold about as many facts.

    The choice depends on the subjects, their books and their numbers of facts, not on any value.
    """
    subjects = by_subject(facts)
    load = dict.fromkeys(BOOKS, 0)
    chosen: dict[str, list[str]] = {}
    for name in sorted(subjects, key=lambda name: (len(subjects[name][0].books), stable_hash("shelve", name))):
        listed = subjects[name][0].books
        chosen[name] = sorted(listed, key=lambda book: (load[book], stable_hash(name, book)))[:per_fact]
        for book in chosen[name]:
            load[book] += len(subjects[name])
    while _even_out(subjects, chosen, load):
        pass
    return {name: tuple(sorted(chosen[name])) for name in subjects}


def _even_out(subjects: Mapping[str, list[Fact]], chosen: dict[str, list[str]], load: dict[str, int]) -> bool:
    """True if a subject was moved from a fuller book to an emptier one; each move makes the loads more equal."""
    moved = False
    for name, held in chosen.items():
        facts = subjects[name]
        spare = min((b for b in facts[0].books if b not in held), key=lambda b: (load[b], b), default=None)
        fullest = max(held, key=lambda b: (load[b], b))
        if spare is not None and load[fullest] > load[spare] + len(facts):
            held[held.index(fullest)] = spare
            load[fullest] -= len(facts)
            load[spare] += len(facts)
            moved = True
    return moved


def entries(facts: Sequence[Fact]) -> dict[str, list[Entry]]:
    """The entries of each book, subjects in the order of the table.

    Every fact of a subject stands in all its books, each time in another wording; the order of the sentences and
    the run-in headings vary by book.
    """
    shelves = shelve(facts)
    books: dict[str, list[Entry]] = {book: [] for book in BOOKS}
    for name, own in by_subject(facts).items():
        for book in shelves[name]:
            turn = shelves[name].index(book)
            told = sorted(own, key=lambda fact: stable_hash("order", book, name, fact.attribute))
            sentences = tuple(Sentence(fact, _in_words(fact, turn)) for fact in told)
            books[book].append(Entry(name, sentences, stable_hash("run-in", book, name) % 5 < 2))
    return books


def statements(facts: Sequence[Fact]) -> dict[Fact, list[str]]:
    """The sentences that state each fact somewhere in the library, one a book."""
    found: dict[Fact, list[str]] = {fact: [] for fact in facts}
    for entry in (entry for book in entries(facts).values() for entry in book):
        for sentence in entry.sentences:
            found[sentence.fact].append(sentence.text)
    return found


def _in_words(fact: Fact, turn: int) -> str:
    """The fact in the wording that the ``turn``-th of its books uses."""
    start = stable_hash("wording", fact.subject, fact.attribute) % len(WORDINGS[fact.kind][fact.attribute].statements)
    return statement(fact.kind, fact.attribute, fact.subject, fact.value, start + WORDING_STEP * turn)
