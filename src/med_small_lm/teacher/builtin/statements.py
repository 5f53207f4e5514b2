"""Statements that a passage proves or refutes, and the questions that are made of them: several right, yes or no."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from med_small_lm.teacher.builtin import draws, general
from med_small_lm.teacher.builtin.claims import LISTED
from med_small_lm.teacher.builtin.facts import distinct, facts_of, key
from med_small_lm.teacher.builtin.options import overlap
from med_small_lm.teacher.builtin.phrasings import forms, said
from med_small_lm.teacher.builtin.questions import Pool
from med_small_lm.teacher.builtin.rules import parse
from med_small_lm.teacher.builtin.sentences import sentences, starts_upper

_PROPOSITIONS = 5
_NEAR = 4  # passages on either side that lend what is false
_IS = re.compile(r" (is|are) ")
_TRUE_THAT = "Is it true that "


@dataclass(frozen=True, slots=True)
class Told:
    """What one sentence tells: about what, in which respect, as a statement, and with other things in its place.

    ``answer`` is what the statement says and ``others`` the false ones do not; ``respect`` is empty in ordinary prose.
    """

    about: str
    respect: str
    answer: str
    statement: str
    others: tuple[str, ...]
    quote: str

    def proposition(self, turn: int) -> dict[str, Any]:
        """Return the statement or one of the false ones, said or denied, as ``turn`` draws."""
        place = turn % (len(self.others) + 1)
        text, is_true = (self.others[place - 1], False) if place else (self.statement, True)
        if self.respect and (turn // 7) % 2:
            text, is_true = _IS.sub(r" \1 not ", text, count=1), not is_true
        return {"text": text, "is_true": is_true, "justification": self.statement, "quote": self.quote}


def told(passages: Sequence[str], related: Sequence[str], seed: int) -> list[Told]:
    """Return what the passages tell: the facts of relations, or where there are none the claims of prose."""
    facts = [fact for text in passages for fact in facts_of(text)]
    if not facts:
        return [
            one
            for place, text in enumerate(passages)
            for one in _of_prose(text, [*passages[max(place - _NEAR, 0) : place + _NEAR], *related], seed)
        ]
    pool = Pool([*facts, *(fact for text in related for fact in facts_of(text))])
    found: list[Told] = []
    for fact in facts:
        others = distinct(sorted(set(pool.mates(fact))), without=pool.of_subject[key(fact.subject)])
        others = draws.shuffled(others, seed, fact.sentence)[: _PROPOSITIONS - 1]
        way = forms("rationales", fact.relation)[0]
        wrong = tuple(said(way, replace(fact, value=value)) for value in others)
        if wrong:
            respect = fact.relation.replace("_", " ")
            found.append(Told(fact.name, respect, fact.value, said(way, fact), wrong, fact.sentence))
    return found


def multi(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return up to ``n`` questions with propositions on ``passage``, each about one subject or about several.

    Slots: passage, exemplars, n, seed.
    """
    passage, seed = str(slots["passage"]), int(slots.get("seed", 0))
    groups: dict[str, list[Told]] = defaultdict(list)
    for one in told([passage], [], seed):
        groups[one.about if one.respect else ""].append(one)
    items: list[dict[str, Any]] = []
    for about, own in groups.items():
        for start in range(0, len(own), _PROPOSITIONS):
            some = own[start : start + _PROPOSITIONS]
            propositions = list(mixed(some, seed)) if len(some) > 1 else []
            if propositions:
                stem = f"Which of the following statements{f' on {about}' if about else ''} are correct?"
                items.append({"stem": stem, "propositions": propositions})
    shown = ("text", "is_true", "quote")
    for item in items:
        item["propositions"] = [{name: one[name] for name in shown} for one in item["propositions"]]
    return {"questions": items[: int(slots.get("n", 1))]}


def yes_no(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return up to ``n`` questions that an excerpt of ``passage`` answers with yes or no; what it leaves open the rules
    cannot tell.

    Slots: passage, exemplars, n, seed.
    """  # noqa: D205
    passage, seed = str(slots["passage"]), int(slots.get("seed", 0))
    own, items = list(sentences(passage)), []
    for one in told([passage], [], seed):
        turn = draws.number(seed, one.quote)
        text, answer = (one.statement, "yes") if turn % 2 else (one.others[turn // 2 % len(one.others)], "no")
        place = own.index(one.quote)
        excerpt = " ".join(own[max(place - 1, 0) : place + 2])
        stem = f"{_TRUE_THAT}{_inside(text)}?"
        items.append({"excerpt": excerpt, "stem": stem, "answer": answer, "quote": one.quote})
    return {"questions": items[: int(slots.get("n", 1))]}


def says(stem: str, quote: str) -> bool:
    """Return whether a quote says what a question asks to be true."""
    asked = stem.removeprefix(_TRUE_THAT).rstrip("?")
    left, right = parse(f"{starts_upper(asked)}."), parse(quote)
    if left is not None and right is not None:
        same = [(key(fact.subject), fact.relation, key(fact.value)) for fact in (left, right)]
        return same[0] == same[1]
    return overlap(asked, quote) == 1.0


def mixed(own: Sequence[Told], seed: int, wanted: int = _PROPOSITIONS) -> Iterator[dict[str, Any]]:
    """Yield up to ``wanted`` propositions on what is told, no two the same; none if all are true or all are false."""
    found: dict[str, dict[str, Any]] = {}
    for turn in range(4 * wanted):
        one = own[turn % len(own)]
        proposition = one.proposition(draws.number(seed, one.quote, turn))
        said_before = {text.replace(" not ", " ") for text in found}
        if proposition["text"].replace(" not ", " ") not in said_before and len(found) < wanted:
            found[proposition["text"]] = proposition
    if {one["is_true"] for one in found.values()} == {True, False}:
        yield from found.values()


def _of_prose(passage: str, around: Sequence[str], seed: int) -> Iterator[Told]:
    """Yield the claims of a passage that can be said of something else."""
    others = [text for text in around if text != passage]
    for claim, wrong in general.questions(passage, others, seed, 2 * _PROPOSITIONS):
        if claim.group == LISTED:
            continue
        place = re.search(rf"(?<![\w-]){re.escape(claim.answer)}(?![\w-])", claim.statement, re.IGNORECASE)
        if place is not None:
            first, last = claim.statement[: place.start()], claim.statement[place.end() :]
            false = tuple(f"{first}{text if not first else _inside(text)}{last}" for text in wrong)
            yield Told(claim.about or claim.answer, "", claim.answer, claim.statement, false, claim.sentence)


def _inside(text: str) -> str:
    """Return a statement or term as it stands inside a sentence."""
    return (text[0].lower() + text[1:] if text[1:2].islower() else text).rstrip(".")
