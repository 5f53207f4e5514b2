"""What the page tells of, and what is asked of it again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from med_small_lm.benchmarks.leading import leading, metrics_of
from med_small_lm.benchmarks.literature import AVERAGES, Published, literature
from med_small_lm.benchmarks.parts import CONTROL, RunKey, subsets
from med_small_lm.benchmarks.scoring import chance
from med_small_lm.benchmarks.task import Task
from med_small_lm.benchmarks.tasks import task_of
from med_small_lm.benchmarks.unscored import Asked, asked_of
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

    @cached_property
    def asked(self) -> dict[RunKey, Asked]:
        """How many questions each run was put, and how many of them could not be asked."""
        return asked_of(self.predictions)

    @cached_property
    def unscored(self) -> dict[RunKey, Asked]:
        """The runs that have no score."""
        scored = {(score.model, score.benchmark, score.mode, score.variant) for score in self.scores}
        return {run: asked for run, asked in self.asked.items() if run not in scored}

    @cached_property
    def names(self) -> list[str]:
        """All models: those that are told of, and any that answered."""
        return list(dict.fromkeys([*self.models, *(run[0] for run in self.asked), *(one.model for one in self.scores)]))

    def leading(self, benchmark: str) -> str:
        """The metric that stands for a benchmark."""
        return self._leading.get(benchmark, "")

    @cached_property
    def _leading(self) -> dict[str, str]:
        known = {name: self.questions.get(name, ()) for name in self.benchmarks}
        return {name: leading(metrics_of(self.scores, name), questions) for name, questions in known.items()}

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
        return task.pass_mark[0] if task and task.pass_mark else None

    def chance(self, benchmark: str, subset: str = "all") -> float:
        """The accuracy of guessing; 0 where there is nothing to guess among."""
        questions = self.questions.get(benchmark, ())
        return chance(questions if subset == "all" else subsets(questions).get(subset, ()))


def is_control(variant: str) -> bool:
    """Returns whether a variant is a control, which should stay at chance."""
    return variant.startswith(CONTROL)
