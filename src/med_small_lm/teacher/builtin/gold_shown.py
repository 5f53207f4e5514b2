"""Rationales where the right answer is shown: an analysis of the whole, and what is to be said of each option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from med_small_lm.teacher.builtin import draws, general
from med_small_lm.teacher.builtin.facts import facts_of, key
from med_small_lm.teacher.builtin.phrasings import forms, said
from med_small_lm.teacher.builtin.rationales import answer, option_texts
from med_small_lm.teacher.builtin.rules import Fact

_ENDS = (
    'So what is asked for is "{right}".',
    'This leads to "{right}", and to nothing else that is offered.',
    'Of what is offered, only "{right}" fits.',
)
_NOT = ('"{option}" is not what is stated{of}.', 'What is stated{of} is not "{option}".')


def analysis(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fact that decides a question, said twice where a rule reads it, and what follows from it.

    Both parts are empty where the passage does not prove the right answer, or proves another one.

    Slots: stem, options, right (texts), passage.
    """
    right, told, fact = _proof(slots)
    if not told:
        return {"rationale": "", "answer": ""}
    turn = draws.number(str(slots["stem"]), right)
    ways = forms("statements", fact.relation) if fact else []
    again = [said(ways[turn % len(ways)], fact)] if fact else []
    return {"rationale": " ".join([told, *again, _ENDS[turn % len(_ENDS)].format(right=right)]), "answer": right}


def option_by_option(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return of each option whether it is the right one, and why; nothing where the passage does not prove that one.

    Of a wrong option it is said what the passage tells of it instead, or that it is not what is told of the subject.

    Slots: stem, options, keys, right (texts), passage.
    """
    right, told, fact = _proof(slots)
    if not told:
        return {"options": []}
    options, of = option_texts(slots["options"]), f" of {fact.name}" if fact else ""
    whys = [told if option == right else _otherwise(option, of, str(slots["passage"])) for option in options]
    return {
        "options": [
            {"option": name, "verdict": "TRUE" if option == right else "FALSE", "why": why}
            for name, option, why in zip(slots["keys"], options, whys, strict=True)
        ]
    }


def _proof(slots: Mapping[str, Any]) -> tuple[str, str, Fact | None]:
    """Return the one right answer, the statement that proves it (empty where none does), and the fact that it says."""
    right: Sequence[str] = slots["right"]
    found = answer(slots)
    if [found["answer"]] != list(right):
        return "", "", None
    told = found["rationale"]
    facts = (one for one in facts_of(str(slots["passage"])) if key(one.value) == key(right[0]))
    return right[0], told, next((one for one in facts if key(one.name) in key(told)), None)


def _otherwise(option: str, of: str, passage: str) -> str:
    """Return what a passage tells of a wrong option, or that it does not tell it ``of`` the subject."""
    for fact in facts_of(passage):
        if key(fact.value) == key(option):
            return said(forms("rationales", fact.relation)[0], fact)
    way = _NOT[draws.number(option) % len(_NOT)]
    return general.mention(option, passage) or way.format(option=option, of=of)
