"""Questions on a passage: a stem, four options, the right one's place, and the sentence that proves it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from med_small_lm.teacher.builtin import draws, general
from med_small_lm.teacher.builtin.exemplars import Wording, asked, fitting, wordings
from med_small_lm.teacher.builtin.facts import Kinds, distinct, facts_of, key, same_kind
from med_small_lm.teacher.builtin.phrasings import forms
from med_small_lm.teacher.builtin.rules import Fact

_WRONG = 3
_NEAR = 6
"""Wrong options are drawn from so many of the likest values, so that they are not always the same three."""

# Relations whose values are things of the same sort: they lend wrong options where their own are too few.
_ALIKE = (
    {"disease", "deficiency", "excess", "disorder", "complication", "use", "contraindication"},
    {"location", "secretion", "origin"},
    {"function", "role", "action", "reaction"},
    {"sign", "injury"},
)


@dataclass(frozen=True, slots=True)
class Item:
    """A question before its options are placed."""

    stem: str
    answer: str
    wrong: tuple[str, ...]
    quote: str


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return up to ``n`` questions on ``passage``.

    The seed decides which facts are asked, in which wording, and where the right option stands.

    Slots: passage, related (passages of the same book, for wrong options), exemplars, n, seed.
    """
    passage, seed = str(slots["passage"]), int(slots.get("seed", 0))
    related = [str(text) for text in slots.get("related", ())]
    wanted = int(slots.get("n", 1))
    items = _of_relations(passage, related, wordings(slots.get("exemplars", ())), seed, wanted)
    if len(items) < wanted:
        # A sentence that a relation's rule reads is asked about in that relation's way or not at all.
        read = [fact.sentence for fact in facts_of(passage)]
        items += [
            Item(c.stem, c.answer, wrong, c.sentence)
            for c, wrong in general.questions(passage, related, seed, wanted - len(items), read)
        ]
    return {"questions": [_placed(item, seed) for item in items]}


class Pool:
    """The facts of a passage and of those around it, to be looked up by relation and by subject."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        """Index the facts."""
        self.kinds = Kinds(facts)
        self.of_relation: dict[str, list[Fact]] = defaultdict(list)
        self.of_subject: dict[str, list[str]] = defaultdict(list)
        for fact in facts:
            self.of_relation[fact.relation].append(fact)
            self.of_subject[key(fact.subject)].append(fact.value)

    def mates(self, fact: Fact) -> list[str]:
        """Return the values of the same relation for subjects of the same kind."""
        kind = self.kinds.of(fact)
        return [mate.value for mate in self.of_relation[fact.relation] if same_kind(self.kinds.of(mate), kind)]


def _of_relations(passage: str, related: Sequence[str], known: Sequence[Wording], seed: int, wanted: int) -> list[Item]:
    """Return questions on the facts that the relations' rules read."""
    own = facts_of(passage)
    pool = Pool([*own, *(fact for text in related for fact in facts_of(text))])
    turn = draws.number(seed, passage)
    items: list[Item] = []
    for place, fact in enumerate(draws.shuffled(own, seed, passage)):
        if len(items) >= wanted:
            break
        wrong = _wrong_values(fact, pool, turn)
        if len(wrong) == _WRONG:
            ways = fitting(known, fact, pool.kinds.of(fact)) or forms("stems", fact.relation)
            stem = asked(ways[(turn + place) % len(ways)], fact, turn)
            items.append(Item(stem, fact.value, tuple(wrong), fact.sentence))
    return items


def _wrong_values(fact: Fact, pool: Pool, turn: int) -> list[str]:
    """Return three values of the same relation that hold for other subjects, alike in length, or fewer."""
    own = pool.of_subject[key(fact.subject)]
    found = _likest(fact.value, pool.mates(fact), own, turn)
    if 0 < len(found) < _WRONG:
        group = next((group for group in _ALIKE if fact.relation in group), set())
        lent = [mate.value for relation in sorted(group) for mate in pool.of_relation[relation]]
        found += _likest(fact.value, lent, [*own, *found], turn)
    return found[:_WRONG]


def _likest(value: str, others: Sequence[str], without: Sequence[str], turn: int) -> list[str]:
    """Return up to three of the others that are nearest to the value in length, drawn by turn."""
    by_length = sorted(set(others), key=lambda other: (abs(len(other) - len(value)), other))
    near = distinct(by_length, without=(value, *without), most=_NEAR)
    return draws.shuffled(near, turn, value)[:_WRONG]


def _placed(item: Item, seed: int) -> dict[str, Any]:
    """Return an item as the reply's JSON, the right option at a place that the seed draws."""
    place = draws.number("place", seed, item.stem, item.answer) % (_WRONG + 1)
    options = list(item.wrong)
    options.insert(place, item.answer)
    return {"stem": item.stem, "options": options, "answer": place, "quote": item.quote}
