"""Files of the active MLflow run; nothing happens where no run is active (a notebook, kedro-viz, a test)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def log_artifact(path: Path, folder: str | None = None) -> None:
    """Copy ``path`` to the active run's artifacts, or to a folder of them."""
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_artifact(str(path), folder)


def log_metrics(metrics: Mapping[str, float], step: int) -> None:
    """Add one point to each curve of the active run. NaN is left out: it says that nothing was measured."""
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_metrics({name: value for name, value in metrics.items() if value == value}, step=step)


def end_as_killed() -> None:
    """Close the active run as killed: left to itself, MLflow would call it finished when the process ends."""
    import mlflow

    while mlflow.active_run() is not None:  # every node has put it on MLflow's stack once more
        mlflow.end_run("KILLED")
