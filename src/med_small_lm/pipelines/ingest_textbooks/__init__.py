"""Textbooks to passages, a lane for each book."""

from med_small_lm.pipelines.ingest_textbooks.pipeline import create_pipeline

__all__ = ["create_pipeline"]
