"""Conversations as tokens, with the loss on the assistant's turns alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import datasets
import numpy as np
import torch

from med_small_lm.schemas.rows import Conversation
from med_small_lm.tuning.packing import IGNORED, Features, positions
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as token ids, and which of them carry loss: the assistant's words and the end of the turn."""

    input_ids: list[int]
    assistant: list[bool]


def encode(tokenizer: PreTrainedTokenizer, conversations: Sequence[Conversation]) -> list[Encoded]:
    """Returns the conversations as the chat template writes them; the mask is what stands between its markers.

    Raises:
        ValueError: an example has no assistant's token, so nothing could be learnt from it.
    """
    if not conversations:
        return []
    chats = [[{"role": m.role, "content": m.content} for m in example.messages] for example in conversations]
    told = tokenizer.apply_chat_template(chats, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    masks = [[bool(flag) for flag in mask] for mask in told["assistant_masks"]]
    for example, mask in zip(conversations, masks, strict=True):
        if not any(mask):
            raise ValueError(f"example {example.example_id} has no assistant's turn to learn from")
    return [Encoded(list(ids), mask) for ids, mask in zip(told["input_ids"], masks, strict=True)]


def pack(encoded: Sequence[Encoded], block_size: int, pad: int) -> list[Features]:
    """Returns rows of ``block_size`` tokens, whole examples in each, put together by TRL's best fit.

    ::

        input_ids      u u A A e u u u A e . .      u user, A assistant, e end of turn, . padding
        labels         - - A A e - - - A e - -      - no loss
        position_ids   0 1 2 3 4 0 1 2 3 4 0 1      a fall to 0 parts the examples: none attends to another

    Examples longer than a row are left out and counted in the log, not cut: a cut reply teaches not to end.

    Raises:
        ValueError: no example fits.
    """
    fitting = [example for example in encoded if len(example.input_ids) <= block_size]
    if len(fitting) < len(encoded):
        LOG.warning("%d of %d examples are longer than %d tokens and left out", len(encoded) - len(fitting),
                    len(encoded), block_size)  # fmt: skip
    if not fitting:
        raise ValueError(f"no training example fits into {block_size} tokens")
    packed = _best_fit(fitting, block_size)
    return [_row(ids, mask, lengths, block_size, pad) for ids, mask, lengths in packed]


def _best_fit(fitting: Sequence[Encoded], block_size: int) -> list[tuple[list[int], list[int], list[int]]]:
    """Returns token ids, mask and lengths of the examples of each row."""
    from trl import pack_dataset

    flags = [[int(flag) for flag in example.assistant] for example in fitting]
    columns = {"input_ids": [example.input_ids for example in fitting], "assistant": flags}
    shown = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        one = {"batch_size": len(fitting)}  # all at once: fewer gaps than batch by batch
        rows = pack_dataset(datasets.Dataset.from_dict(columns), block_size, "bfd", map_kwargs=one)[:]
    finally:
        if not shown:
            datasets.enable_progress_bars()
    return list(zip(rows["input_ids"], rows["assistant"], rows["seq_lengths"], strict=True))


def _row(ids: list[int], mask: list[int], lengths: list[int], block_size: int, pad: int) -> Features:
    """Returns one row, filled up with padding that is an example of its own."""
    gap = block_size - len(ids)
    tokens = torch.tensor([*ids, *[pad] * gap])
    starts = np.zeros(block_size, dtype=np.bool_)
    starts[[0, *(place for place in np.cumsum(lengths) if place < block_size)]] = True
    labels = torch.tensor([token if flag else IGNORED for token, flag in zip(ids, mask, strict=True)] + [IGNORED] * gap)
    return {"input_ids": tokens, "labels": labels, "position_ids": positions(starts)}
