"""Judged answers put together: each question of a run with its answer and what the judge said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from med_small_lm.benchmarks.judging.asking import answer_text, is_answered
from med_small_lm.benchmarks.resampling import interval, units
from med_small_lm.schemas.rows import Judgement, Prediction, Question, Score

Said = Mapping[tuple[str, int, str], str]
"""The labels of one answer by kind, number and what was asked; what was not read is not there."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with the answer that a model gave, if any, and the labels that were read."""

    question: Question
    answer: Prediction | None
    said: Said

    @property
    def is_answered(self) -> bool:
        """Whether the answer says something and is no refusal."""
        return is_answered(self.answer)

    def label(self, kind: str, number: int, asked: str) -> bool | None:
        """Whether the judge said so; None where it said neither. Of an answer without a text nothing holds."""
        if not answer_text(self.answer):
            return False
        told = self.said.get((kind, number, asked))
        return None if told is None else told == "true"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """All questions of a benchmark as one model answered them; ``n_failed`` could not be asked and are not in it.

    ``samples`` resamples with ``seed`` are behind an interval.
    """

    model: str
    benchmark: str
    variant: str
    judged: list[Judged]
    n_failed: int
    samples: int
    seed: int

    def score(
        self, metric: str, part: Sequence[Judged], sums: npt.ArrayLike, sizes: npt.ArrayLike = 1.0, *,
        subset: str = "all", counts: tuple[int, int] | None = None, clipped: bool = False,
    ) -> Score:  # fmt: skip
        """The score of a ratio of sums over some questions, with its interval.

        ``counts`` are n and the unread of them where these are no questions; ``clipped`` cuts the mean to 0 … 1.
        """
        drawn = units(sums, sizes)
        low, high = interval(drawn, samples=self.samples, seed=self.seed)
        value, low, high = np.clip((drawn.value, low, high), *((0, 1) if clipped else (-np.inf, np.inf))).tolist()
        n, unread = counts or (len(part), sum(not one.is_answered for one in part))
        run = self.model, self.benchmark, subset, "generation", self.variant
        return Score(*run, metric, value, n, unread, low, high, self.n_failed)


def judged_runs(
    benchmarks: Mapping[str, Sequence[Question]],
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    samples: int,
    seed: int,
) -> Iterator[JudgedRun]:
    """Yields each model's answers to each benchmark that has open questions, over all of these questions.

    A question without a prediction counts as unanswered.
    """
    given: dict[tuple[str, str, str], dict[str, Prediction]] = {}
    for made in predictions:
        if made.mode == "generation" and not made.sample:
            given.setdefault((made.model, made.benchmark, made.variant), {})[made.question_id] = made
    said: dict[tuple[str, str, str, str], dict[tuple[str, int, str], str]] = {}
    for one in judgements:
        if one.label:
            place = one.model, one.benchmark, one.variant, one.question_id
            said.setdefault(place, {})[one.kind, one.number, one.asked] = one.label
    for (model, benchmark, variant), answers in given.items():
        judged, n_failed = [], 0
        for question in benchmarks.get(benchmark, ()):
            answer = answers.get(question.question_id)
            if question.kind != "open":
                continue
            if answer is not None and answer.state == "failed":
                n_failed += 1
                continue
            labels = said.get((model, benchmark, variant, question.question_id), {})
            judged.append(Judged(question, answer, labels))
        if judged:
            yield JudgedRun(model, benchmark, variant, judged, n_failed, samples, seed)
