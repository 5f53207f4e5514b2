"""A passage's facts said again: in other words, in short, one by one, and together with those of another passage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from med_small_lm.teacher.builtin import draws, general, naming
from med_small_lm.teacher.builtin.facts import facts_of, key
from med_small_lm.teacher.builtin.phrasings import forms, said
from med_small_lm.teacher.builtin.rationales import names
from med_small_lm.teacher.builtin.rules import Fact
from med_small_lm.teacher.builtin.sentences import is_whole, sentences, starts_upper, words

PLAIN = "plain"
_SHORT = 0.5  # of a passage's words that its summary has at most
_TOLD = 3  # statements of each passage in a link


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the passage's facts in other words; what no rule reads is left out, and the text may be empty.

    Slots: passage, style, seed. Another seed gives every fact another form; another style draws the forms anew.
    """
    return {"text": " ".join(_told(str(slots["passage"]), str(slots.get("style", "")), int(slots.get("seed", 0))))}


def summary(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the passage's facts in short: a sentence for each subject, then claims while there is room.

    Slots: passage.
    """
    passage = str(slots["passage"])
    facts = facts_of(passage)
    by_subject: dict[str, list[Fact]] = {}
    for fact in facts:
        by_subject.setdefault(key(fact.subject), []).append(fact)
    told = [_merged(own) for own in by_subject.values()]
    told += general.restatements(passage, "summary", 0, [fact.sentence for fact in facts])
    room, kept = _SHORT * len(words(passage)), list[str]()
    for sentence in told:
        room -= len(words(sentence))
        if room >= 0:
            kept.append(sentence)
    return {"summary": " ".join(kept)}


def atomic_facts(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return the passage's facts, each as a sentence of its own.

    Slots: passage.
    """
    passage = str(slots["passage"])
    return {"facts": _told(passage, "atomic facts", draws.number(passage))}


def link(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two passages state of a subject that both name; empty if one of them says no more than the other.

    Slots: subject, first, second.
    """
    subject = str(slots["subject"])
    first, second = (_naming(subject, str(slots[place])) for place in ("first", "second"))
    one, other = [told for told in first if told not in second], [told for told in second if told not in first]
    if not one or not other:
        return {"text": ""}
    subject = naming.inside_sentence(subject, f"{slots['first']} {slots['second']}")
    return {
        "text": f"Of {subject} one place says: {' '.join(one[:_TOLD])} Another place says: {' '.join(other[:_TOLD])}"
    }


def _naming(subject: str, passage: str) -> list[str]:
    """Return the facts and claims that name a subject, or, where the rules read none, the sentences that do."""
    told = _told(passage, "link", 0) or [sentence for sentence in sentences(passage) if is_whole(sentence)]
    return [sentence for sentence in told if names(sentence, subject)]


def _told(passage: str, style: str, seed: int) -> list[str]:
    """Return the facts and claims of a passage, a sentence each."""
    facts = facts_of(passage)
    told = [_retold(fact, style, seed) for fact in facts]
    return told + general.restatements(passage, style, seed, [fact.sentence for fact in facts])


def _retold(fact: Fact, style: str, seed: int) -> str:
    """Return one fact in the form that style and seed choose; the style ``plain`` says it as a rationale does."""
    ways = forms("rationales" if style == PLAIN else "statements", fact.relation)
    return said(ways[(draws.number(style, fact.subject, fact.relation) + seed) % len(ways)], fact)


def _merged(facts: list[Fact]) -> str:
    """Return all facts about one subject as one sentence: "Gout: cause, urate crystals; treatment, naproxen."."""
    parts = "; ".join(f"{fact.relation.replace('_', ' ')}, {fact.value}" for fact in facts)
    return f"{starts_upper(facts[0].name)}: {parts}."
