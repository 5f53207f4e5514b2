"""Items of a reply read by the kind of question that was asked for: options, key, quotes, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from med_small_lm.schemas.rows import Option, Question
from med_small_lm.synthesis.asked import text_field

SINGLE, MULTI, YES_NO = "single", "multi", "yes_no"
KEYS = "ABCD"
YES_NO_MAYBE = ("yes", "no", "maybe")
_LEAST = 2  # propositions
_LETTER = re.compile(r"\(?([A-Z])(?:[.):]| [-–—])\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Draft:
    """What an item says, with as much as it has; ``quotes`` are pairs of an option's key and the quoted text.

    ``faults`` are the parts that it lacks.
    """

    context: str
    options: list[Option]
    answer_keys: list[str]
    quotes: list[tuple[str, str]]
    faults: list[str]

    @property
    def answer_text(self) -> str:
        """Return the texts of the right options, one behind the other."""
        return "; ".join(option.text for option in self.options if option.key in self.answer_keys)


def draft_of(kind: str, item: Mapping[str, Any]) -> Draft:
    """Return what an item of a reply says, read as a question of a kind."""
    return _READERS[kind](item)


def exemplar_slot(question: Question) -> dict[str, Any]:
    """Return a question of an exam as the prompts of the further kinds show it."""
    return {
        "excerpt": question.context,
        "stem": question.stem,
        "options": [option.text for option in question.options],
        "answer": [option.text for option in question.options if option.key in question.answer_keys],
        "evidence": [quote.text for quote in question.quotes],
    }


def propositions(item: Mapping[str, Any]) -> tuple[list[Option], list[str], list[Mapping[str, Any]], list[str]]:
    """Return the propositions of an item as options, the keys of the true ones, as they were, and what they lack."""
    own = item.get("propositions")
    every = own[: len(ascii_uppercase)] if isinstance(own, list) else []
    told = [one for one in every if isinstance(one, Mapping)]
    options = _options([text_field(one, "text") for one in told])
    right = [option.key for option, one in zip(options, told, strict=True) if one.get("is_true") is True]
    faults = [] if len(every) >= _LEAST else [f"{len(every)} propositions"]
    faults += ["a proposition is no object"] * (len(told) < len(every))
    for name in ("text", "quote"):
        faults += [f"a proposition has no {name}"] * any(not text_field(one, name) for one in told)
    faults += ["a proposition is neither true nor false"] * any(
        not isinstance(one.get("is_true"), bool) for one in told
    )
    return options, right, told, faults


def _single(item: Mapping[str, Any]) -> Draft:
    """Return a question with one right option of four, named by its place."""
    texts, answer = item.get("options"), item.get("answer")
    faults = [f"no {name}" for name in ("stem", "quote") if not text_field(item, name)]
    if not isinstance(texts, list) or len(texts) != len(KEYS):
        faults.append(f"{len(texts) if isinstance(texts, list) else 'no list'} of {len(KEYS)} options")
    elif not all(isinstance(text, str) and text.strip() for text in texts):
        faults.append("an option is empty or no text")
    shown: Sequence[Any] = texts[: len(KEYS)] if isinstance(texts, list) else []
    options = _options([" ".join(text.split()) if isinstance(text, str) else "" for text in shown])
    fits = isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(options)
    right = [options[answer].key] if fits and isinstance(answer, int) else []
    if not right:
        faults.append(f"answer {answer!r} is the place of no option"[:80])
    quote = text_field(item, "quote")
    return Draft("", options, right, [(right[0] if right else "", quote)] if quote else [], faults)


def _multi(item: Mapping[str, Any]) -> Draft:
    """Return a question whose options are propositions, each with the quote that proves or refutes it."""
    options, right, told, lacks = propositions(item)
    faults = [*([] if text_field(item, "stem") else ["no stem"]), *lacks]
    quotes = [(option.key, text_field(one, "quote")) for option, one in zip(options, told, strict=True)]
    return Draft("", options, right, quotes, faults)


def _yes_no(item: Mapping[str, Any]) -> Draft:
    """Return a question that an excerpt answers with yes, no or maybe."""
    faults = [f"no {name}" for name in ("excerpt", "stem", "quote") if not text_field(item, name)]
    options = [Option(key, text) for key, text in zip(KEYS, YES_NO_MAYBE, strict=False)]
    answer = text_field(item, "answer").lower().rstrip(".")
    right = [option.key for option in options if option.text == answer]
    if not right:
        faults.append(f"answer {item.get('answer')!r} is none of {', '.join(YES_NO_MAYBE)}"[:80])
    quotes = [(right[0] if right else "", text_field(item, "quote"))]
    return Draft(text_field(item, "excerpt"), options, right, [one for one in quotes if one[1]], faults)


def _options(texts: Sequence[str]) -> list[Option]:
    """Return texts as options, without the letters of their places where a teacher has set one before each."""
    found = [_LETTER.match(text) for text in texts]
    is_lettered = all(one and one[1] == key for one, key in zip(found, ascii_uppercase, strict=False))
    own = [text[one.end() :] if one and is_lettered else text for text, one in zip(texts, found, strict=True)]
    return [Option(key, text) for key, text in zip(ascii_uppercase, own, strict=False)]


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Draft]] = {SINGLE: _single, MULTI: _multi, YES_NO: _yes_no}
