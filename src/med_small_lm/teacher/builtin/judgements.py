"""What the rules can tell of a question that is written: which options the passage makes right, what gives one away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import rationales
from med_small_lm.teacher.builtin.facts import facts_of, key
from med_small_lm.teacher.builtin.sentences import words

_LETTERS = 5  # of a word that may be a clue


def one_right(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the passage makes right: the one it decides on, and what else it says in its place.

    Slots: stem, options, passage. What stands elsewhere than in the passage the rules do not know.
    """
    options = rationales.option_texts(slots["options"])
    first = rationales.answer(slots)["answer"]
    facts = [fact for fact in facts_of(str(slots["passage"])) if rationales.names(str(slots["stem"]), fact.subject)]
    asked = {(key(fact.subject), fact.relation) for fact in facts if key(fact.value) == key(first)}
    also = {key(fact.value) for fact in facts if (key(fact.subject), fact.relation) in asked}
    right = [option for option in options if option == first or key(option) in also]
    return {"right": right, "why": "The passage states it." if right else "The passage decides on none of them."}


def answerable(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the option that the passage decides on, empty if it does on none; slots: stem, options, passage."""
    return {"answer": rationales.answer(slots)["answer"]}


def obvious(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one option that repeats a longer word of the stem, and the clue; both empty if none or several do.

    Slots: stem, options.
    """
    asked = {word for word in words(str(slots["stem"])) if len(word) >= _LETTERS}
    told = {option: asked & set(words(option)) for option in rationales.option_texts(slots["options"])}
    clues = [(option, shared) for option, shared in told.items() if shared]
    if len(clues) != 1:
        return {"answer": "", "why": ""}
    return {"answer": clues[0][0], "why": f"Only this option repeats {' and '.join(sorted(clues[0][1]))}."}
