"""Rationales: the fact of the passage that decides a question, in one plain sentence, and the option that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from med_small_lm.teacher.builtin import draws, general
from med_small_lm.teacher.builtin.facts import facts_of, key
from med_small_lm.teacher.builtin.phrasings import forms, said
from med_small_lm.teacher.builtin.rules import Fact
from med_small_lm.teacher.builtin.sentences import words


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rationale for a question and the option that it leads to; both empty if the passage decides nothing.

    Slots: stem, options (texts, or records with a text), passage, and, where known, quote. The right answer is none of
    them: it is found in the passage.
    """
    stem, options = str(slots["stem"]), option_texts(slots["options"])
    texts = [str(slots.get("quote") or ""), str(slots["passage"])]
    for text in texts:
        fact = _deciding(stem, options, facts_of(text))
        if fact is not None:
            ways = forms("rationales", fact.relation)
            way = ways[draws.number(stem, fact.subject) % len(ways)]
            return {"rationale": said(way, fact), "answer": _option(fact.value, options)}
    for text in texts:
        decided = general.rationale(stem, options, text)
        if decided is not None:
            return {"rationale": decided[0], "answer": decided[1]}
    return {"rationale": "", "answer": ""}


def of_passages(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rationale by the first of several passages that decides a question; empty if none does.

    Slots: stem, options, passages.
    """
    found = (answer({**slots, "passage": passage}) for passage in slots["passages"])
    return next((one for one in found if one["answer"]), {"rationale": "", "answer": ""})


def option_texts(options: Sequence[Any]) -> list[str]:
    """Return the texts of options that are given as text or as records."""
    return [str(option["text"]) if isinstance(option, Mapping) else str(option) for option in options]


def names(text: str, name: str) -> bool:
    """Return whether a text names something, as whole words."""
    return re.search(rf"(?<![\w-]){re.escape(key(name))}(?![\w-])", text.lower()) is not None


def _deciding(stem: str, options: Sequence[str], facts: Sequence[Fact]) -> Fact | None:
    """Return the fact about the stem's subject whose value is an option; the one said most like the stem if several."""
    fitting = [fact for fact in facts if names(stem, fact.subject) and _option(fact.value, options)]
    asked = set(words(stem))
    return max(fitting, key=lambda fact: (len(fact.subject), len(asked & set(words(fact.sentence)))), default=None)


def _option(value: str, options: Sequence[str]) -> str:
    """Return the option that says the value, or an empty string."""
    return next((option for option in options if key(option) == key(value)), "")
