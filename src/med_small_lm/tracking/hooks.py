"""One MLflow run for one ``kedro run``: parameters by their leaves, digests of the inputs, scores as metrics."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from pydantic import BaseModel

BLOCK = 1 << 20


class TrackingHooks(MlflowHook):  # type: ignore[misc]
    """kedro-mlflow's hook, taught what it does not know: typed parameters, input files, frames of scores.

    It stands in for the plugin's own registration (see ``DISABLE_HOOKS_FOR_PLUGINS``), which would log a pydantic
    model as one long string.
    """

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Start the run and log which files it reads, by SHA-256."""
        super().before_pipeline_run(run_params, pipeline, catalog)
        if not self._is_mlflow_enabled:
            return
        for name in sorted(pipeline.inputs()):
            path = _file_of(catalog, name)
            if path is not None:
                source = resolve_dataset_source(str(path))
                mlflow.log_input(MetaDataset(source, name=name, digest=file_digest(path)), context="input")

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, inputs: dict[str, Any], is_async: bool) -> None:
        """Log the node's parameters, each leaf under its dotted name."""
        plain = {name: value.model_dump() if isinstance(value, BaseModel) else value for name, value in inputs.items()}
        super().before_node_run(node, catalog, plain, is_async)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log the scores as metrics: benchmark, model, mode and variant make the name."""
        if dataset_name == "scores" and mlflow.active_run() is not None:
            mlflow.log_metrics(score_metrics(data))


def score_metrics(scores: pd.DataFrame) -> dict[str, float]:
    """The values of subset ``all`` by a name that MLflow allows."""
    whole = scores[scores["subset"] == "all"]
    return {
        f"{row.metric}/{row.benchmark}/{row.model}/{row.mode}/{row.variant.replace('=', '-')}": row.value
        for row in whole.itertuples()
    }


def _file_of(catalog: DataCatalog, name: str) -> Path | None:
    """The file behind a dataset, if it is one file that is there."""
    dataset = None if name.startswith("params:") or name == "parameters" else catalog.get(name)
    described = getattr(dataset, "_describe", dict)()
    path = Path(str(described.get("filepath", "")))
    return path if path.is_file() else None


def file_digest(path: Path) -> str:
    """The first 32 hex digits of the file's SHA-256 (MLflow's limit is 36 characters)."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()[:32]
