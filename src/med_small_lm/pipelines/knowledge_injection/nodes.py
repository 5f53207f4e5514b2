"""Nodes of ``knowledge_injection``. The training code, and torch with it, is imported when a node runs."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pandas as pd

from med_small_lm.params.knowledge_injection import KnowledgeInjection
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import CorpusText, Passage, Perplexity, Rephrasing, TrainingStep
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tracking.artifacts import log_metrics
from med_small_lm.tuning.checkpoint import Checkpoint

LOG = logging.getLogger(__name__)


def assemble_corpus(
    passages: pd.DataFrame, rephrasings: pd.DataFrame, coverage_check: str, params: KnowledgeInjection
) -> pd.DataFrame:
    """The injection corpus: every passage and its rephrasings, some passages held out for perplexity.

    It waits for the coverage's check where that is part of the run, so that no hours go into too few records.
    """
    from med_small_lm.tuning.corpus import build_corpus

    texts = build_corpus(to_rows(passages, Passage), to_rows(rephrasings, Rephrasing), params.corpus, params.seed)
    frame = to_frame(texts, CorpusText)
    counts = Counter(f"{text.source} texts {text.split}" for text in texts)
    told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
    LOG.info("corpus: %s; coverage: %s", told, coverage_check)
    return frame


def make_base(corpus: pd.DataFrame, params: KnowledgeInjection, models: str) -> Checkpoint:
    """The model that training starts from: a tiny one made here, or the one that the parameters name."""
    from med_small_lm.tuning.base_model import make_base as make

    texts = corpus.loc[corpus["split"] == "train", "text"].tolist()
    return make(texts, params.base, params.seed, Path(models) / "base")


def inject(
    base: Checkpoint, corpus: pd.DataFrame, params: KnowledgeInjection, launch: Launch, models: str
) -> tuple[Checkpoint, pd.DataFrame, pd.DataFrame]:
    """The base model after causal training on the corpus, the curve of that training, and perplexities on the way."""
    from med_small_lm.tuning.injection import inject as train

    texts = to_rows(corpus, CorpusText)
    made = train(base, texts, params.injection, params.seed, Path(models) / "injected", log_metrics, launch)
    history = [TrainingStep(**row) for row in made.history]
    return made.checkpoint, to_frame(history, TrainingStep), to_frame(made.perplexities, Perplexity)
