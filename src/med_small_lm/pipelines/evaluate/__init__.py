"""What the models learnt: predictions, scores with intervals, lineage to the pages."""

from med_small_lm.pipelines.evaluate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
