"""Nodes of ``evaluate`` that count, draw and tell what the models answered."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from med_small_lm.params.candidates import Candidate
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import (
    Comparison,
    Contamination,
    Conversation,
    CorpusText,
    Exposure,
    Judgement,
    Link,
    Passage,
    Perplexity,
    Prediction,
    Question,
    Score,
    TeacherUse,
)
from med_small_lm.schemas.tables import to_frame, to_rows

LOG = logging.getLogger(__name__)


def by_exam(items: pd.DataFrame) -> dict[str, list[Question]]:
    """The questions of each exam."""
    return {str(name): to_rows(frame, Question) for name, frame in items.groupby("source", sort=False)}


def measure_exposure(
    items: pd.DataFrame,
    benchmarks: pd.DataFrame,
    questions: pd.DataFrame,
    corpus: pd.DataFrame,
    conversations: pd.DataFrame,
) -> pd.DataFrame:
    """How much of each scored question stands in what was trained on, by the best document of each source."""
    from med_small_lm.benchmarks.exposure import BANDS, by_unit, distribution, expose, training_documents

    form = benchmarks[~benchmarks["split"].isin(items["split"].unique())]
    documents = training_documents(to_rows(corpus, CorpusText), to_rows(conversations, Conversation))
    asked = to_rows(items, Question)
    found = expose([*asked, *to_rows(form, Question)], documents, to_rows(questions, Question))
    for name, counts in distribution(by_unit(found, asked)).items():
        told = ", ".join(f"{counts[band]} at {band}" for band in BANDS if counts[band])
        LOG.info("%s: by what stands in one training document: %s", name, told)
    return to_frame(found, Exposure)


def score_predictions(
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    exposures: pd.DataFrame,
    judgements: pd.DataFrame,
    params: Evaluate,
) -> pd.DataFrame:
    """The scores with their 95 % intervals: exams, their parts, the papers' averages, clean and dirty, open answers."""
    from med_small_lm.benchmarks.exposure import split_scores
    from med_small_lm.benchmarks.judging.pairs import pair_scores
    from med_small_lm.benchmarks.judging.scores import judged_scores
    from med_small_lm.benchmarks.literature import averaged, by_subject
    from med_small_lm.benchmarks.scoring import averages, score

    answers, exams = to_rows(predictions, Prediction), by_exam(items)
    drawn = {"samples": params.bootstrap_samples, "seed": params.seed}
    made = score(answers, exams, **drawn)
    made += averages(answers, exams, averaged(exams), by_subject=by_subject(exams), **drawn)
    exposed = to_rows(exposures, Exposure)
    made += split_scores(answers, exams, exposed, threshold=params.dirty_coverage, **drawn)
    judged = to_rows(judgements, Judgement)
    made += judged_scores(exams, answers, judged, **drawn)
    made += pair_scores(exams, answers, judged, params.judge.pairs, **drawn)
    LOG.info("%d scores from %d predictions", len(made), len(answers))
    return to_frame(made, Score)


def compare_models(predictions: pd.DataFrame, items: pd.DataFrame, params: Evaluate) -> pd.DataFrame:
    """The paired comparisons of all models with each other."""
    from med_small_lm.benchmarks.scoring import compare

    drawn = {"samples": params.bootstrap_samples, "seed": params.seed}
    found = compare(to_rows(predictions, Prediction), by_exam(items), list(pairs_of(params)), **drawn)
    return to_frame(found, Comparison)


def pairs_of(params: Evaluate) -> Iterator[tuple[str, str]]:
    """All pairs of models: each with those before it, so the run's own first, a training before what it began from.

    Among them is each model beside each with the books open: what training bought over looking it up.
    """
    yield from ((later, earlier) for place, later in enumerate(params.names) for earlier in params.names[:place])


def link_items(
    items: pd.DataFrame, conversations: pd.DataFrame, passages: pd.DataFrame, params: Evaluate
) -> pd.DataFrame:
    """For each exam item the training records and pages nearest to it. Similarity, not proof of cause."""
    from med_small_lm.benchmarks.lineage import link

    links = link(
        to_rows(items, Question), to_rows(conversations, Conversation), to_rows(passages, Passage), params.lineage_k
    )
    return to_frame(links, Link)


def gather_contamination(**steps: pd.DataFrame) -> pd.DataFrame:
    """What the contamination gates stopped, over all nodes."""
    return pd.concat(steps.values(), ignore_index=True)


def draw_scores(exam: str, scores: pd.DataFrame, items: pd.DataFrame) -> go.Figure:
    """The scores of one exam, of the metric that stands for it, with their intervals and the line of chance."""
    from med_small_lm.benchmarks.leading import leading, metrics_of
    from med_small_lm.benchmarks.pictures import scores_figure
    from med_small_lm.benchmarks.scoring import chance

    made, questions = to_rows(scores, Score), by_exam(items).get(exam, [])
    metric = leading(metrics_of(made, exam), questions) or "accuracy"
    return scores_figure(made, exam, metric=metric, chance=chance(questions))


