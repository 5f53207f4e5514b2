"""Instruction tuning: a model learns to answer, with other text replayed so that it forgets little."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import Conversation, CorpusText
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Plan, digest, finished
from med_small_lm.tuning.corpus import (
    BOOK,
    GENERAL,
    held_out_by_book,
    held_out_passages,
    train_texts,
    train_texts_by_source,
)
from med_small_lm.tuning.curve import Log, Look, Measure, Sample, no_log
from med_small_lm.tuning.examples import BLOCK, examples_of
from med_small_lm.tuning.held_out import look_at, read_held_out, write_held_out
from med_small_lm.tuning.injection import check_positions, token_ids
from med_small_lm.tuning.licences import licences_of
from med_small_lm.tuning.masking import PackedRows, pack
from med_small_lm.tuning.packing import Documents
from med_small_lm.tuning.perplexity import Text, losses, perplexity_of
from med_small_lm.tuning.replay import Mixture, replay_shares
from med_small_lm.tuning.stage import Spec, Stage, Trained, again, ranks_of
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer
from med_small_lm.tuning.weights import read_tokenizer

LOG = logging.getLogger(__name__)

STAGE = "tuning"
Params = TuneParams
DEV, SAMPLES = "dev", "samples.json"
LONGEST_REPLY = 64  # tokens of a sample


def tune(
    start: Checkpoint,
    conversations: Sequence[Conversation],
    corpus: Sequence[CorpusText],
    params: TuneParams,
    seed: int,
    folder: Path,
    log: Log = no_log,
    launch: Launch = Launch(),  # noqa: B008  frozen
) -> Trained:
    """Returns the tuned model's checkpoint in ``folder``, the curve of its training and its perplexities.

    Args:
        start: the checkpoint to start from.
        conversations: the examples; those of ``params.dev_share`` of the questions are the dev score's.
        corpus: the books' and the general ``train`` texts are replayed in their shares of all rows; the ``held_out``
            ones say what tuning forgets, so that no conversation on their passages is trained on.
        params: length, batches, what is under loss, replay, mode, optimiser.
        seed: of dev questions and of the order of examples and documents.
        folder: where the checkpoint goes; a finished one from the same inputs is returned as it is.
        log: called with metrics and their step as training goes.
        launch: where it runs.

    Raises:
        UserError: there is nothing to train on, or a row is longer than the model's positions.
        TrainingError: the loss is not a number any more, or memory is short.
        LaunchError: a rank failed.
    """
    plan = Plan(
        "tuned",
        {start.manifest.name: start.manifest.fingerprint},
        {"conversations": digest(conversations), "corpus": digest(corpus)},
        {**params.model_dump(mode="json"), "seed": seed, "ranks": ranks_of(launch)},
    )
    if done := finished(folder, plan):
        return again(done)
    draft = Draft(folder, plan)
    replays = params.replay_share or params.general_share
    licences = licences_of(conversations, corpus if replays else [], start.manifest.licences)
    stage = Stage(STAGE, draft, start, params, seed, launch, log, licences)
    check_positions(start, params.block_size, BLOCK)
    tokenizer = read_tokenizer(start.path)
    told = stage.prepare(lambda data: written(tokenizer, conversations, corpus, params, seed, data))
    steps = n_steps(params, told["rows"], told["replayed"], stage.ranks * params.batch_size * params.accumulation)
    mixed = rows(stage.spec(steps), tokenizer).drawn
    return stage.run(steps, {"rows": {kind: asdict(one) for kind, one in mixed.items()}, "examples": told["drawn"]})


def written(
    tokenizer: PreTrainedTokenizer,
    conversations: Sequence[Conversation],
    corpus: Sequence[CorpusText],
    params: TuneParams,
    seed: int,
    data: Path,
) -> dict[str, Any]:
    """Writes packed examples, texts to replay and dev examples to ``data``; returns what is there and was drawn."""
    examples = examples_of(tokenizer, conversations, params, seed, held_out_passages(corpus))
    packed = pack(examples.train, params.block_size, tokenizer.pad_token_id)
    packed.write(data)
    by_source = train_texts_by_source(corpus)
    texts = {
        source: Documents.of(token_ids(tokenizer, own))
        for source, own in {BOOK: by_source[BOOK] or train_texts(corpus), GENERAL: by_source[GENERAL]}.items()
    }
    for source, own in texts.items():
        own.write(data, source)
    write_held_out({key: token_ids(tokenizer, own) for key, own in held_out_by_book(corpus).items()}, data)
    write_dev(examples.dev, data)
    prompts = [sample_of(tokenizer, chat) for chat in examples.dev_conversations[: params.samples]]
    (data / SAMPLES).write_text(json.dumps(prompts), encoding="utf-8")
    return {
        "rows": len(packed),
        "replayed": sum(replay_shares(texts, shares_of(params)).values()),
        "drawn": {source: asdict(one) for source, one in examples.drawn.items()},
    }


def n_steps(params: TuneParams, rows: int, replayed: float, step_rows: int) -> int:
    """Returns the optimiser steps asked for: as many as said, or as the passes over the packed examples take.

    Args:
        params: steps or epochs.
        rows: rows of one pass over the examples.
        replayed: share of all rows that are books or general text.
        step_rows: rows of an optimiser step, of all ranks.
    """
    if params.steps is not None:
        return params.steps
    return math.ceil(round((params.epochs or 0) * rows / (1 - replayed) / step_rows, 6))


def rows(spec: Spec, tokenizer: PreTrainedTokenizer) -> Mixture:
    """Returns the rows of the training that ``spec`` describes."""
    shares = shares_of(Params.model_validate(spec.params))
    texts = {kind: Documents.read(spec.data, kind) for kind in shares}
    return Mixture(PackedRows.read(spec.data), texts, shares, int(tokenizer.eos_token_id), spec.rows, spec.seed)


def shares_of(params: TuneParams) -> dict[str, float]:
    """Returns the shares of the rows that are replayed, by source."""
    return {BOOK: params.replay_share, GENERAL: params.general_share}


def measure(spec: Spec, tokenizer: PreTrainedTokenizer) -> Measure | None:
    """Returns what measures replies to dev questions; at the start and the end the held-out texts as well."""
    dev, texts = read_dev(spec.data), read_held_out(spec.data)
    prompts = json.loads((spec.data / SAMPLES).read_text(encoding="utf-8"))
    if not dev and not any(texts.values()):
        return None

    def look(model: Any, step: int) -> Look:
        score = perplexity_of(losses(model, dev), spec.seed)[0] if dev else math.nan
        wanted = step in (0, spec.steps) or spec.params["publish"] == "best"
        found = look_at(model, texts, spec.stage, step, spec.seed, spec.data) if wanted else []
        return Look(score, found, [answered(model, tokenizer, step, **prompt) for prompt in prompts])

    return look


def write_dev(dev: Sequence[Any], data: Path) -> None:
    """Leaves dev examples in ``data``: token ids, and which of them are under loss."""
    Documents.of([example.input_ids for example in dev]).write(data, DEV)
    np.save(
        data / f"{DEV}.under_loss.npy", np.array([flag for example in dev for flag in example.under_loss], dtype=bool)
    )


def read_dev(data: Path) -> list[Text]:
    """Returns what ``write_dev`` left."""
    ids, flags = Documents.read(data, DEV), np.load(data / f"{DEV}.under_loss.npy")
    ends = np.cumsum(ids.lengths)
    return [Text(ids[n], flags[end - len(ids[n]) : end]) for n, end in enumerate(ends)]


def sample_of(tokenizer: PreTrainedTokenizer, chat: Conversation) -> dict[str, Any]:
    """Returns a conversation as a prompt that ends where its last reply begins, and that reply."""
    last = max(n for n, message in enumerate(chat.messages) if message.role == "assistant")
    before = [asdict(message) for message in chat.messages[:last]]
    ids = tokenizer.apply_chat_template(before, add_generation_prompt=True, tokenize=True, return_dict=True)[
        "input_ids"
    ]
    return {
        "ids": list(ids),
        "prompt": before[-1]["content"] if before else "",
        "expected": chat.messages[last].content,
    }


@torch.no_grad()
def answered(
    model: Any, tokenizer: PreTrainedTokenizer, step: int, ids: Sequence[int], prompt: str, expected: str
) -> Sample:
    """Returns the reply that a model writes to a prompt, or to the end of one that leaves no room for a reply."""
    mode = model.training
    model.eval()
    longest = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
    asked = torch.tensor([ids[-max(longest - LONGEST_REPLY, 1) :]], device=model.device)
    told = model.generate(
        input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=LONGEST_REPLY, do_sample=False,
        use_cache=True, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    model.train(mode)
    reply = tokenizer.decode(told[0, asked.shape[1] :], skip_special_tokens=True)
    return Sample(step, prompt, reply, expected)
