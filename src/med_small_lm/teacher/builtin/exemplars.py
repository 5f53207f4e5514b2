"""What exemplars teach: for each relation, the wordings in which an examination asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from med_small_lm.teacher.builtin import draws
from med_small_lm.teacher.builtin.facts import Kinds, key, same_kind
from med_small_lm.teacher.builtin.rules import Fact, parse
from med_small_lm.teacher.builtin.sentences import starts_upper

SLOT = "{S}"
_AGE = re.compile(r"\b(?:(?P<article>[Aa])n? )?(?P<age>\d{1,2})(?=-year-old\b|-month-old\b)")
_KIND_WORDS = {
    "enzyme": re.compile(r"\benzyme"),
    "hormone": re.compile(r"\b(?:hormone|gland)"),
    "nutrient": re.compile(r"\b(?:nutrient|diet|vitamin|food)"),
    "drug": re.compile(r"\b(?:drug|medicine|prescri)"),
    "organism": re.compile(r"\b(?:organism|infect|microb)"),
    "cell": re.compile(r"\bcell type"),
    "structure": re.compile(r"\bstructure\b"),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A stem with a slot where the subject stands, and the relation that it asks for."""

    relation: str
    kind: str
    stem: str


def wordings(exemplars: Iterable[Mapping[str, Any]]) -> tuple[Wording, ...]:
    """Return the wordings of the exemplars whose evidence states, for a rule to read, what they ask."""
    return _wordings(tuple((str(e["stem"]), str(e["answer"]), str(e["evidence"])) for e in exemplars))


@lru_cache(maxsize=512)
def _wordings(rows: tuple[tuple[str, str, str], ...]) -> tuple[Wording, ...]:
    read: list[tuple[str, Fact]] = []
    for stem, answer, evidence in rows:
        fact = parse(evidence)
        if fact is not None and (not answer or key(fact.value) == key(answer)):
            read.append((stem, fact))
    kinds = Kinds(fact for _, fact in read)
    found = (_wording(stem, fact, kinds.of(fact)) for stem, fact in read)
    return tuple(dict.fromkeys(wording for wording in found if wording is not None))


def _wording(stem: str, fact: Fact, kind: str) -> Wording | None:
    """Return a stem with the fact's subject taken out, or None if the stem does not name it."""
    name = re.compile(rf"(?<![\w-])(?:the )?{re.escape(fact.subject)}(?![\w-])", re.IGNORECASE)
    if not name.search(stem):
        return None
    return Wording(fact.relation, kind, name.sub(SLOT, stem))


def fitting(known: Sequence[Wording], fact: Fact, kind: str) -> list[Wording]:
    """Return the wordings that can ask for a fact: same relation, and no word about another kind of subject."""
    alike = [wording for wording in known if wording.relation == fact.relation]
    return [wording for wording in alike if same_kind(wording.kind, kind) and _suits(wording.stem, kind)]


@lru_cache(maxsize=20_000)
def _suits(stem: str, kind: str) -> bool:
    named = [name for name, form in _KIND_WORDS.items() if form.search(stem.replace(SLOT, ""))]
    return not named or kind in named


def asked(wording: Wording | str, fact: Fact, seed: object) -> str:
    """Return the stem that asks a wording of a fact; the age in a vignette varies with the seed."""
    stem = wording if isinstance(wording, str) else wording.stem
    stem = stem.replace(SLOT, fact.name)
    return starts_upper(_AGE.sub(lambda found: _another_age(found, seed), stem))


def _another_age(found: re.Match[str], seed: object) -> str:
    """Return an age near the one found, on the same side of adulthood, with the article that it takes."""
    age = int(found["age"])
    shift = draws.number("age", found.string, seed) % 9 - 4
    low, high = (1, 17) if age < 18 else (18, 95)
    age = min(high, max(low, age + shift))
    vowel = age in (8, 11, 18) or 80 <= age <= 89
    return f"{found['article']}{'n' if vowel else ''} {age}" if found["article"] else str(age)
