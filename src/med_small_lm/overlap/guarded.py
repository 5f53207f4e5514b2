"""Guarded questions as they are looked for: subject, content words and grams, told from the benchmark's own form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from med_small_lm.overlap.stems import FUNCTION_WORDS, Stems, Unit, folded
from med_small_lm.overlap.subjects import Subject, subjects
from med_small_lm.schemas.rows import Question

GRAM = 8
"""Words of a gram whose share is the coverage."""

SHARED_BY = 2
"""Questions that may hold a gram, whatever figures stand in it; what more hold is boilerplate (vital signs)."""

_TELLING = 2  # content words that a gram has at least: "which of the following is an example of" has one

_FIGURE = re.compile(r"\d+")

_SAYS_NOTHING = (
    "yes no maybe true false all none both neither oui non peut-être vrai faux ja nein vielleicht wahr falsch sí "
    "quizás verdadero falso"
)
_BARE = frozenset(map(folded, _SAYS_NOTHING.split()))
_LETTERS = re.compile(
    r"(?i:both |either |neither |options? |answers? |choices? |only )*\(?[A-J]\)?"
    r"(?:\s*(?:,|(?i:and|or|nor)|&|/)\s*\(?[A-J]\)?)+(?i: only)?"
)
_ALL = re.compile(
    r"(?:all|none|any|both|neither|either)(?: of)? (?:the|these)"
    r"(?: (?:above|options?|answers?|choices?|following|others?))?"
    r"|(?:all|none) (?:are|is) (?:correct|true|right)|(?:the )?above|toutes? les réponses.*|aucune (?:des|réponse).*"
    r"|alle (?:antworten|genannten).*|todas las anteriores|ninguna de las anteriores",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A guarded question as it is looked for. Phrases have a space at both ends, so that only whole words match.

    ``in_form`` says that ``grams`` are those with the ``core`` of the subject alone, and that half of the ``content``
    words must hold it; ``interchangeable`` that the exam asks of several other subjects in nearly the same words,
    options among them, so that likeness must hold the core too.
    """

    question_id: str
    benchmark: str
    subjects: tuple[str, ...]
    core: str
    in_form: bool
    content: tuple[str, ...]
    grams: frozenset[str]
    interchangeable: bool = False


def guarded_items(
    items: Sequence[Question], background: Sequence[Question] = (), exams: Sequence[Question] = ()
) -> list[Item]:
    """Return ``items`` as they are looked for.

    ``background`` are questions in the same style, ``exams`` all that may show what is boilerplate.
    """
    stems = Stems([question.stem for question in (*items, *background)])
    asked = subjects(stems)
    grams = [_grams(folded(f"{q.context} {q.stem}")) for q in items]
    every = {f"{question.context} {question.stem}" for question in (*items, *exams)}
    holders = Counter(gram for text in every for gram in {_FIGURE.sub("0", gram) for gram in _grams(folded(text))})
    return [
        _item(question, stems, place, asked[place], own, holders)
        for place, (question, own) in enumerate(zip(items, grams, strict=True))
    ]


def right_answers(question: Question) -> Iterator[str]:
    """Yield the right answers as phrases: of the options that are right, or of the answer where there are no options.

    Answers that say nothing of themselves (yes, A and B, all of the above, a bare number) are left out.
    """
    right = [option.text for option in question.options if option.key in question.answer_keys]
    for text in dict.fromkeys(right or [question.answer_text]):
        own = folded(text)
        if own not in _BARE and not points_at_options(text) and not all(word.isdigit() for word in own):
            yield phrase(own)


def points_at_options(text: str) -> bool:
    """Return whether an option says nothing of itself: it points at others by letter, or at all of them."""
    text = text.strip().rstrip(".")
    return bool(_ALL.fullmatch(text) or _LETTERS.fullmatch(text))


def phrase(words: Sequence[str]) -> str:
    """Return words as text with a space at both ends of every word."""
    return f" {' '.join(words)} "


def _item(
    question: Question,
    stems: Stems,
    place: int,
    asked: tuple[Subject, ...],
    grams: Sequence[str],
    holders: Mapping[str, int],
) -> Item:
    """Return a question as it is looked for."""
    first = asked[0] if asked else Subject((), (), False)
    core = phrase(first.core) if first.core else ""
    if first.in_form:
        own = [gram for gram in grams if core in f" {gram} "]
    else:
        own = [gram for gram in grams if holders[_FIGURE.sub("0", gram)] <= SHARED_BY]
    counted = [gram for gram in own if sum(map(stems.tells, set(gram.split()))) >= _TELLING] or own
    content = tuple(stems.content(place))
    names = tuple(phrase(subject.words) for subject in asked)
    kept = frozenset(gram for gram in counted or grams if gram.count(" ") >= GRAM - 1 or not _is_topic(gram.split()))
    return Item(question.question_id, question.source, names, core, first.in_form, content, kept)


def _is_topic(words: Sequence[str]) -> bool:
    """Return whether words are one term ("The coronary arteries"), and so ask nothing."""
    return sum(not function for function, _ in groupby(words, FUNCTION_WORDS.__contains__)) < 2


def _grams(words: Unit) -> list[str]:
    """Return the different word 8-grams of a text, or the whole text where it is shorter."""
    if len(words) < GRAM:
        return [" ".join(words)] if words else []
    return list(dict.fromkeys(" ".join(words[n : n + GRAM]) for n in range(len(words) - GRAM + 1)))
