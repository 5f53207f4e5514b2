"""Instruction tuning: a model learns to answer, with the books replayed beside so that it forgets nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.schemas.rows import Conversation, CorpusText
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Outcome, Plan, Row, digest, finished
from med_small_lm.tuning.corpus import BOOK, train_texts, train_texts_by_source
from med_small_lm.tuning.curve import Curve, Log, no_log
from med_small_lm.tuning.injection import check_positions, step_tokens, token_ids
from med_small_lm.tuning.licences import licences_of
from med_small_lm.tuning.masking import encode, pack
from med_small_lm.tuning.packing import Features, PackedTexts
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer
from med_small_lm.tuning.trainer import Loop, train
from med_small_lm.tuning.weights import load, save


def tune(
    start: Checkpoint,
    conversations: Sequence[Conversation],
    corpus: Sequence[CorpusText],
    params: TuneParams,
    seed: int,
    folder: Path,
    log: Log = no_log,
) -> tuple[Checkpoint, list[Row]]:
    """Returns the tuned model's checkpoint in ``folder`` and the curve of its training.

    Args:
        start: the checkpoint to start from.
        conversations: the examples; loss is taken on the assistant's turns alone.
        corpus: the books' ``train`` texts are replayed, ``params.replay_share`` of all rows.
        params: length, batches, replay, optimiser.
        seed: of the order of examples and documents.
        folder: where the checkpoint goes; a finished one from the same inputs is returned as it is.
        log: called with metrics and their step as training goes.

    Raises:
        ValueError: there is nothing to train on, or a row is longer than the model's positions.
        TrainingError: the loss is not a number any more.
    """
    plan = Plan(
        "tuned",
        {start.manifest.name: start.manifest.fingerprint},
        {"conversations": digest(conversations), "corpus": digest(corpus if params.replay_share else [])},
        {**params.model_dump(mode="json"), "seed": seed},
    )
    if done := finished(folder, plan):
        return done, done.history()
    draft, began = Draft(folder, plan), time.perf_counter()
    model, tokenizer = load(start)
    curve = Curve("tuning", step_tokens(params), log, [], 0)
    if params.steps:
        check_positions(model, params.block_size)
        rows = mixture(tokenizer, conversations, corpus, params, seed)
        train(model, rows, Loop("tuning", params.steps, params, params.optimiser, seed), draft.work, curve)
    save(model, tokenizer, draft.path)
    spent = time.perf_counter() - began
    licences = licences_of(conversations, corpus if params.replay_share else [], start.manifest.licences)
    outcome = Outcome(
        params.steps * step_tokens(params), params.steps, curve.final_loss, spent, licences=licences
    )  # fmt: skip
    return draft.publish(outcome, curve.rows), curve.rows


def mixture(
    tokenizer: PreTrainedTokenizer,
    conversations: Sequence[Conversation],
    corpus: Sequence[CorpusText],
    params: TuneParams,
    seed: int,
) -> Mixture:
    """Returns the rows of the whole training: packed examples and, beside them, packed books."""
    examples = pack(encode(tokenizer, conversations), params.block_size, tokenizer.pad_token_id)
    n = params.steps * params.batch_size * params.accumulation
    texts = train_texts_by_source(corpus)[BOOK] or train_texts(corpus)
    documents = token_ids(tokenizer, texts) if params.replay_share else []
    books = PackedTexts(
        documents, tokenizer.eos_token_id, params.block_size, replayed(n, params.replay_share), seed, separate=False
    )
    return Mixture(examples, books, n, params.replay_share, seed)


def replayed(rows: int, share: float) -> int:
    """Returns how many of the first ``rows`` rows are books: spread evenly, so that every batch has its part."""
    return int(rows * share + 1e-9)


class Mixture(Dataset[Features]):
    """Rows of examples and of books in turn; each pass over the examples goes in an order of its own.

    ::

    share 0.5      E B E B E B E B | E B E B ...      E examples, B books, | end of a batch
    share 0.25     E E E B E E E B | ...
    """

    def __init__(self, examples: Sequence[Features], books: PackedTexts, rows: int, share: float, seed: int) -> None:
        """Take both kinds of rows, how many there are to be in all, and the share of books."""
        self._examples, self._books, self._rows, self._share, self._seed = examples, books, rows, share, seed

    def __len__(self) -> int:
        """Number of rows."""
        return self._rows

    def __getitem__(self, row: int) -> Features:
        """Row ``row``, the same whatever was read before."""
        if not 0 <= row < self._rows:
            raise IndexError(row)
        book = replayed(row, self._share)
        if replayed(row + 1, self._share) > book:
            return self._books[book]
        number, place = divmod(row - book, len(self._examples))
        order = np.random.default_rng([self._seed, number]).permutation(len(self._examples))
        return self._examples[int(order[place])]
