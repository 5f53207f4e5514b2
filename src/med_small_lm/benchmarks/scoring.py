"""Scores and comparisons of models, made of their stored predictions: over all the questions that a benchmark has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from med_small_lm.benchmarks.calibration import SureAnswers, measure, probabilities, sure_answers
from med_small_lm.benchmarks.metrics import (
    MULTI_SELECT,
    READ,
    by_case,
    characters_of,
    exact,
    exam_scale,
    named_keys,
)
from med_small_lm.benchmarks.parts import (
    CONTROL,
    GOLD,
    OWN,
    PERMUTED,
    Answers,
    Part,
    RunKey,
    answers_by_run,
    case_of,
    cases_of,
    cuts_a_case,
    subsets,
)
from med_small_lm.benchmarks.permuting import is_permuted
from med_small_lm.benchmarks.resampling import Array, Units, interval, units
from med_small_lm.benchmarks.statistics import holm, is_whole, paired
from med_small_lm.benchmarks.voting import flips, vote_shares
from med_small_lm.schemas.rows import Comparison, Prediction, Question, Score


@dataclass(frozen=True, slots=True)
class _Maker:
    """What makes the scores of a part of a run."""

    samples: int
    seed: int

    def all_of(self, part: Part, *, cuts: bool) -> Iterator[Score]:
        """Every metric that a part's questions and predictions allow, accuracy first; of cases unless it cuts one."""
        yield from self.accuracies(part)
        if any(question.kind == "multi" or len(question.answer_keys) != 1 for question, _ in part.voted):
            for metric, worth in MULTI_SELECT.items():
                yield self.mean(part, metric, units(*worth(part.marks), clusters=part.cases))
        if not cuts:
            yield from self.of_cases(part)
        yield from self.of_samples(part)
        if part.subset == "all" and not part.run[3].startswith(CONTROL):
            yield from self.calibration(part)

    def mean(self, part: Part, metric: str, of: Units, counts: tuple[int, int, int] | None = None) -> Score:
        """The score of a mean; ``counts`` are n, unparsed and failed where they are not those of the questions."""
        low, high = interval(of, samples=self.samples, seed=self.seed)
        return _score(part, metric, (of.value, low, high), counts or (len(part.voted), part.n_unparsed, part.n_failed))

    def accuracies(self, part: Part) -> Iterator[Score]:
        """The share of right answers, and the mean of it over subjects."""
        right, subjects = exact(part.marks), [question.subject for question, _ in part.voted]
        accuracy = self.mean(part, "accuracy", units(right, clusters=part.cases))
        if not is_whole(accuracy.value, accuracy.n):
            raise ValueError(f"{accuracy.value} of {accuracy.n} questions is no whole number of right answers")
        yield accuracy
        if len(set(subjects)) > 1:
            yield self.mean(part, "macro_accuracy", units(right, clusters=part.cases, strata=subjects))

    def of_cases(self, part: Part) -> Iterator[Score]:
        """Means over whole cases; one of which a question could not be asked is left out, and counts as failed."""
        kept = [bool(one.case_id) and one.case_id not in part.broken for one, _ in part.voted]
        if part.cases is None or not any(kept):
            return
        names = [question.case_id for (question, _), keep in zip(part.voted, kept, strict=True) if keep]
        worth = (exact(part.marks), exam_scale(part.marks), part.marks.read)
        right, points, read = (by_case(values[kept], names) for values in worth)
        counts = len(right), int((read < 1).sum()), len(part.broken)
        yield self.mean(part, "case_accuracy", units(right), counts)
        yield self.mean(part, "case_exact_match", units(right == 1), counts)
        yield self.mean(part, "case_exam_scale", units(points), counts)

    def of_samples(self, part: Part) -> Iterator[Score]:
        """Of several samples of a question: their mean accuracy, and how often they disagree."""
        if max(map(len, part.samples)) < 2:
            return
        given = [(question, samples) for (question, _), samples in zip(part.voted, part.samples, strict=True)]
        rights = [np.mean([is_right(one, question) for one in samples] or [False]) for question, samples in given]
        yield self.mean(part, "sample_accuracy", units(rights, clusters=part.cases))
        turned = [one for one in given if PERMUTED not in part.run[3] or is_permuted(one[0])]
        changed = [(question, change) for question, samples in turned if (change := flips(samples)) is not None]
        if changed:
            clusters = cases_of([question for question, _ in changed])
            counts = len(changed), len(given) - len(changed), part.n_failed
            yield self.mean(part, "flip_rate", units([change for _, change in changed], clusters=clusters), counts)

    def calibration(self, part: Part) -> Iterator[Score]:
        """How sure against how right, over the questions with one right option and a probability for each option."""
        asked, sure = sureness(part)
        if asked:
            clusters = cases_of(asked)
            counts = len(asked), len(part.voted) - len(asked), part.n_failed
            for one in measure(sure, clusters=clusters, samples=self.samples, seed=self.seed):
                yield _score(part, one.metric, (one.value, one.ci_low, one.ci_high), counts)


