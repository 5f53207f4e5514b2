"""Which options a reply names: read by fixed rules, without knowing which one is right.

A reply is read without its thinking and its mark-up, in this order; the first kind of statement that it holds decides:

1. statements of the answer ("The answer is (C) text", "Answer: B", "OPTION D IS CORRECT", "La bonne réponse est C"):
   the last one counts, for a reply ends with its answer. One that names something else before it makes the reply
   ambiguous, unless the reply turns from it ("Wait, …") or concludes ("So …"), and so does another option that it goes
   on to name ("A, possibly B", "A. No, B."). What is denied, asked or another's states nothing ("The wrong answer is
   A", "I doubt the answer is A", "The answer is A?");
2. a list that calls each proposition true or false;
3. lines that are an option and nothing else ("B: text", "B", "text"), and yes, no or maybe as the first word. Of
   several right options, one such line whose key stands before what no option says makes the reply ambiguous.

Nothing is guessed from the rest, for a rationale may well name every option, and of two readings neither is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from med_small_lm.answers.asked import Asked, Reading
from med_small_lm.answers.claims import is_unread_item, line_reading
from med_small_lm.answers.declining import leaves_open, refuses
from med_small_lm.answers.forms import Form
from med_small_lm.answers.markup import plain
from med_small_lm.answers.polar import polar_reading, polar_words, proposition_verdicts
from med_small_lm.answers.statements import stated
from med_small_lm.answers.thinking import without_thinking
from med_small_lm.schemas.rows import Option

SEVERAL = ("multi", "progressive")
"""Kinds of questions of which any number of options may be right."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read from a reply.

    ``state`` is one of

    - ``parsed``: one option is named (of several right ones, a list of them), by key or word for word;
    - ``repaired``: the text named is no option's, and clearly nearest to one;
    - ``ambiguous``: no one option is named, be it two, key and text at odds, or none;
    - ``refused``: no option is named and the reply declines to answer;
    - ``truncated``: the reply, or its thinking, was cut before its end, whatever it says until then;
    - ``empty``: nothing is left without the thinking.

    ``keys`` are in the options' order: one if parsed or repaired, of kinds with several right ones any number (none
    where each is called false), and none in any other state.
    """

    state: str
    keys: list[str]


def extract(
    text: str, options: Sequence[Option], form: Form, *, kind: str = "single", truncated: bool = False
) -> Extraction:
    """Returns the state of a reply and the keys that it names.

    Args:
        text: the reply, with or without thinking.
        options: the question's options.
        form: how the answer was asked for: its ending is looked for beside the common phrases.
        kind: the question's kind. Only "multi" and "progressive" take several keys; a reply to "open" is parsed if it
            says anything.
        truncated: whether the reply was cut before its end.
    """
    spoken, ended = without_thinking(_BLANK.sub(" ", text).strip())
    reply = plain(spoken)
    if truncated or not ended:
        return Extraction("truncated", [])
    if not reply:
        return Extraction("empty", [])
    if kind == "open":
        return Extraction("refused" if refuses(reply) else "parsed", [])
    read = _read(_first_turn(reply), _asked(options, form, kind))
    if read.is_answer:
        keys = [option.key for option in options if option.key in read.keys]
        return Extraction("repaired" if read.repaired else "parsed", list(dict.fromkeys(keys)))
    return Extraction("refused" if not read.keys and not read.at_odds and leaves_open(reply) else "ambiguous", [])


def stated_keys(text: str, options: Sequence[Option], form: Form) -> frozenset[str] | None:
    """Returns the keys of the options that a text states to be the answer, all of them; None where it states none."""
    if not _STATES.search(text) and form.phrase.casefold() not in text.casefold():
        return None
    read = stated(plain(without_thinking(text)[0]), _asked(options, form, "single"))
    return None if read is None else read.keys


_STATES = re.compile(
    r"answer|réponse|correct|right|best|true|appropriate|vraie|juste|exact|boxed|choose|choice|select|choisis", re.I
)
_BLANK = re.compile(r"[^\S\n]+")
_NEXT_TURN = re.compile(r"\n\s*(?:question|user|human|patient|q)\s*\d*\s*:", re.IGNORECASE)


def _asked(options: Sequence[Option], form: Form, kind: str) -> Asked:
    """The options as a reply shows them, without mark-up, and what kind of answer is looked for."""
    shown = [Option(option.key, plain(_BLANK.sub(" ", option.text)) or option.text) for option in options]
    words, sentence = polar_words(shown), form.ending.strip(" .") if form.is_whole else ""
    return Asked(shown, form.letters, kind in SEVERAL and words is None, form.phrase, words or {}, sentence)


def _first_turn(reply: str) -> str:
    """The reply up to the place where, having answered, it goes on to put a question itself."""
    turn = _NEXT_TURN.search(reply)
    return reply[: turn.start()] if turn and _STATES.search(reply[: turn.start()]) else reply


def _read(reply: str, asked: Asked) -> Reading:
    """What a reply names, by the first kind of statement that it holds."""
    if not asked.options:
        return Reading()
    said = stated(reply, asked)
    verdicts = None if asked.words else proposition_verdicts(reply, asked.masked(reply), asked.options)
    if verdicts is not None:
        listed = Reading(frozenset(key for key, is_true in verdicts.items() if is_true), listed=asked.several)
        if said is None or said.keys == listed.keys:
            return listed if asked.several or len(listed.keys) == 1 else Reading(listed.keys, at_odds=True)
        return Reading(said.keys | listed.keys, at_odds=True) if asked.several else said
    return said if said is not None else _standing(reply, asked)


def _standing(reply: str, asked: Asked) -> Reading:
    """What the lines name that are an option and nothing else."""
    if asked.words and (keys := polar_reading(reply, asked.words)):
        return Reading(keys)
    lines = [line.strip() for line in reply.splitlines()]
    read_lines = [line_reading(line, asked) for line in lines]
    readings = [read for read in read_lines if read.keys or read.at_odds]
    unread = [
        line for line, read in zip(lines, read_lines, strict=True) if not read.keys and is_unread_item(line, asked)
    ]
    keys = frozenset[str]().union(*(read.keys for read in readings))
    return Reading(
        keys,
        repaired=bool(readings) and all(read.repaired for read in readings),
        at_odds=any(read.at_odds for read in readings) or (asked.several and bool(keys) and bool(unread)),
        listed=asked.several and bool(keys),
    )
