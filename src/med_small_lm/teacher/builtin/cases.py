"""Progressive cases: a patient, and a chain of questions that goes on in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from med_small_lm.teacher.builtin import draws
from med_small_lm.teacher.builtin.sentences import words
from med_small_lm.teacher.builtin.statements import Told, mixed, told

_LATER = (
    "Two days later the patient is seen again.",
    "At the visit a week later the patient has further questions.",
    "A month later the patient comes back.",
    "After half a year the patient is seen once more.",
)
_LEAST = 2
"""Claims of a question."""
_PLACES = ("a clinic", "a community hospital", "a county hospital", "an outpatient department")
_PEOPLE = ("woman", "man")


def answer(slots: Mapping[str, Any]) -> dict[str, Any]:
    """Return one case: three questions on one subject in several respects, or on claims of the section; or none.

    Slots: section, passages, language, exemplars, n_questions, n_propositions, seed.
    """
    passages, seed = [str(text) for text in slots["passages"]], int(slots.get("seed", 0))
    n, wanted = int(slots["n_questions"]), int(slots["n_propositions"])
    known = told(passages, [], seed)
    topic = str(slots["section"]).rsplit(" > ", 1)[-1]
    groups = _by_respect(known, n, seed) if any(one.respect for one in known) else _of_prose(known, n, wanted)
    about = groups[0][0].about if groups and groups[0][0].respect else topic
    turn, questions = draws.number(seed, *passages), []
    for place, own in enumerate(groups):
        propositions = list(mixed(own, turn, wanted))
        if propositions:
            respect = f" on the {own[0].respect}" if own[0].respect else ""
            later = f"{_LATER[(place - 1) % len(_LATER)]} " if place else ""
            stem = f"{later}Which of the following statements{respect} are correct?"
            questions.append({"stem": stem, "propositions": propositions})
    if len(questions) < n:
        return {"vignette": "", "questions": []}
    person, where = _PEOPLE[turn % len(_PEOPLE)], _PLACES[turn % len(_PLACES)]
    vignette = f"A {20 + turn % 50}-year-old {person} is seen in {where}. The visit is about {about}."
    return {"vignette": vignette, "questions": questions}


def _by_respect(known: Sequence[Told], n: int, seed: int) -> list[list[Told]]:
    """Return what is told about the one subject of which most is told, one respect a question."""
    subjects: dict[str, dict[str, Told]] = defaultdict(dict)
    for one in known:
        subjects[one.about].setdefault(one.respect, one)
    able = [list(own.values()) for own in subjects.values() if len(own) >= n]
    return [[one] for one in draws.shuffled(able, seed, known[0].quote)[0][:n]] if able else []


def _of_prose(known: Sequence[Told], n: int, wanted: int) -> list[list[Told]]:
    """Return the claims in the order of the book, up to so many a question, none that names an earlier one's answer."""
    chosen: list[Told] = []
    for one in known:
        texts = [f" {' '.join(words(text))} " for text in (one.statement, *one.others)]
        if not any(f" {' '.join(words(before.answer))} " in text for before in chosen for text in texts):
            chosen.append(one)
    size = min(wanted, len(chosen) // n)
    return [chosen[place * size : (place + 1) * size] for place in range(n)] if size >= _LEAST else []
