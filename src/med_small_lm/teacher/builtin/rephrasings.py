"""Rephrasings: the facts of a passage said again in other words, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import draws, general
from med_small_lm.teacher.builtin.facts import facts_of
from med_small_lm.teacher.builtin.phrasings import forms, said
from med_small_lm.teacher.builtin.rules import Fact

PLAIN = "plain"


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the passage's facts in other words; what no rule reads is left out, and the text may be empty.

    Slots: passage, style, seed. Another seed gives every fact another form; another style draws the forms anew.
    """
    passage, style, seed = str(slots["passage"]), str(slots.get("style", "")), int(slots.get("seed", 0))
    facts = facts_of(passage)
    told = [_retold(fact, style, seed) for fact in facts]
    told += general.restatements(passage, style, seed, [fact.sentence for fact in facts])
    return {"text": " ".join(told)}


def _retold(fact: Fact, style: str, seed: int) -> str:
    """Return one fact in the form that style and seed choose; the style ``plain`` says it as a rationale does."""
    ways = forms("rationales" if style == PLAIN else "statements", fact.relation)
    return said(ways[(draws.number(style, fact.subject, fact.relation) + seed) % len(ways)], fact)
