"""The books' knowledge into the model: corpus, base model, injection."""

from med_small_lm.pipelines.knowledge_injection.pipeline import create_pipeline

__all__ = ["create_pipeline"]
