"""Questions that should be refused, and the replies that do so, from the facts and claims of a passage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import draws, questions
from med_small_lm.teacher.builtin.claims import claims_of
from med_small_lm.teacher.builtin.facts import facts_of
from med_small_lm.teacher.builtin.phrasings import forms
from med_small_lm.teacher.builtin.rules import relation_kinds
from med_small_lm.teacher.builtin.sentences import words
from med_small_lm.teacher.builtin.terms import is_term

_MOST = 12  # questions from which the false premise is taken
_NOTHING = dict.fromkeys(("question", "premise", "truth", "quote", "reply"), "")
_BELIEFS = (
    "Why is “{wrong}” the right answer to “{stem}”?",
    "I was told that the answer to “{stem}” is {wrong}. Why is that so?",
    "How do you explain that the answer to “{stem}” is {wrong}?",
)
_ASKED = ("What is known about {name}?", "What should a physician know about {name}?", "Can you tell me about {name}?")
_LACKS = (
    ("In which year did the first description of {about} appear?", "year first description"),
    ("What is the yearly cost of {about}?", "yearly cost"),
    ("Who was the discoverer of {about}?", "discoverer"),
)


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question of the kind ``style`` and its reply; all is empty where the passage gives rise to none.

    Slots: passage, related (passages of the same book), style, name (of what does not exist), seed.
    """
    kind = {"false_premise": _false_premise, "invented": _invented, "not_in_passage": _not_in_passage}
    return kind[str(slots["style"])](slots)


def _false_premise(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question that takes a wrong option for the right answer; the passage does not name that option."""
    passage, seed = str(slots["passage"]), int(slots["seed"])
    told = set(words(passage))
    items = questions.answer({**slots, "exemplars": (), "n": _MOST})["questions"]
    for item in draws.shuffled(items, seed, passage):
        truth = item["options"][item["answer"]]
        wrong = [option for option in item["options"] if option != truth and not set(words(option)) <= told]
        if wrong and set(words(truth)) <= told and "____" not in item["stem"]:
            form = _BELIEFS[draws.number(seed, item["stem"]) % len(_BELIEFS)]
            asked = form.format(wrong=wrong[0], stem=item["stem"])
            reply = f"That is not so. {item['quote']} So the answer is {truth}."
            return {"question": asked, "premise": wrong[0], "truth": truth, "quote": item["quote"], "reply": reply}
    return _NOTHING


def _invented(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question about what does not exist; the reply tells something that the passage says instead."""
    quote, _ = _sentence(slots)
    if not quote:
        return _NOTHING
    name = str(slots["name"])
    asked = _ASKED[draws.number(int(slots["seed"]), name) % len(_ASKED)].format(name=name)
    reply = f"Nothing is known to me of {name}, so I can tell nothing about it. What I can tell is this: {quote}"
    return {"question": asked, "premise": name.split()[-1], "truth": "", "quote": quote, "reply": reply}


def _not_in_passage(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return a question about a subject of the passage for what the passage does not tell of anything."""
    passage = str(slots["passage"])
    quote, about = _sentence(slots)
    told = set(words(passage))
    asks = [*_unstated(passage, quote), *(way for way in _LACKS if not set(words(way[1])) <= told)]
    if not quote or not about or not asks:
        return _NOTHING
    form, premise = asks[0]
    reply = f"The text does not say that. What it says is this: {quote}"
    return {"question": form.format(about=about), "premise": premise, "truth": "", "quote": quote, "reply": reply}


def _unstated(passage: str, quote: str) -> list[tuple[str, str]]:
    """Return forms that ask what is said of such a subject in general, and of none in this passage."""
    facts = facts_of(passage)
    own = next((fact for fact in facts if fact.sentence == quote), None)
    if own is None or not own.kind:
        return []
    stated, told = {fact.relation for fact in facts}, set(words(passage))
    lacking = [name for name, kinds in relation_kinds().items() if own.kind in kinds and name not in stated]
    ways = [(forms("stems", name)[0], name.replace("_", " ")) for name in draws.shuffled(lacking, passage)]
    return [
        (stem.replace("{S}", "{about}"), relation)
        for stem, relation in ways
        if set(words(relation)) <= set(words(stem)) and not set(words(relation)) <= told
    ]


def _sentence(slots: Mapping[str, Any]) -> tuple[str, str]:
    """Return a sentence of the passage that can be read alone, and what it is about; both empty if there is none."""
    passage, seed = str(slots["passage"]), int(slots["seed"])
    told = [(fact.sentence, fact.name) for fact in facts_of(passage)]
    told = told or [(claim.sentence, claim.about) for claim in claims_of(passage) if is_term(claim.about)]
    whole = [(sentence, about) for sentence, about in told if re.search(r"[.!]$", sentence)]
    return draws.shuffled(whole, seed, passage)[0] if whole else ("", "")
