"""A run's answers to one part of a benchmark: which questions were asked, and what counts as their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from med_small_lm.benchmarks.metrics import Marks, mark, named_keys
from med_small_lm.benchmarks.voting import FAILED, majority
from med_small_lm.schemas.rows import Prediction, Question

CONTROL = "stem_hidden"
"""How the variants of controls begin: a guess is neither compared with another nor asked how sure it is."""
GOLD, OWN = "context=gold", "context=model"
"""How the variants of cases end in which the right answers to earlier questions are shown, or the model's own."""
PERMUTED = "permuted"
"""How the last part of a variant begins whose samples are other orders of the options."""

RunKey = tuple[str, str, str, str]
"""Model, benchmark, mode, variant."""
Answers = Mapping[str, Sequence[Prediction]]
"""The samples of a run by question."""


@dataclass(frozen=True)
class Part:
    """One run's answers to one subset of a benchmark: of several samples of a question the majority's counts.

    Questions that could not be asked are in none of what it gives but ``n_failed``.
    """

    run: RunKey
    subset: str
    questions: Sequence[Question]
    answers: Answers

    @cached_property
    def voted(self) -> list[tuple[Question, Prediction | None]]:
        """Each question that was asked with its answer, None where none is stored."""
        given = [(question, self.answers.get(question.question_id)) for question in self.questions]
        made = [(question, majority(samples) if samples else None) for question, samples in given]
        return [(question, one) for question, one in made if one is None or one.state != FAILED]

    @cached_property
    def marks(self) -> Marks:
        """How far each answer is right."""
        return mark((question, named_keys(made)) for question, made in self.voted)

    @property
    def n_unparsed(self) -> int:
        """Questions without a readable answer."""
        return int((1 - self.marks.read).sum())

    @property
    def n_failed(self) -> int:
        """Questions that could not be asked."""
        return len(self.questions) - len(self.voted)

    @cached_property
    def cases(self) -> list[str] | None:
        """The case of each question that was asked, itself where it stands alone; None where no case has two."""
        return cases_of([question for question, _ in self.voted])

    @cached_property
    def broken(self) -> set[str]:
        """The cases of which a question could not be asked."""
        asked = {question.question_id for question, _ in self.voted}
        return {one.case_id for one in self.questions if one.case_id and one.question_id not in asked}

    @cached_property
    def samples(self) -> list[list[Prediction]]:
        """The samples of each question that was asked, without those that failed."""
        given = (self.answers.get(question.question_id, ()) for question, _ in self.voted)
        return [[one for one in samples if one.state != FAILED] for samples in given]


def answers_by_run(
    predictions: Iterable[Prediction], benchmarks: Mapping[str, Sequence[Question]]
) -> dict[RunKey, dict[str, list[Prediction]]]:
    """Returns the samples of each run by question, in the order in which runs come up.

    Raises:
        ValueError: a prediction's benchmark or question is unknown, or a question has one sample twice in a run.
    """
    known = {name: {question.question_id for question in questions} for name, questions in benchmarks.items()}
    runs: dict[RunKey, dict[str, list[Prediction]]] = {}
    seen: set[tuple[RunKey, str, int]] = set()
    for made in predictions:
        if made.question_id not in known.get(made.benchmark, set()):
            raise ValueError(f"{made.model} answers {made.question_id}, which is no question of {made.benchmark!r}")
        run = (made.model, made.benchmark, made.mode, made.variant)
        if (run, made.question_id, made.sample) in seen:
            raise ValueError(f"{made.model} answers {made.question_id} twice as {made.mode} {made.variant}")
        seen.add((run, made.question_id, made.sample))
        runs.setdefault(run, {}).setdefault(made.question_id, []).append(made)
    return runs


def subsets(questions: Sequence[Question]) -> dict[str, list[Question]]:
    """Returns the questions by subset: ``all``, then "kind=multi", "language=fr", "subject=…", "book=…", "rank=2".

    Each only where the questions differ in it; those without a subject, book or rank are in no such subset.
    """
    parts = {"all": list(questions)}
    for field, told in _FIELDS.items():
        named = [(told(question), question) for question in questions]
        values = {value for value, _ in named}
        if len(values) > 1:
            for value in sorted(value for value in values if value):
                parts[f"{field}={value}"] = [question for own, question in named if own == value]
    return {name: part for name, part in parts.items() if part}


def book_of(question: Question) -> str:
    """Returns the book that a question stands in or was made from, or nothing."""
    if question.places:
        return question.places[0].book
    return question.passage_ids[0].rpartition("-")[0] if question.passage_ids else ""


def case_of(question: Question) -> str:
    """Returns the case of a question, itself where it stands alone."""
    return question.case_id or question.question_id


def cases_of(questions: Sequence[Question]) -> list[str] | None:
    """Returns the case of each question; None where no case has two, so that all stand alone."""
    names = [case_of(question) for question in questions]
    return names if len(set(names)) < len(names) else None


def cuts_a_case(part: Iterable[Question], whole: Iterable[Question]) -> bool:
    """Returns whether a case has questions both in a part of a benchmark and outside it."""
    inside = {one.question_id: one.case_id for one in part}
    cases = set(inside.values()) - {""}
    return any(one.case_id in cases and one.question_id not in inside for one in whole)


_FIELDS: Mapping[str, Callable[[Question], str | int]] = {
    "kind": lambda question: question.kind,
    "language": lambda question: question.language,
    "subject": lambda question: question.subject,
    "book": book_of,
    "rank": lambda question: question.rank if question.case_id else 0,
}