def is_right(prediction: Prediction, question: Question) -> bool:
    """Returns whether the answer was read and names exactly the right keys."""
    return prediction.state in READ and set(prediction.answer_keys) == set(question.answer_keys)


def sureness(part: Part) -> tuple[list[Question], SureAnswers]:
    """Returns the questions with one right option and a probability for each option, and how sure the answers were."""
    asked, told = [], []
    for (question, made), samples in zip(part.voted, part.samples, strict=True):
        shares = _sure(question, samples, part.run[3])
        if shares and len(question.answer_keys) == 1:
            asked.append(question)
            told.append((shares, (named_keys(made) or [""])[0], question.answer_keys[0]))
    return asked, sure_answers(told)


def score(
    predictions: Iterable[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns the scores of each model, benchmark, mode and variant: subset ``all`` and metric ``accuracy`` first.

    Accuracy is over all questions of the benchmark that could be asked, also where predictions are missing: those count
    as wrong and as unparsed. What else there is follows from the questions and the predictions: a mean over subjects,
    multi-select metrics, means of cases (of a subset that holds all questions of its cases), agreement of several
    samples, calibration (see docs/statistics.md). Open questions, which have no options, are not scored here. A subset
    other than ``all`` is given only where the benchmark has two of its sort.

    Args:
        predictions: of any models and benchmarks, in any order.
        benchmarks: the questions that were put, by the benchmark's name.
        samples: resamples behind an interval.
        seed: of the resamples.

    Raises:
        ValueError: a prediction's benchmark or question is unknown, or a question has one sample twice in a run.
    """
    maker, scores = _Maker(samples, seed), list[Score]()
    for run, answers in answers_by_run(predictions, benchmarks).items():
        closed = _closed(benchmarks[run[1]])
        for subset, questions in subsets(closed).items():
            part = Part(run, subset, questions, answers)
            scores += maker.all_of(part, cuts=cuts_a_case(questions, closed)) if part.voted else []
    return scores


def averages(
    predictions: Iterable[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    groups: Mapping[str, Sequence[str]],
    *,
    by_subject: Collection[str] = (),
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns the mean accuracy over the benchmarks of each group, and beside it that over all their questions.

    A model counts where it has answered every benchmark of the group in one mode and variant. The group's name stands
    for the benchmark; the metrics are ``macro_accuracy`` and ``micro_accuracy``.

    Args:
        predictions: of any models and benchmarks.
        benchmarks: the questions by the benchmark's name.
        groups: names of benchmarks, one or more, by the group's name.
        by_subject: the benchmarks that stand in a group's mean by the mean of their subjects.
        samples: resamples behind an interval.
        seed: of the resamples.
    """
    maker, scores = _Maker(samples, seed), list[Score]()
    runs = answers_by_run(predictions, benchmarks)
    for name, members in groups.items():
        for model, mode, variant in dict.fromkeys((run[0], run[2], run[3]) for run in runs):
            own = [(model, member, mode, variant) for member in members]
            parts = [Part(run, "all", _closed(benchmarks[run[1]]), runs[run]) for run in own if run in runs]
            if len(parts) == len(own) and all(part.voted for part in parts):
                scores += _averages(Part((model, name, mode, variant), "all", [], {}), parts, by_subject, maker)
    return scores


def _averages(whole: Part, parts: Sequence[Part], by_subject: Collection[str], maker: _Maker) -> Iterator[Score]:
    """The macro and the micro average of one run over several benchmarks."""
    right: Array = np.concatenate([exact(part.marks) for part in parts])
    groups = [(part.run[1], question.subject if part.run[1] in by_subject else "") for part in parts
              for question, _ in part.voted]  # fmt: skip
    cases = [f"{part.run[1]} {case_of(question)}" for part in parts for question, _ in part.voted]
    counts = len(right), sum(part.n_unparsed for part in parts), sum(part.n_failed for part in parts)
    yield maker.mean(whole, "macro_accuracy", _mean_of_means(right, cases, groups), counts)
    yield maker.mean(whole, "micro_accuracy", units(right, clusters=cases), counts)


def _mean_of_means(right: Array, cases: Sequence[str], groups: Sequence[tuple[str, str]]) -> Units:
    """The mean over benchmarks of their accuracies or of their subjects' mean; ``groups`` are benchmark and subject.

    A mean is one of ratios that weigh alike, so the ratio of one subject among few stands there several times.
    """
    known = sorted(set(groups))
    strata = [known.index(group) for group in groups]
    parts = Counter(benchmark for benchmark, _ in known)
    times = np.array([lcm(*parts.values()) // parts[benchmark] for benchmark, _ in known])
    of = units(right, clusters=cases, strata=strata)
    sums, sizes = (np.repeat(columns / times, times, axis=1) for columns in (of.sums, of.sizes))
    return replace(of, sums=sums, sizes=sizes)


def chance(questions: Sequence[Question]) -> float:
    """Returns the accuracy of drawing one option of each question by lot."""
    shares = [1 / len(q.options) if len(q.answer_keys) == 1 and q.options else 0.0 for q in questions]
    return sum(shares) / len(shares) if shares else 0.0


def compare(
    predictions: Iterable[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    pairs: Sequence[tuple[str, str]],
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Comparison]:
    """Returns the paired comparison of each pair of models in each benchmark, mode and variant that both have.

    A model that was shown the right answers to a case's earlier questions, and in another run its own, is compared with
    itself, as "tuned/context=gold" and "tuned/context=model": the difference is what its own mistakes cost. The
    p-values are corrected together, over all that is returned. Controls ("stem_hidden") are left out: whether one guess
    beats another is no question.
    """
    runs = answers_by_run(predictions, benchmarks)
    found: list[Comparison] = []
    for first, second in _set_beside(runs, pairs):
        questions = _closed(benchmarks[first[1]])
        parts = [Part(run, "all", questions, runs[run]) for run in (first, second)]
        found += _compared(parts[0], parts[1], samples, seed)
    corrected = holm([entry.p for entry in found])
    return [replace(entry, p_holm=value) for entry, value in zip(found, corrected, strict=True)]


def _set_beside(runs: Mapping[RunKey, Answers], pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[RunKey, RunKey]]:
    """The runs that are compared: of two models, then of one with right and with its own earlier answers."""
    for model_a, model_b in pairs:
        for run in runs:
            other = (model_b, *run[1:])
            if run[0] == model_a and other in runs and not run[3].startswith(CONTROL):
                yield run, other
    for run in runs:
        own = (*run[:3], f"{run[3].removesuffix(GOLD)}{OWN}")
        if run[3].endswith(GOLD) and own in runs:
            yield run, own


def _names(first: RunKey, second: RunKey) -> tuple[str, str, str, str, str]:
    """Both models, the benchmark, the mode and the variant; what differs in the variant stands with the model."""
    if first[3] == second[3]:
        return first[0], second[0], first[1], first[2], first[3]
    shared = first[3].removesuffix(f"/{GOLD}")
    return f"{first[0]}/{GOLD}", f"{second[0]}/{OWN}", first[1], first[2], shared


def _compared(first: Part, second: Part, samples: int, seed: int) -> Iterator[Comparison]:
    """One comparison, not corrected yet; none where no question was asked of both."""
    rights = [dict(zip((one.question_id for one, _ in part.voted), exact(part.marks), strict=True))
              for part in (first, second)]  # fmt: skip
    asked = [question for question in first.questions if all(question.question_id in right for right in rights)]
    if not asked:
        return
    pair = np.array([[right[question.question_id] for question in asked] for right in rights])
    clusters = cases_of(asked)
    found = paired(*pair, clusters=clusters, samples=samples, seed=seed)
    apart = pair[0] - pair[1]
    yield Comparison(
        *_names(first.run, second.run), len(asked), int((apart > 0).sum()), int((apart < 0).sum()),
        found.difference, found.p, found.p, found.ci_low, found.ci_high, found.detectable,
        "sign_flip" if clusters else "mcnemar",
    )  # fmt: skip


def _closed(questions: Sequence[Question]) -> list[Question]:
    """The questions that are answered by options."""
    return [question for question in questions if question.options and question.kind != "open"]


def _sure(question: Question, samples: Sequence[Prediction], variant: str) -> Mapping[str, float]:
    """How sure an answer is of each option: by the samples' votes, or the likelihoods of the only one.

    Nothing where there are neither; propositions are each likely or not for themselves, so they are left out.
    """
    if len(samples) > 1:
        return vote_shares(samples)
    told = samples[0].option_logprobs if samples and not variant.startswith("proposition") else []
    if not told:
        return {}
    how = variant.partition("/")[0]
    if how.endswith("-characters"):
        return probabilities(told, characters_of(question))
    return probabilities(told, {one.key: one.n_tokens for one in told} if how.endswith("-length") else None)


def _score(part: Part, metric: str, told: tuple[float, float, float], counts: tuple[int, int, int]) -> Score:
    """The record of a value with its bounds, and of n, unparsed and failed."""
    model, benchmark, mode, variant = part.run
    (value, low, high), (n, n_unparsed, n_failed) = told, counts
    return Score(model, benchmark, part.subset, mode, variant, metric, value, n, n_unparsed, low, high, n_failed)
