"""Knowledge injection: the corpus trained into a base model."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from med_small_lm.errors import UserError
from med_small_lm.params.knowledge_injection import InjectionParams
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import CorpusText
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Plan, digest, finished
from med_small_lm.tuning.corpus import BOOK, SOURCES, held_out_by_book, train_texts_by_source
from med_small_lm.tuning.curve import Log, Look, Measure, no_log
from med_small_lm.tuning.held_out import look_at, of_source, read_held_out, write_held_out
from med_small_lm.tuning.licences import licences_of
from med_small_lm.tuning.mixture import Drawn, MixedTexts, epoch_tokens
from med_small_lm.tuning.packing import Documents
from med_small_lm.tuning.stage import Spec, Stage, Trained, again, ranks_of
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer, begins
from med_small_lm.tuning.weights import config_of, read_tokenizer

LOG = logging.getLogger(__name__)

STAGE = "injection"
Params = InjectionParams


def inject(
    base: Checkpoint,
    corpus: Sequence[CorpusText],
    params: InjectionParams,
    seed: int,
    folder: Path,
    log: Log = no_log,
    launch: Launch = Launch(),  # noqa: B008  frozen
) -> Trained:
    """Returns the injected model's checkpoint in ``folder``, the curve of its training and its perplexities.

    Args:
        base: the checkpoint to start from.
        corpus: its ``train`` texts are trained on, in the mixture's shares; perplexity is measured on the
            ``held_out`` ones of each source and book.
        params: length, batches, mixture, mode, optimiser.
        seed: of the order of the documents and of the sources.
        folder: where the checkpoint goes; a finished one from the same inputs is returned as it is.
        log: called with metrics and their step as training goes.
        launch: where it runs.

    Raises:
        UserError: there is no text to train on, or a row is longer than the model's positions.
        TrainingError: the loss is not a number any more, or memory is short.
        LaunchError: a rank failed.
    """
    if params.tokens or params.epochs:
        check_texts(corpus, params)
    plan = Plan(
        "injected",
        {"base": base.manifest.fingerprint},
        {"corpus": digest(corpus)},
        {**params.model_dump(mode="json"), "seed": seed, "ranks": ranks_of(launch)},
    )
    if done := finished(folder, plan):
        return again(done)
    draft = Draft(folder, plan)
    stage = Stage(STAGE, draft, base, params, seed, launch, log, licences_of(corpus, base.manifest.licences))
    tokenizer = read_tokenizer(base.path)
    sizes = stage.prepare(lambda data: tokenise(tokenizer, corpus, data))
    steps = n_steps(params, epoch_tokens(sizes, params.mixture.model_dump()), stage.ranks)
    drawn: dict[str, Any] = {}
    if steps:
        check_positions(base, params.block_size, "knowledge_injection.injection.block_size")
        told = rows(stage.spec(steps), tokenizer).drawn
        drawn = {name: asdict(one) for name, one in told.items()}
        LOG.info("injection: %s", "; ".join(map(in_words, told, told.values())))
        log({f"injection/{name}_{what}": n for name, one in drawn.items() for what, n in one.items()}, 0)
    return stage.run(steps, drawn)


def tokenise(tokenizer: PreTrainedTokenizer, corpus: Sequence[CorpusText], data: Path) -> dict[str, int]:
    """Writes the token ids of all texts to ``data``; returns the tokens to train on by source."""
    sizes = {}
    for source, texts in train_texts_by_source(corpus).items():
        documents = Documents.of(token_ids(tokenizer, texts))
        documents.write(data, source)
        sizes[source] = int(documents.lengths.sum()) + len(documents)
    write_held_out({key: token_ids(tokenizer, texts) for key, texts in held_out_by_book(corpus).items()}, data)
    return sizes


def rows(spec: Spec, tokenizer: PreTrainedTokenizer) -> MixedTexts:
    """Returns the rows of the training that ``spec`` describes."""
    params, eos = Params.model_validate(spec.params), int(tokenizer.eos_token_id)
    documents = {source: Documents.read(spec.data, source) for source in SOURCES}
    weights = params.mixture.model_dump()
    return MixedTexts(documents, weights, eos, params.block_size, spec.rows, spec.seed, params.separate_documents)


def measure(spec: Spec, tokenizer: PreTrainedTokenizer) -> Measure | None:
    """Returns what measures the held-out texts; their perplexity over all books is the dev score."""
    texts = read_held_out(spec.data)
    if not any(texts.values()):
        return None

    def look(model: Any, step: int) -> Look:
        found = look_at(model, texts, spec.stage, step, spec.seed, spec.data)
        return Look(of_source(found, BOOK), found)

    return look


def in_words(source: str, drawn: Drawn) -> str:
    """Returns what is drawn from a source in words."""
    return f"{source} {drawn.share:.1%}, {drawn.texts:,} texts of {drawn.tokens:,} tokens in {drawn.passes:.2f} passes"


def n_steps(params: InjectionParams, corpus_tokens: int, ranks: int = 1) -> int:
    """Returns the optimiser steps that the wanted tokens or epochs take: at least one if any are wanted."""
    wanted = params.tokens if params.tokens is not None else (params.epochs or 0) * corpus_tokens
    return math.ceil(wanted / (ranks * step_tokens(params))) if wanted else 0


def step_tokens(params: Any) -> int:
    """Returns the tokens of one rank's optimiser step."""
    return int(params.block_size * params.batch_size * params.accumulation)


def token_ids(tokenizer: PreTrainedTokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Returns the token ids of texts, with no special token but the beginning-of-text one of models that know it."""
    if not texts:
        return []
    told = tokenizer(list(texts), add_special_tokens=False, verbose=False)  # packing cuts what is too long
    begin = [tokenizer.bos_token_id] if begins(tokenizer) else []
    return [[*begin, *ids] if ids else [] for ids in told["input_ids"]]


def check_texts(corpus: Sequence[CorpusText], params: InjectionParams) -> None:
    """Raises UserError if the corpus has no text to train on, or the mixture no part for what it has."""
    present = [source for source, texts in train_texts_by_source(corpus).items() if any(map(str.strip, texts))]
    if not present:
        raise UserError("knowledge_injection: the corpus has no text to train on: put books on the shelf")
    if not any(getattr(params.mixture, source) for source in present):
        said = ", ".join(present)
        raise UserError(f"knowledge_injection.injection.mixture: no part for {said}, and the corpus holds nothing else")


def check_positions(start: Checkpoint, block_size: int, name: str) -> None:
    """Raises UserError if a row is longer than what the model can read; ``name`` is that of the parameter."""
    longest = int(getattr(config_of(start), "max_position_embeddings", 0) or block_size)
    if block_size > longest:
        raise UserError(f"{name} is {block_size} tokens, but the model reads {longest} at most: lower it to {longest}")
