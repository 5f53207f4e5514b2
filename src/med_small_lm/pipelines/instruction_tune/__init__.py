"""The injected model taught to reason and to answer."""

from med_small_lm.pipelines.instruction_tune.pipeline import create_pipeline

__all__ = ["create_pipeline"]
