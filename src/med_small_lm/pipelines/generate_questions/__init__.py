"""Questions in the style of an exam, and passages in other words."""

from med_small_lm.pipelines.generate_questions.pipeline import create_pipeline

__all__ = ["create_pipeline"]
