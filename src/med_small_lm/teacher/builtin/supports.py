"""Whether a quote proves an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import general, statements
from med_small_lm.teacher.builtin.facts import key
from med_small_lm.teacher.builtin.rationales import names
from med_small_lm.teacher.builtin.rules import parse


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the quote, by itself, says that the answer is right for the stem, and why.

    Slots: quote, answer, stem.
    """
    quote, given, stem = str(slots["quote"]), str(slots["answer"]), str(slots["stem"])
    if given in ("yes", "no"):
        supported = statements.says(stem, quote) == (given == "yes")
        return {"supported": supported, "why": f"The quote {'decides' if supported else 'does not decide'} it so."}
    fact = parse(quote)
    if fact is not None and names(stem, fact.subject):
        if key(fact.value) == key(given):
            return {
                "supported": True,
                "why": f"The quote states the {_said(fact.relation)} of {fact.name}: {fact.value}.",
            }
        if not general.supports(stem, given, quote):
            return {"supported": False, "why": f"The quote states that the {_said(fact.relation)} is {fact.value}."}
    if general.supports(stem, given, quote):
        return {"supported": True, "why": "The quote names the answer together with what the question asks about it."}
    return {"supported": False, "why": "The quote does not say this of the question's subject."}


def _said(relation: str) -> str:
    return relation.replace("_", " ")