def draw_curves(injection_history: pd.DataFrame, tuning_history: pd.DataFrame) -> go.Figure:
    """The loss over tokens of both stages, and the perplexity on held-out pages."""
    from med_small_lm.benchmarks.pictures import losses_figure

    lines = [*injection_history.to_dict("records"), *tuning_history.to_dict("records")]
    return losses_figure(
        [{str(key): None if is_nan(value) else value for key, value in line.items()} for line in lines]
    )


def draw_perplexities(perplexities: pd.DataFrame, tuning_perplexities: pd.DataFrame) -> go.Figure:
    """The perplexity on held-out text over both stages, with its intervals."""
    from med_small_lm.benchmarks.held_out import perplexities_figure

    return perplexities_figure(to_rows(pd.concat([perplexities, tuning_perplexities]), Perplexity))


def is_nan(value: Any) -> bool:
    """Whether a value stands for "not measured"."""
    return isinstance(value, float) and math.isnan(value)


def write_report(
    scores: pd.DataFrame,
    comparisons: pd.DataFrame,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    contamination: pd.DataFrame,
    teacher_report: pd.DataFrame,
    judge_use: pd.DataFrame,
    perplexities: pd.DataFrame,
    tuning_perplexities: pd.DataFrame,
) -> str:
    """The report as text: scores, comparisons, gain and forgetting, contamination, where the figures come from."""
    from med_small_lm.benchmarks.leading import leading, metrics_of
    from med_small_lm.benchmarks.report import report
    from med_small_lm.benchmarks.scoring import chance
    from med_small_lm.benchmarks.unscored import asked_of

    made, exams = to_rows(scores, Score), by_exam(items)
    return report(
        made,
        to_rows(comparisons, Comparison),
        to_rows(contamination, Contamination),
        _origins(to_rows(pd.concat([teacher_report, judge_use]), TeacherUse)),
        chance={name: chance(questions) for name, questions in exams.items()},
        perplexities=to_rows(pd.concat([perplexities, tuning_perplexities]), Perplexity),
        leading={name: leading(metrics_of(made, name), questions) for name, questions in exams.items()},
        asked=asked_of(to_rows(predictions, Prediction)),
    )


def write_page(
    scores: pd.DataFrame,
    comparisons: pd.DataFrame,
    predictions: pd.DataFrame,
    items: pd.DataFrame,
    exposures: pd.DataFrame,
    contamination: pd.DataFrame,
    lineage: pd.DataFrame,
    conversations: pd.DataFrame,
    passages: pd.DataFrame,
    teacher_report: pd.DataFrame,
    judge_use: pd.DataFrame,
    perplexities: pd.DataFrame,
    tuning_perplexities: pd.DataFrame,
    params: Evaluate,
) -> str:
    """The report as one page of HTML with pictures, published figures, and wrong answers with their lineage."""
    from med_small_lm.benchmarks.page import report_page
    from med_small_lm.benchmarks.page.results import Results

    near = conversations[conversations["example_id"].isin(lineage["example_id"])]
    behind = passages[passages["passage_id"].isin(lineage["passage_id"])]
    return report_page(
        Results(
            models=_described(params),
            questions=by_exam(items),
            scores=to_rows(scores, Score),
            predictions=to_rows(predictions, Prediction),
            comparisons=to_rows(comparisons, Comparison),
            exposures=to_rows(exposures, Exposure),
            threshold=params.dirty_coverage,
            stopped=to_rows(contamination, Contamination),
            links=to_rows(lineage, Link),
            conversations=to_rows(near, Conversation),
            passages=to_rows(behind, Passage),
            perplexities=to_rows(pd.concat([perplexities, tuning_perplexities]), Perplexity),
            origins=_origins(to_rows(pd.concat([teacher_report, judge_use]), TeacherUse)),
        )
    )


def _described(params: Evaluate) -> Mapping[str, str]:
    """What each model is, in words."""
    from med_small_lm.benchmarks.page.words import MODELS

    own = {name: MODELS[name] for name in params.models}
    return own | {name: _told(one) + _kept(params.exams_of(name)) for name, one in params.candidates.items()}


def _told(candidate: Candidate) -> str:
    """What a candidate is, in words."""
    if candidate.open_book:
        opened = candidate.open_book
        return f"{opened.of} with the books open: at most {opened.passages} of the nearest passages before a question"
    if candidate.endpoint:
        return f"{candidate.endpoint.model}, asked at an endpoint"
    return f"{candidate.model}" + (f" with the adapter {candidate.adapter}" if candidate.adapter else "")


def _kept(exams: Sequence[str]) -> str:
    """What a candidate answers where that is not all."""
    return f"; it answers {', '.join(exams)} alone" if exams else ""


def _origins(use: Sequence[TeacherUse]) -> dict[str, str]:
    """What the teacher was asked for, in words by node and method."""
    return {
        f"{line.node} ({line.method})": f"{line.calls} calls of {line.model}, {line.from_ledger} from the ledger, "
        f"{line.failed} failed; {line.records_kept} records kept"
        for line in use
    }
