"""Guarded questions as they are looked for: subject, content words and grams, told from the benchmark's own form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from med_small_lm.overlap.grams import Boilerplate, asks, grams_of, phrase
from med_small_lm.overlap.stems import Stems, folded
from med_small_lm.overlap.subjects import Subject, subjects
from med_small_lm.schemas.rows import Question

_BACKGROUND = 1_000  # questions, at least, that show which words are the exam's form; twice as many show nothing new
_TELLING = 2  # content words that a gram has at least: "which of the following is an example of" has one

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


def beside(
    questions: Sequence[Question], background: Sequence[Question] = (), splits: Sequence[str] = ("test",)
) -> tuple[list[tuple[list[Question], list[Question]]], list[Question]]:
    """Return each source's guarded questions with those that show its form, and all that may show what is boilerplate.

    Guarded are the questions of ``splits``. A benchmark's other splits show which words are its form; a source that has
    none (the book exam) is read beside all that is not guarded and ``background``: exemplars, training questions. Of a
    large train split a part is read, for stems are laid beside each other.
    """
    guarded: dict[str, list[Question]] = {question.source: [] for question in questions}
    others: dict[str, list[Question]] = {source: [] for source in guarded}
    for question in questions:
        (guarded if question.split in splits else others)[question.source].append(question)
    others = {source: _some(own) for source, own in others.items()}
    style = [question for own in others.values() for question in own]
    parts = [(own, others[source] or [*style, *_some(background)]) for source, own in guarded.items() if own]
    return parts, [*(question for own, _ in parts for question in own), *style]


def guarded_items(
    items: Sequence[Question], background: Sequence[Question] = (), exams: Sequence[Question] = ()
) -> list[Item]:
    """Return ``items`` as they are looked for.

    ``background`` are questions in the same style, ``exams`` all that may show what is boilerplate.
    """
    stems = Stems([question.stem for question in (*items, *background)])
    asked = subjects(stems, len(items))
    shared = Boilerplate(f"{question.context} {question.stem}" for question in (*items, *exams))
    return [_item(question, stems, place, asked[place], shared) for place, question in enumerate(items)]


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
    return points_at_all(text) or points_at_letters(text)


def points_at_all(text: str) -> bool:
    """Return whether an option stands for all or none of the others: "All of the above"."""
    return bool(_ALL.fullmatch(text.strip().rstrip(".")))


def points_at_letters(text: str) -> bool:
    """Return whether an option is others, by letter: "Both A and B"."""
    return bool(_LETTERS.fullmatch(text.strip().rstrip(".")))


def _some(questions: Sequence[Question]) -> list[Question]:
    """Return every n-th of many questions."""
    return list(questions[:: max(len(questions) // _BACKGROUND, 1)])


def _item(question: Question, stems: Stems, place: int, asked: tuple[Subject, ...], shared: Boilerplate) -> Item:
    """Return a question as it is looked for."""
    grams = grams_of(folded(f"{question.context} {question.stem}"))
    first = asked[0] if asked else Subject((), (), False)
    core = phrase(first.core) if first.core else ""
    if first.in_form:
        own = [gram for gram in grams if core in f" {gram} "]
    else:
        own = [gram for gram in grams if gram not in shared]
    counted = [gram for gram in own if sum(map(stems.tells, set(gram.split()))) >= _TELLING] or own
    content = tuple(stems.content(place))
    names = tuple(phrase(subject.words) for subject in asked)
    kept = frozenset(gram for gram in counted or grams if asks(gram))
    return Item(question.question_id, question.source, names, core, first.in_form, content, kept)
