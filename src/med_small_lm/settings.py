"""Kedro's settings of the project: hooks, configuration, where paths start."""

from __future__ import annotations

import gc
from pathlib import Path

from med_small_lm import quiet  # noqa: F401  first: it must run before Kedro's plugins are imported
from med_small_lm.config import ProjectConfigLoader
from med_small_lm.hooks import RunHooks
from med_small_lm.tracking.hooks import TrackingHooks

gc.set_threshold(10_000, 10, 10)  # Python's 700 is for small heaps: see docs/measurements.md

PROJECT = Path(__file__).resolve().parents[2]

HOOKS = (RunHooks(), TrackingHooks())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro_mlflow")  # TrackingHooks stands in for the latter
CONFIG_LOADER_CLASS = ProjectConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"]},
    "merge_strategy": {"parameters": "soft", "catalog": "soft", "mlflow": "soft", "globals": "soft"},
    "custom_resolvers": {"project": lambda path="": str(PROJECT / path)},
}
