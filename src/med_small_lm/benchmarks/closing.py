"""Whether a reply that is being written has given its answer, so that nothing need be written after it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from med_small_lm.answers.extraction import SEVERAL, extract
from med_small_lm.answers.forms import Form
from med_small_lm.answers.thinking import without_thinking
from med_small_lm.schemas.rows import Option, Question

ENDS = (".", "\n")
"""What a sentence or a line ends with: whether a reply is closed changes only with these."""


def can_close(question: Question) -> bool:
    """Returns whether a reply to the question ends with its answer; an open one ends where the model ends it."""
    return bool(question.options) and question.kind != "open"


def is_closed(text: str, question: Question, form: Form, before: str = "") -> bool:
    """Returns whether the last sentence of ``text`` is the form's closing one with a whole option, or its line is over.

    "The answer is left sixth." closes no reply where another option goes on behind these words, and a line closes one
    if an answer is read behind the form's phrase. Of several right options only a line's end tells that there are no
    more. A form whose ending is a whole sentence is closed by that sentence alone; one that is no more than an option
    ("{key}: {text}") closes no reasoning, which may well list the options, nor does one sentence tell several.

    Args:
        text: the reply so far; it ends a sentence or a line.
        question: its options.
        form: in which it was asked.
        before: the end of the prompt: a template may have begun to think there.
    """
    spoken, is_over = without_thinking(text)
    spoken += "\n" if text.rstrip(" ").endswith("\n") else ""  # which was stripped
    if not is_over or (before and not without_thinking(before + text)[1]):
        return False
    if form.is_whole:
        told = spoken.rstrip("\n").rpartition("\n")[2]
        return _may_close(question, form) and _names_one(told, question, form)
    line = _closing_line(spoken, form)
    if line is None:
        return False
    sentence, is_last = line
    if is_last:
        return extract(spoken, question.options, form, kind=question.kind).state in ("parsed", "repaired")
    is_sentence = sentence.rstrip(" *").endswith(".")
    return is_sentence and question.kind not in SEVERAL and _names_one(sentence, question, form)


def _may_close(question: Question, form: Form) -> bool:
    """Whether a whole sentence tells that nothing more comes."""
    says_more = re.search(r"\w", re.sub(r"\{(?:key|text)\}", "", form.ending)) is not None
    return question.kind not in SEVERAL and (says_more or form.name != "explain")


def _closing_line(spoken: str, form: Form) -> tuple[str, bool] | None:
    """What stands behind the last phrase that leads to an answer, and whether its line is over; None without one."""
    _, found, rest = _rpartition(spoken, form.phrase)
    if not found:
        return None
    first, over, _ = rest.lstrip(" :*").partition("\n")
    return first, bool(over and first.strip())


def _rpartition(text: str, phrase: str) -> tuple[str, str, str]:
    """``str.rpartition`` whatever the case."""
    at = text.casefold().rfind(phrase.casefold()) if phrase else -1
    return ("", "", text) if at < 0 else (text[:at], phrase, text[at + len(phrase) :])


def _names_one(sentence: str, question: Question, form: Form) -> bool:
    """Whether a sentence is one option, and the beginning of no other."""
    told = sentence.strip().casefold()
    body = told.rstrip(".* ")
    if not body:
        return False
    ways = {option.key: list(_ways(option, form)) for option in question.options}
    named = [key for key, said in ways.items() if any(_ends(body, way, form) for way in said)]
    longer = any(way.startswith(f"{body}.") and way != f"{body}." for said in ways.values() for way in said)
    return len(named) == 1 and not longer


def _ends(body: str, way: str, form: Form) -> bool:
    return body == way or (form.is_whole and body.endswith(f" {way}"))


def _ways(option: Option, form: Form) -> Iterator[str]:
    """How a form's closing sentence names an option, without its last stop."""
    key, text = option.key.casefold(), option.text.casefold().rstrip(". ")
    if form.is_whole:
        yield form.answer(option).casefold().rstrip(". ")
        return
    yield text
    yield f"({key}) {text}"
    if form.letters:
        yield from (f"({key})", f"{key}. {text}", f"{key}: {text}", f"{key}) {text}")
