"""What the page tells of, and what is asked of it again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from med_small_lm.benchmarks.literature import AVERAGES, Published, literature
from med_small_lm.benchmarks.parts import CONTROL
from med_small_lm.benchmarks.scoring import chance
from med_small_lm.benchmarks.task import Task
from med_small_lm.benchmarks.tasks import task_of
from med_small_lm.schemas.rows import (
    Comparison,
    Contamination,
    Conversation,
    Exposure,
    Link,
    Passage,
    Perplexity,
    Prediction,
    Question,
    Score,
)

LEADING = ("accuracy", "macro_accuracy", "completeness", "rubric")
"""The metrics that may stand for a benchmark, the first that it has: groups have a mean, open questions a judge's."""

Way = tuple[str, str]
"""Mode and variant: how a benchmark was put to a model."""


@dataclass(frozen=True)
class Results:
    """A finished evaluation.

    Attributes:
        models: what each model is, in words, by its name.
        questions: the scored ones by benchmark.
        scores: all, the controls' among them.
        predictions: all answers.
        comparisons: see ``scoring.compare``.
        exposures: see ``exposure.expose``.
        threshold: the coverage from which on an item is dirty.
        stopped: what the gates kept out of the training data.
        links: from questions to training records and pages.
        conversations: the training records that links name.
        passages: the passages that links name.
        perplexities: on held-out text.
        origins: what stands behind the numbers, in words by name.
    """

    models: Mapping[str, str]
    questions: Mapping[str, Sequence[Question]]
    scores: Sequence[Score]
    predictions: Sequence[Prediction] = ()
    comparisons: Sequence[Comparison] = ()
    exposures: Sequence[Exposure] = ()
    threshold: float = 0.2
    stopped: Sequence[Contamination] = ()
    links: Sequence[Link] = ()
    conversations: Sequence[Conversation] = ()
    passages: Sequence[Passage] = ()
    perplexities: Sequence[Perplexity] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def benchmarks(self) -> list[str]:
        """The benchmarks (and groups of them) that have a score."""
        return list(dict.fromkeys(score.benchmark for score in self.scores))

    @cached_property
    def main(self) -> list[Score]:
        """The scores that stand for whole benchmarks, controls among them: accuracies, where there are any."""
        whole = [score for score in self.scores if score.subset == "all"]
        return [score for score in whole if score.metric == self.leading(score.benchmark)]

    def leading(self, benchmark: str) -> str:
        """The metric that stands for a benchmark."""
        found = self._metrics.get(benchmark, ())
        return next((metric for metric in LEADING if metric in found), "")

    @cached_property
    def _metrics(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for score in self.scores:
            found.setdefault(score.benchmark, set()).add(score.metric)
        return found

    def ways(self, benchmark: str, *, controls: bool = False) -> list[Way]:
        """How a benchmark was put to models."""
        own = (score for score in self.main if score.benchmark == benchmark)
        return list(dict.fromkeys((one.mode, one.variant) for one in own if controls or not is_control(one.variant)))

    def task(self, benchmark: str) -> Task | None:
        """The published benchmark that an exam is; None for the plain form, the books' own and groups."""
        questions = self.questions.get(benchmark, ())
        return task_of(questions[0]) if questions else None

    def published(self, benchmark: str) -> list[Published]:
        """What others published for the exam, or for the mean of the same exams."""
        task = self.task(benchmark)
        return literature([task.name if task else benchmark]) if task or benchmark in AVERAGES else []

    def pass_mark(self, benchmark: str) -> float | None:
        """The share of right answers with which people pass, where a source tells it."""
        task = self.task(benchmark)
        return task.pass_mark if task else None

    def chance(self, benchmark: str) -> float:
        """The accuracy of guessing; 0 where there is nothing to guess among."""
        return chance(self.questions.get(benchmark, ()))


def is_control(variant: str) -> bool:
    """Returns whether a variant is a control, which should stay at chance."""
    return variant.startswith(CONTROL)
