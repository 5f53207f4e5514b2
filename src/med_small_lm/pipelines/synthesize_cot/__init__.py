"""Rationales for the questions, the right answer hidden."""

from med_small_lm.pipelines.synthesize_cot.pipeline import create_pipeline

__all__ = ["create_pipeline"]
