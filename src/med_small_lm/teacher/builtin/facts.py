"""The facts of a passage: its sentences parsed, names spelt as in the book, and kinds told from all facts together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from med_small_lm.teacher.builtin import naming
from med_small_lm.teacher.builtin.rules import Fact, parse, relation_kinds
from med_small_lm.teacher.builtin.sentences import is_whole, sentences

_MOSTLY = 0.5
"""Share of a passage's sentences that the relations' rules read where it is written in statements of them."""


@lru_cache(maxsize=20_000)
def facts_of(passage: str) -> tuple[Fact, ...]:
    """Return the facts that the sentences of a passage state, in their order; none of what reads as ordinary prose.

    There the rules read a sentence now and then, and often take a passing mention for a fact.
    """
    read = {sentence: parse(sentence) for sentence in sentences(passage)}
    told = [sentence for sentence, fact in read.items() if fact is not None or is_whole(sentence)]
    found = [_spelt(fact, passage) for fact in read.values() if fact is not None]
    if len(found) < _MOSTLY * len(told):
        return ()
    with_article = {key(fact.subject) for fact in found if fact.article}
    return tuple(replace(fact, article=key(fact.subject) in with_article) for fact in found)


class Kinds:
    """What sort of thing each subject is (disease, drug, …), as all facts about it together tell.

    A relation that is said of one kind only ("S catalyzes V") tells more than a name's form does.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        """Count what the facts tell."""
        self._votes: dict[str, dict[str, int]] = {}
        for fact in facts:
            kinds = relation_kinds()[fact.relation]
            if len(kinds) == 1:
                self._vote(fact, kinds[0], 2)
            if fact.kind:
                self._vote(fact, fact.kind, 1)

    def of(self, fact: Fact) -> str:
        """Return the kind of a fact's subject among those that its relation is said of, or an empty string."""
        allowed = relation_kinds()[fact.relation]
        if len(allowed) == 1:
            return allowed[0]
        votes = self._votes.get(key(fact.subject), {})
        return max((kind for kind in allowed if kind in votes), key=lambda kind: votes[kind], default="")

    def _vote(self, fact: Fact, kind: str, weight: int) -> None:
        counts = self._votes.setdefault(key(fact.subject), {})
        counts[kind] = counts.get(kind, 0) + weight


@lru_cache(maxsize=100_000)
def key(text: str) -> str:
    """Return a name or value in the form in which it is compared: lower case, no article, no final stop."""
    lower = text.lower().strip().rstrip(".")
    return lower[4:] if lower.startswith("the ") else lower


def same_kind(one: str, other: str) -> bool:
    """Return whether two kinds may be the same: an unknown one may be any."""
    return not one or not other or one == other


def distinct(values: Iterable[str], without: Sequence[str] = (), most: int = 1000) -> list[str]:
    """Return the first ``most`` values, each once, none that says the same as, or holds, one of ``without``."""
    taken = {key(value) for value in without}
    found: list[str] = []
    for value in values:
        form = key(value)
        if form and form not in taken and not any(_holds(form, other) or _holds(other, form) for other in taken):
            taken.add(form)
            found.append(value)
            if len(found) == most:
                break
    return found


def _holds(whole: str, part: str) -> bool:
    return part in whole and f" {part} " in f" {whole} "


def _spelt(fact: Fact, passage: str) -> Fact:
    """Return the fact with its subject spelt as inside a sentence, where the passage shows how."""
    lowered = fact.subject[0].lower() + fact.subject[1:]
    if lowered != fact.subject and naming.inside_sentence(fact.subject, passage) == lowered:
        return replace(fact, subject=lowered)
    return fact
