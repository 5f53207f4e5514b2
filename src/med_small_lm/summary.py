"""The closing lines of a run: what the tuned model scores, where the report lies, which files were set aside."""

from __future__ import annotations

from collections.abc import Iterator

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from med_small_lm.datasets.lanes import REASONS
from med_small_lm.datasets.paths import path_of
from med_small_lm.paid import forecast_lines
from med_small_lm.schemas.rows import Score
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks.documents import READ


def closing_lines(pipeline: Pipeline, catalog: DataCatalog) -> Iterator[str]:
    """A line for each score of the last model but its controls; the report, files set aside, a preview's forecast."""
    made = pipeline.datasets() - pipeline.inputs()
    if "scores" in made:
        yield from _scores(catalog)
    if "report_page" in made:
        yield f"Report: {path_of(catalog, 'report_page')}"
    if "ingest_report" in made:
        yield _set_aside(catalog)
    yield from forecast_lines(pipeline, catalog)


def _scores(catalog: DataCatalog) -> Iterator[str]:
    params = catalog.load("params:evaluate")
    for score in to_rows(catalog.load("scores"), Score):
        control = any(score.variant.startswith(name) for name in params.controls)
        whole = score.subset == "all" and score.metric == "accuracy"
        if score.model == params.models[-1] and whole and not control:
            yield (
                f"{score.model} on {score.benchmark}, {score.mode}: "
                f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}] of {score.n}"
                + (f", {score.n_unparsed} without a readable answer" if score.n_unparsed else "")
            )


def _set_aside(catalog: DataCatalog) -> str:
    report = catalog.load("ingest_report")
    bad = int((~report["status"].isin(READ)).sum())
    where = f": the reasons are in {path_of(catalog, 'quarantine')}/{REASONS}" if bad else ""
    return f"{bad} of {len(report)} files set aside{where}"
