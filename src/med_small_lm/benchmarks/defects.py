"""What is doubtful in the questions of a published benchmark. All stay, so that its number is what it was.

A defect is a verdict among the question's ``gates``, so that it travels with it into every file and report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from med_small_lm.overlap.normalise import normalised
from med_small_lm.schemas.rows import Option, Question, Verdict

EQUAL_OPTIONS = "equal_options"
"""Two options have one text."""
AMBIGUOUS_GOLD = "ambiguous_gold"
"""The right option has the text of another: who chooses that one is right too, and is counted wrong."""
GOLD_AT_ODDS = "gold_at_odds"
"""The release tells the right answer by its letter and by its text, and they name different options."""
NO_TEXT = "option_without_text"
REPEATED = "repeated_question"
"""An earlier question has the same stem and the same options."""
SAME_STEM = "repeated_stem"
"""An earlier question has the same stem, but other options."""
CONTRADICTED = "contradicted"
"""An earlier question has the same stem and options, but another answer."""
EMPTY_CLAIM = "empty_claim"
"""A statement that an answer must have says nothing; it is left out."""
DEFECTS = (EQUAL_OPTIONS, AMBIGUOUS_GOLD, GOLD_AT_ODDS, NO_TEXT, REPEATED, SAME_STEM, CONTRADICTED, EMPTY_CLAIM)


def with_defects(questions: Sequence[Question]) -> list[Question]:
    """Returns the questions, all of them and in their order, with what is doubtful in each among its gates."""
    first: dict[str, Question] = {}
    whole: dict[tuple[str, ...], Question] = {}
    told = []
    for question in questions:
        found = [*_of_options(question), *_repeats(question, first, whole)]
        told.append(replace(question, gates=[*question.gates, *found]) if found else question)
    return told


def tally(questions: Iterable[Question]) -> dict[str, int]:
    """Returns how many questions have each defect, of those that any has."""
    counts = Counter(gate.gate for question in questions for gate in question.gates if gate.gate in DEFECTS)
    return {name: counts[name] for name in DEFECTS if counts[name]}


def stem_of(question: Question) -> str:
    """Returns the words that a question asks in, for comparing: of earlier turns, context and stem."""
    return normalised(" ".join([*(turn.content for turn in question.turns), question.context, question.stem]))


def plain(text: str) -> str:
    """Returns a text in lower case with one space a gap; signs stay, for they tell options apart (CD25+, CD25-)."""
    return " ".join(text.split()).casefold()


def _of_options(question: Question) -> list[Verdict]:
    keys: dict[str, list[str]] = {}
    for option in question.options:
        keys.setdefault(plain(option.text), []).append(option.key)
    equal = [same for text, same in keys.items() if text and len(same) > 1]
    found = [defect(EQUAL_OPTIONS, f"options {' and '.join(same)} have one text") for same in equal]
    found += [
        defect(
            AMBIGUOUS_GOLD,
            f"the right option {key} has the text of {' and '.join(other for other in same if other != key)}",
        )
        for same in equal
        for key in question.answer_keys
        if key in same and not set(same) <= set(question.answer_keys)
    ]
    empty = keys.get("", [])
    return found + ([defect(NO_TEXT, f"option {' and '.join(empty)} has no text")] if empty else [])


def _repeats(question: Question, first: dict[str, Question], whole: dict[tuple[str, ...], Question]) -> list[Verdict]:
    """What is told of a question that was asked before; it is then known to both tables."""
    stem = stem_of(question)
    key = (stem, *sorted(plain(option.text) for option in question.options))
    same, near = whole.setdefault(key, question), first.setdefault(stem, question)
    if same is not question:
        found = [defect(REPEATED, f"the same as {same.question_id}")]
        return found + (
            [defect(CONTRADICTED, f"other answer than {same.question_id}")] if _right(same) != _right(question) else []
        )
    return [defect(SAME_STEM, f"the stem of {near.question_id}")] if near is not question else []


def _right(question: Question) -> set[str]:
    """The texts that are right, whatever their letters."""
    right: list[Option] = [option for option in question.options if option.key in question.answer_keys]
    return {plain(option.text) for option in right} or {plain(question.answer_text)}


def defect(gate: str, reason: str) -> Verdict:
    """Returns a defect as a verdict."""
    return Verdict(gate, "fail", 1.0, reason)
