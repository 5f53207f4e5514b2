"""What judgements come to: completeness and hallucination (K-QA), rubric scores (HealthBench), premises accepted.

A verdict that the judge did not give is never guessed. It counts as "no" in a metric of its plain name; beside it
``_most`` says what the metric would be if all of them were "yes", and ``judge_unread`` how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from med_small_lm.benchmarks.judging.asking import (
    ACCEPTS,
    CONTRADICTS,
    CRITERION,
    ENTAILS,
    FALSE_PREMISE,
    MEETS,
    MUST,
    NICE,
    PREMISE,
    answer_text,
    points_of,
)
from med_small_lm.benchmarks.judging.runs import Judged, JudgedRun, judged_runs
from med_small_lm.schemas.rows import Criterion, Judgement, Prediction, Question, Score


def judged_scores(
    benchmarks: Mapping[str, Sequence[Question]],
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns the scores of all judged answers, over all open questions that their benchmarks have.

    Args:
        benchmarks: the questions by the benchmark's name.
        predictions: the answers.
        judgements: what ``asking.judge`` returned of them.
        samples: resamples behind an interval.
        seed: of the resamples.
    """
    made: list[Score] = []
    for run in judged_runs(benchmarks, predictions, judgements, samples, seed):
        for scores in (_claims, _rubrics, _premises, _unread):
            made += scores(run)
    return made


# K-QA --------------------------------------------------------------------------------------------------------------


def _claims(run: JudgedRun) -> Iterator[Score]:
    """Completeness, hallucination and precision: over all questions, then over the answered ones."""
    judged = [one for one in run.judged if one.question.must_have or one.question.nice_to_have]
    for suffix, part in (("", judged), ("_answered", [one for one in judged if one.is_answered])):
        yield from _claims_of(run, part, suffix)


def _claims_of(run: JudgedRun, part: Sequence[Judged], suffix: str) -> Iterator[Score]:
    with_must = [one for one in part if one.question.must_have]
    sizes = [len(one.question.must_have) for one in with_must]
    entailed = _least_and_most(
        [[one.label(MUST, n, ENTAILS) for n in range(size)] for one, size in zip(with_must, sizes, strict=True)]
    )
    for bound, counts in entailed.items():
        yield run.score(f"completeness{suffix}{bound}", with_must, np.divide(counts, sizes))
    statements = [len(one.question.must_have) + len(one.question.nice_to_have) for one in part]
    denied = _least_and_most([_contradictions(one) for one in part])
    for bound, counts in denied.items():
        yield run.score(f"hallucination{suffix}{bound}", part, counts)
    for bound, counts in denied.items():
        bound = "_least" if bound else ""
        yield run.score(f"precision{suffix}{bound}", part, np.subtract(statements, counts), statements)


def _contradictions(one: Judged) -> list[bool | None]:
    """Whether an answer contradicts each of its question's statements."""
    kinds = ((MUST, one.question.must_have), (NICE, one.question.nice_to_have))
    return [one.label(kind, number, CONTRADICTS) for kind, told in kinds for number in range(len(told))]


def _least_and_most(labels: Sequence[Sequence[bool | None]]) -> dict[str, list[int]]:
    """How many labels say yes, a row an answer: those that do, and, where any was not read, with these as well."""
    if not labels:
        return {}
    least = [sum(label is True for label in row) for row in labels]
    most = [sum(label is not False for label in row) for row in labels]
    return {"": least} if least == most else {"": least, "_most": most}


# HealthBench -------------------------------------------------------------------------------------------------------


def _rubrics(run: JudgedRun) -> Iterator[Score]:
    """The rubric's score over all questions, by theme, and by the tags of the criteria."""
    rated = [one for one in run.judged if one.question.rubric]
    themes = sorted({one.question.subject for one in rated} - {""})
    tags = sorted({tag for one in rated for criterion in one.question.rubric for tag in criterion.tags})
    yield from _rubric(run, rated, "all", "")
    for theme in themes:
        part = [one for one in rated if one.question.subject == theme]
        yield from _rubric(run, part, f"subject={theme}", "")
    for tag in tags:
        yield from _rubric(run, rated, tag.replace(":", "=", 1), tag)


def _rubric(run: JudgedRun, rated: Sequence[Judged], subset: str, tag: str) -> Iterator[Score]:
    """The mean over questions of points over possible points, clipped to 0 … 1 only then, as simple-evals does."""
    part, rows = list[Judged](), list[tuple[float, float, float]]()
    for one in rated:
        told = [(number, c) for number, c in enumerate(one.question.rubric) if not tag or tag in c.tags]
        possible = sum(criterion.points for _, criterion in told if criterion.points > 0)
        if possible:
            part.append(one)
            value, least, most = _points(one, told)
            rows.append((value / possible, least / possible, most / possible))
    if not part:
        return
    for name, values in zip(("rubric", "rubric_least", "rubric_most"), zip(*rows, strict=True), strict=True):
        if name == "rubric" or any(least != most for _, least, most in rows):
            yield run.score(name, part, values, subset=subset, clipped=True)


def _points(one: Judged, told: Sequence[tuple[int, Criterion]]) -> tuple[float, float, float]:
    """The points of an answer: with what was not read as not met, at least, and at most."""
    value = least = most = 0.0
    for number, criterion in told:
        kind, asked = (PREMISE, ACCEPTS) if FALSE_PREMISE in criterion.tags else (CRITERION, MEETS)
        met = one.label(kind, number, asked)
        value += criterion.points * (met is True)
        least += criterion.points if met else min(criterion.points, 0) * (met is None)
        most += criterion.points if met else max(criterion.points, 0) * (met is None)
    return value, least, most


def _premises(run: JudgedRun) -> Iterator[Score]:
    """The share of false premises that answers accept, a mean over the questions that have one."""
    part, labels = list[Judged](), list[list[bool | None]]()
    for one in run.judged:
        told = [n for n, criterion in enumerate(one.question.rubric) if FALSE_PREMISE in criterion.tags]
        if told:
            part.append(one)
            labels.append([one.label(PREMISE, number, ACCEPTS) for number in told])
    for bound, counts in _least_and_most(labels).items():
        shares = np.divide(counts, [len(row) for row in labels])
        yield run.score(f"premise_acceptance{bound}", part, shares)


def _unread(run: JudgedRun) -> Iterator[Score]:
    """The share of verdicts that the judge did not give, where any is missing; ``n`` are all, ``n_unparsed`` these."""
    asked = [one for one in run.judged if answer_text(one.answer)]
    sizes = [sum(1 for _ in points_of(one.question)) for one in asked]
    missing = [
        sum(one.label(kind, number, what) is None for kind, number, what, _ in points_of(one.question)) for one in asked
    ]
    if any(missing):
        counts = sum(sizes), sum(missing)
        yield run.score("judge_unread", asked, missing, sizes, counts=counts)
