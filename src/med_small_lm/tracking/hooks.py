"""One MLflow run for one ``kedro run``: parameters by their leaves, digests of the data, scores and the machine."""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from filelock import FileLock
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from med_small_lm.benchmarks.unscored import asked_of
from med_small_lm.datasets.paths import path_of
from med_small_lm.entries import PROJECT
from med_small_lm.schemas.rows import Comparison, Prediction, Score, TeacherUse
from med_small_lm.schemas.tables import to_rows
from med_small_lm.tracking.artifacts import log_artifact
from med_small_lm.tuning.checkpoint import Checkpoint

with warnings.catch_warnings(record=True):  # about a class of kedro-mlflow's, and MLflow says it past every filter
    from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

logging.getLogger("kedro_mlflow").setLevel(logging.WARNING)  # it sets itself to INFO when it is imported
BLOCK = 1 << 20
GPU = "gpu"
"""The tag of the nodes that train or run a model."""
SAMPLED = 5  # seconds between two readings of the machine
SIDES = ("clean", "dirty")
AGAINST = "against="
"""How the subset of a score begins that tells of a pair of models."""
KEPT = ("scores", "comparisons")
"""The tables whose files are kept with a run, beside its report."""
NOT_A_NAME = re.compile(r"[^\w./ :-]")
"""What MLflow allows in no name of a metric."""
OF_A_CHECKPOINT = ("manifest.json", "README.md", "samples.md")
"""The files of a checkpoint that tell about it: the rest is weights."""


