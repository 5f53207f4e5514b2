"""The closing lines of a run: what its last model scores, what is missing, where the report lies, files set aside."""

from __future__ import annotations

from collections.abc import Iterator

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from med_small_lm.datasets.lanes import REASONS
from med_small_lm.datasets.paths import path_of
from med_small_lm.paid import forecast_lines
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import Score
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks.documents import READ


def closing_lines(pipeline: Pipeline, catalog: DataCatalog) -> Iterator[str]:
    """A line for each exam, and for questions not asked; the report, files set aside, a preview's forecast."""
    made = pipeline.datasets() - pipeline.inputs()
    if "scores" in made:
        yield from _scores(catalog)
    if "predictions" in made:
        yield from _not_asked(catalog)
    if "report_page" in made:
        yield f"Report: {path_of(catalog, 'report_page')}"
    if "ingest_report" in made:
        yield _set_aside(catalog)
    yield from forecast_lines(pipeline, catalog)


def _scores(catalog: DataCatalog) -> Iterator[str]:
    """The leading score of each exam: of the run's last model, of the last candidate where it has none of its own."""
    from med_small_lm.benchmarks.page.results import Results, is_control

    params = Evaluate.model_validate(catalog.load("params:evaluate"))
    named = params.models or params.names
    main = Results({}, {}, to_rows(catalog.load("scores"), Score)).main
    plain = [score for score in main if score.model in named and not is_control(score.variant)]
    for exam in dict.fromkeys(score.benchmark for score in plain):
        score = max((one for one in plain if one.benchmark == exam), key=lambda one: named.index(one.model))
        metric = "" if score.metric == "accuracy" else f", {score.metric}"
        yield (
            f"{score.model} on {exam}, {score.mode}{metric}: "
            f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}] of {score.n}"
            + (f", {score.n_unparsed} without a readable answer" if score.n_unparsed else "")
        )


def _not_asked(catalog: DataCatalog) -> Iterator[str]:
    """How many questions of which exam a model could not be asked in one way or another."""
    from med_small_lm.benchmarks.voting import FAILED

    answers = catalog.load("predictions")
    for (model, exam), own in answers.groupby(["model", "benchmark"], sort=False):
        failed = own.loc[own["state"] == FAILED, "question_id"].nunique()
        if failed:
            yield (
                f"INCOMPLETE: {model} on {exam}: {failed:,} of {own['question_id'].nunique():,} questions could not be "
                "asked: neither right nor wrong; the log says why, and the next run asks them again"
            )


def _set_aside(catalog: DataCatalog) -> str:
    report = catalog.load("ingest_report")
    bad = int((~report["status"].isin(READ)).sum())
    where = f": the reasons are in {path_of(catalog, 'quarantine')}/{REASONS}" if bad else ""
    return f"{bad} of {len(report)} files set aside{where}"
