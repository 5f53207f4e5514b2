"""What answers are worth: right or wrong, and of questions with several right options how near an answer came.

Every option is a proposition, true if it is among the right ones, and an answer says true of those that it names. A
question whose answer was not read says neither true nor false of its propositions: all of them count as missed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from med_small_lm.benchmarks.resampling import Array
from med_small_lm.schemas.rows import Prediction, Question

READ = ("parsed", "repaired")
"""States in which an answer was read. In any other the question counts as wrong and as unparsed."""
SCALE = (1.0, 0.5, 0.2)
"""Points of a question by how many of its propositions are discordant; from three on it has none."""

Ratio = tuple[Array, Array]
"""What each question adds above and below the line: [questions], or [questions, ratios] of which the mean is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The propositions of each question: how many there are of each sort, [questions].

    ``tp`` are true and named, ``fp`` false and named, ``fn`` true and not named, ``tn`` false and not named; ``lost``
    false ones of an answer that was not ``read``.
    """

    tp: Array
    fp: Array
    fn: Array
    tn: Array
    lost: Array
    read: Array

    @property
    def discordant(self) -> Array:
        """Propositions that were judged wrongly, or not at all."""
        return self.fp + self.fn + self.lost

    @property
    def concordant(self) -> Array:
        """Propositions that were judged rightly."""
        return self.tp + self.tn


def mark(answers: Iterable[tuple[Question, Collection[str] | None]]) -> Marks:
    """Returns the marks of questions with the keys that were answered, None for an answer that was not read."""
    rows = []
    for question, named in answers:
        right, n = set(question.answer_keys), len(question.options)
        if named is None:
            rows.append((0, 0, len(right), 0, n - len(right), 0))
            continue
        tp, fp = len(right.intersection(named)), len(set(named) - right)
        rows.append((tp, fp, len(right) - tp, n - len(right) - fp, 0, 1))
    return Marks(*np.array(rows, dtype=float).reshape(-1, 6).T)


def named_keys(prediction: Prediction | None) -> list[str] | None:
    """Returns the keys of an answer that was read; None of another, or where there is none."""
    return prediction.answer_keys if prediction is not None and prediction.state in READ else None


def characters_of(question: Question) -> dict[str, int]:
    """Returns how long each option's text is, by its key; an option without one counts as of one character."""
    return {option.key: max(1, len(option.text)) for option in question.options}


def exact(marks: Marks) -> Array:
    """Returns 1 for a question whose right options were named, all of them and no other; else 0."""
    return np.asarray(marks.read * (marks.discordant == 0))


def jaccard(marks: Marks) -> Array:
    """Returns right options that were named, of all that are right or named; 1 where there are neither."""
    return _share(marks.tp, marks.tp + marks.fp + marks.fn, marks.read)


def concordance(marks: Marks) -> Array:
    """Returns the share of a question's propositions that were judged rightly: 1 less the Hamming loss."""
    return _share(marks.concordant, marks.concordant + marks.discordant, marks.read)


def exam_scale(marks: Marks) -> Array:
    """Returns 1, 0.5, 0.2 or 0 points for no, one, two, and three or more discordant propositions."""
    points = np.array([*SCALE, 0.0])
    return np.asarray(marks.read * points[np.minimum(marks.discordant, len(SCALE)).astype(int)])


def f1(marks: Marks) -> Array:
    """Returns each question's F1 over its right options; 1 where none is right and none named."""
    return _share(2 * marks.tp, 2 * marks.tp + marks.fp + marks.fn, marks.read)


def f1_by_class(marks: Marks) -> Ratio:
    """Returns what each question adds to the F1 of two classes over all propositions: the true, and the false ones."""
    true = 2 * marks.tp + marks.fp + marks.fn
    false = 2 * marks.tn + marks.fp + marks.fn * marks.read + marks.lost
    return np.column_stack([2 * marks.tp, 2 * marks.tn]), np.column_stack([true, false])


def _share(part: Array, whole: Array, empty: Array) -> Array:
    """Part of whole; ``empty`` where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.array(empty, dtype=float), where=whole > 0))


def _each(worth: Callable[[Marks], Array]) -> Callable[[Marks], Ratio]:
    """A mean over questions."""
    return lambda marks: (worth(marks), np.ones(len(marks.read)))


MULTI_SELECT: Mapping[str, Callable[[Marks], Ratio]] = {
    "exact_match": _each(exact),
    "jaccard": _each(jaccard),
    "one_minus_hamming_loss": _each(concordance),
    "proposition_accuracy": lambda marks: (marks.concordant, marks.concordant + marks.discordant),
    "f1_samples": _each(f1),
    "f1_micro": lambda marks: (2 * marks.tp, 2 * marks.tp + marks.fp + marks.fn),
    "f1_macro": f1_by_class,
    "exam_scale": _each(exam_scale),
}
"""Metrics of benchmarks that have questions with several right options."""


def by_case(values: Array, cases: Collection[str]) -> Array:
    """Returns the mean of each case over its questions, the cases in the order of their names."""
    place = np.unique(np.asarray(list(cases)), return_inverse=True)[1]
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place))