class TrackingHooks(MlflowHook):  # type: ignore[misc]
    """kedro-mlflow's hook, taught what it does not know: typed parameters, input files, frames of scores.

    It stands in for the plugin's own registration (see ``DISABLE_HOOKS_FOR_PLUGINS``), which would log a pydantic
    model as one long string.
    """

    _watch: SystemMetricsMonitor | None = None
    _catalog: DataCatalog | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set MLflow up; one process at a time, because the first one makes the database."""
        (PROJECT / "data").mkdir(exist_ok=True)
        with FileLock(PROJECT / "data" / ".mlflow.lock"):
            super().after_context_created(context)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Start the run and log which files it reads, by SHA-256."""
        end_dead_runs()
        self._catalog = catalog
        super().before_pipeline_run(run_params, pipeline, catalog)
        if not self._is_mlflow_enabled:
            return
        for name in sorted(pipeline.inputs() - {"teacher", "endpoints"}):  # a ledger is written to
            path = path_of(catalog, name)
            if path is not None and path.exists():
                log_data(path, name, digest_of(path), "input")

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool) -> None:
        """Log the node's parameters, each leaf under its dotted name; watch the machine while a model is at work."""
        plain = {name: value.model_dump() if isinstance(value, BaseModel) else value for name, value in inputs.items()}
        super().before_node_run(node, catalog, plain, is_async)
        run = mlflow.active_run()
        if GPU in node.tags and run is not None:
            self._watch = SystemMetricsMonitor(run.info.run_id, SAMPLED, resume_logging=True)
            self._watch.start()

    @hook_impl
    def after_node_run(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.finish()
            self._watch = None

    @hook_impl
    def on_node_error(self) -> None:
        """Watch no longer."""
        self.after_node_run()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what is counted as metrics, tables of it as files, and of a checkpoint what it says of itself."""
        if mlflow.active_run() is None:
            return
        if isinstance(data, Checkpoint):
            log_checkpoint(dataset_name, data)
        if dataset_name in COUNTED:
            mlflow.log_metrics(COUNTED[dataset_name](data))
        elif dataset_name.startswith("teacher_use_"):
            mlflow.log_metrics(teacher_metrics(data))
        path = path_of(self._catalog, dataset_name) if self._catalog and dataset_name in KEPT else None
        if path is not None:
            log_artifact(path)


def log_checkpoint(name: str, checkpoint: Checkpoint) -> None:
    """Keep what tells about a checkpoint under its name, and the digests of the data that it was trained on."""
    for file in OF_A_CHECKPOINT:
        if (checkpoint.path / file).is_file():
            log_artifact(checkpoint.path / file, folder=name)
    for data, digest in checkpoint.manifest.data.items():
        log_data(checkpoint.path, f"{name}.{data}", digest[:32], "training")


def log_data(path: Path, name: str, digest: str, context: str) -> None:
    """Tell the active run of data that it took in; MLflow takes digests of 36 characters at most."""
    data = MetaDataset(resolve_dataset_source(str(path)), name=name, digest=digest)  # type: ignore[abstract]
    mlflow.log_input(data, context=context)


def end_dead_runs() -> None:
    """Mark runs as killed that a SIGKILL left running; only we write to a local store, and we hold the run's lock."""
    if mlflow.get_tracking_uri().startswith("sqlite:") and mlflow.active_run() is None:
        for run in mlflow.search_runs(filter_string="attributes.status = 'RUNNING'", output_format="list"):
            MlflowClient().set_terminated(run.info.run_id, "KILLED")


def score_metrics(scores: pd.DataFrame) -> dict[str, float]:
    """The values of whole benchmarks, and of an accuracy what belongs to it, under the same names in every run.

    ``accuracy/medqa/tuned/likelihood/letter/0-shot`` has ``accuracy_low`` and ``accuracy_high`` (its interval),
    ``unparsed`` (questions), ``accuracy_clean`` and ``accuracy_dirty`` (see ``exposures``) beside it. What a judge says
    of a pair ends with the other model: ``win_rate/k_qa/tuned/generation/explain/0-shot/against-base``.
    """
    found: dict[str, float] = {}
    for row in to_rows(scores, Score):
        where = _where(row.benchmark, row.model, row.mode, row.variant)
        if row.subset == "all":
            found[f"{row.metric}/{where}"] = row.value
        elif row.subset.startswith(AGAINST):
            found[f"{row.metric}/{where}/{_where(row.subset)}"] = row.value
        if row.metric == "accuracy" and row.subset == "all":
            found[f"accuracy_low/{where}"], found[f"accuracy_high/{where}"] = row.ci_low, row.ci_high
            found[f"unparsed/{where}"] = row.n_unparsed
        elif row.metric == "accuracy" and row.subset in SIDES:
            found[f"accuracy_{row.subset}/{where}"] = row.value
    return found


def failed_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """How many questions of each run could not be asked, ``failed/medqa/far/generation/explain/0-shot``."""
    asked = asked_of(to_rows(predictions, Prediction))
    return {f"failed/{_where(run[1], run[0], *run[2:])}": one.n_failed for run, one in asked.items()}


def difference_metrics(comparisons: pd.DataFrame) -> dict[str, float]:
    """Differences of models with interval and p, ``difference/medqa/tuned-base/likelihood/letter/0-shot``."""
    found: dict[str, float] = {}
    for row in to_rows(comparisons, Comparison):
        where = _where(row.benchmark, f"{row.model_a}-{row.model_b}", row.mode, row.variant)
        values = {"": row.difference, "_low": row.ci_low, "_high": row.ci_high, "_p_holm": row.p_holm}
        found |= {f"difference{name}/{where}": value for name, value in values.items() if value == value}
    return found


COUNTED: Mapping[str, Callable[[pd.DataFrame], dict[str, float]]] = {
    "predictions": failed_metrics, "scores": score_metrics, "comparisons": difference_metrics,
}  # fmt: skip
"""Datasets that are logged as metrics, and how."""


def _where(*names: str) -> str:
    """The end of a metric's name, in the characters that MLflow takes."""
    return NOT_A_NAME.sub("-", "/".join(names))


def teacher_metrics(use: pd.DataFrame) -> dict[str, float]:
    """Calls, tokens and costs by node and method; what is NaN is left out."""
    counts = ("calls", "from_ledger", "failed", "tokens_in", "tokens_out", "cost", "records_kept", "cost_per_kept")
    return {
        f"teacher/{row.node}/{row.method}/{count}": value
        for row in to_rows(use, TeacherUse)
        for count in counts
        if (value := float(getattr(row, count))) == value
    }


def digest_of(path: Path) -> str:
    """The first 32 hex digits of the SHA-256 of a file (MLflow takes 36 at most).

    Of a folder, of its files' names, sizes and times: a library is too large to be read for a digest at every run.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for part in sorted(path.rglob("*")):
            if part.is_file():
                stat = part.stat()
                digest.update(f"{part.relative_to(path)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:32]
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()[:32]
