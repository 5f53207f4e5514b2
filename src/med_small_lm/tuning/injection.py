"""Knowledge injection: the corpus trained into a base model."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from med_small_lm.params.knowledge_injection import InjectionParams
from med_small_lm.schemas.rows import CorpusText
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Outcome, Plan, Row, digest, finished
from med_small_lm.tuning.corpus import BOOK, SOURCES, held_out_texts, train_texts_by_source
from med_small_lm.tuning.curve import Curve, Log, no_log
from med_small_lm.tuning.licences import licences_of
from med_small_lm.tuning.mixture import Drawn, MixedTexts, epoch_tokens
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer
from med_small_lm.tuning.trainer import Loop, train
from med_small_lm.tuning.weights import load, save

LOG = logging.getLogger(__name__)


def inject(
    base: Checkpoint,
    corpus: Sequence[CorpusText],
    params: InjectionParams,
    seed: int,
    folder: Path,
    log: Log = no_log,
) -> tuple[Checkpoint, list[Row]]:
    """Returns the injected model's checkpoint in ``folder`` and the curve of its training.

    Args:
        base: the checkpoint to start from.
        corpus: its ``train`` texts are trained on, in the mixture's shares; perplexity is measured on the books'
            ``held_out`` ones, and under names of their own on those of papers and general text.
        params: length, batches, mixture, optimiser.
        seed: of the order of the documents and of the sources.
        folder: where the checkpoint goes; a finished one from the same inputs is returned as it is.
        log: called with metrics and their step as training goes.

    Raises:
        ValueError: there is no text to train on, or a row is longer than the model's positions.
        TrainingError: the loss is not a number any more.
    """
    plan = Plan(
        "injected",
        {"base": base.manifest.fingerprint},
        {"corpus": digest(corpus)},
        {**params.model_dump(mode="json"), "seed": seed},
    )
    if done := finished(folder, plan):
        return done, done.history()
    draft, began = Draft(folder, plan), time.perf_counter()
    model, tokenizer = load(base)
    documents = {name: token_ids(tokenizer, texts) for name, texts in train_texts_by_source(corpus).items()}
    sizes = {name: sum(len(text) + 1 for text in texts if text) for name, texts in documents.items()}
    steps = n_steps(params, epoch_tokens(sizes, params.mixture.model_dump()))
    held_out = {name: token_ids(tokenizer, held_out_texts(corpus, name)) for name in SOURCES}
    curve = Curve("injection", step_tokens(params), log, held_out.pop(BOOK), params.evaluations, held_out)
    drawn: dict[str, Drawn] = {}
    if steps:
        check_positions(model, params.block_size)
        rows = mixed(tokenizer, documents, params, steps, seed)
        drawn = rows.drawn
        LOG.info("injection: %s", "; ".join(map(told, drawn, drawn.values())))
        train(model, rows, Loop("injection", steps, params, params.optimiser, seed), draft.work, curve)
        log({f"injection/{name}_{what}": n for name in drawn for what, n in asdict(drawn[name]).items()}, steps)
    else:
        curve.rows = [curve.measure(model, 0)] if curve.measures else []
    save(model, tokenizer, draft.path)
    spent = time.perf_counter() - began
    licences = licences_of(corpus, base.manifest.licences)
    outcome = Outcome(round(steps * step_tokens(params)), steps, curve.final_loss, spent, drawn, licences)
    return draft.publish(outcome, curve.rows), curve.rows


def mixed(
    tokenizer: PreTrainedTokenizer,
    documents: Mapping[str, Sequence[Sequence[int]]],
    params: InjectionParams,
    steps: int,
    seed: int,
) -> MixedTexts:
    """Returns the rows of a training of ``steps`` steps on documents (token ids) by source."""
    n = steps * params.batch_size * params.accumulation
    weights, eos = params.mixture.model_dump(), int(tokenizer.eos_token_id)
    return MixedTexts(documents, weights, eos, params.block_size, n, seed, params.separate_documents)


def told(source: str, drawn: Drawn) -> str:
    """Returns what is drawn from a source in words."""
    return f"{source} {drawn.share:.1%}, {drawn.texts:,} texts of {drawn.tokens:,} tokens in {drawn.passes:.2f} passes"


def n_steps(params: InjectionParams, corpus_tokens: int) -> int:
    """Returns the optimiser steps that the wanted tokens or epochs take: at least one if any are wanted."""
    wanted = params.tokens if params.tokens is not None else (params.epochs or 0) * corpus_tokens
    return math.ceil(wanted / step_tokens(params)) if wanted else 0


def step_tokens(params: Any) -> int:
    """Returns the tokens of one optimiser step."""
    return int(params.block_size * params.batch_size * params.accumulation)


def token_ids(tokenizer: PreTrainedTokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Returns the token ids of texts, without special tokens."""
    if not texts:
        return []
    told = tokenizer(list(texts), add_special_tokens=False, verbose=False)  # packing cuts what is too long
    return [list(ids) for ids in told["input_ids"]]


def check_positions(model: Any, block_size: int) -> None:
    """Raises ValueError if a row is longer than what the model can read."""
    longest = int(getattr(model.config, "max_position_embeddings", 0) or block_size)
    if block_size > longest:
        raise ValueError(f"block_size is {block_size} tokens, but the model reads {longest} at most")
