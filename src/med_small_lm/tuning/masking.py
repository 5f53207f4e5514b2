"""Conversations as tokens, with the loss on the assistant's turns alone, and packed into rows of equal length."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias

import datasets
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from med_small_lm.errors import UserError
from med_small_lm.schemas.rows import Conversation
from med_small_lm.tuning.packing import IGNORED, Features, positions
from med_small_lm.tuning.templates import reply_mask, write
from med_small_lm.tuning.tokenizer import PreTrainedTokenizer

LOG = logging.getLogger(__name__)

Loss: TypeAlias = Literal["responses", "all"]
Packed: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
AT_ONCE = 1_000
"""Conversations that are tokenised together: bounds the memory of what the tokenizer returns."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A conversation as token ids, and which of them carry loss: the assistant's words and the end of the turn."""

    input_ids: NDArray[np.int32]
    under_loss: NDArray[np.bool_]


def encode(
    tokenizer: PreTrainedTokenizer,
    conversations: Sequence[Conversation],
    loss: Loss = "responses",
    cut_to: int | None = None,
) -> list[Encoded]:
    """Returns the conversations as tokens of the text that the chat template writes.

    Args:
        tokenizer: with a chat template that has generation markers.
        conversations: the examples.
        loss: which tokens are under loss: the assistant's, or all (MedAlpaca, ``train_on_inputs``).
        cut_to: most tokens; a longer example ends after the last whole word that fits. None: no limit.

    Raises:
        UserError: an example has no assistant's token, so nothing could be learnt from it.
    """
    return [
        example
        for first in range(0, len(conversations), AT_ONCE)
        for example in _encoded(tokenizer, conversations[first : first + AT_ONCE], loss, cut_to)
    ]


def _encoded(
    tokenizer: PreTrainedTokenizer, conversations: Sequence[Conversation], loss: Loss, cut_to: int | None
) -> Iterator[Encoded]:
    """Yields a few conversations as tokens."""
    written = write(
        tokenizer, [[{"role": m.role, "content": m.content} for m in one.messages] for one in conversations]
    )
    told = tokenizer(
        [one.text for one in written], add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    for conversation, one, tokens, offsets in zip(
        conversations, written, told["input_ids"], told["offset_mapping"], strict=True
    ):
        ids = np.asarray(tokens, dtype=np.int32)
        replies = reply_mask(one, offsets)
        if not replies.any():
            raise UserError(
                f"conversations: {conversation.example_id} of {conversation.source} has no assistant's turn to learn "
                "from: give it a reply, or leave it out of its file"
            )
        size = len(ids) if cut_to is None else _whole_words(tokenizer, one.text, tokens, offsets, cut_to)
        under_loss = replies if loss == "responses" or not replies[:size].any() else np.ones_like(replies)
        yield Encoded(ids[:size], under_loss[:size])


def _whole_words(
    tokenizer: PreTrainedTokenizer, text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]], most: int
) -> int:
    """Returns how many of the tokens, ``most`` at most, end where a word or a turn ends."""
    if len(ids) <= most:
        return len(ids)
    special = set(tokenizer.all_special_ids)
    for size in range(most, 0, -1):
        end, start = offsets[size - 1][1], offsets[size][0]
        if ids[size - 1] in special or ids[size] in special or start > end or text[end : start + 1].isspace():
            return size
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class PackedRows(Dataset[Features]):
    """Rows of whole examples; a row's padding is an example of its own.

    ::

        input_ids      u u A A e u u u A e . .      u user, A assistant, e end of turn, . padding
        under_loss     - - x x x - - - x x - -      an example's first token never: nothing stands before it
        starts         x - - - - x - - - - x -      where an example begins
        position_ids   0 1 2 3 4 0 1 2 3 4 0 1      a fall to 0 parts the examples: none attends to another

    Attributes:
        input_ids: [rows, block_size]
        under_loss: [rows, block_size], which tokens are learnt.
        starts: [rows, block_size]
    """

    input_ids: NDArray[np.int32]
    under_loss: NDArray[np.bool_]
    starts: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.input_ids)

    def __getitem__(self, row: int) -> Features:
        """Row ``row``: ``input_ids``, ``labels`` and ``position_ids`` [block_size]."""
        tokens = torch.from_numpy(self.input_ids[row].astype(np.int64))
        labels = tokens.masked_fill(torch.from_numpy(~self.under_loss[row]), IGNORED)
        return {"input_ids": tokens, "labels": labels, "position_ids": positions(self.starts[row])}

    def write(self, folder: Path) -> None:
        """Leaves the rows in ``folder``, a file an array."""
        folder.mkdir(parents=True, exist_ok=True)
        for one in fields(self):
            np.save(folder / f"{one.name}.npy", getattr(self, one.name))

    @classmethod
    def read(cls, folder: Path) -> PackedRows:
        """Returns the rows in ``folder``; what is asked for is read when it is asked for."""
        return cls(*(np.load(folder / f"{one.name}.npy", mmap_mode="r") for one in fields(cls)))


def pack(encoded: Sequence[Encoded], block_size: int, pad: int) -> PackedRows:
    """Returns rows of ``block_size`` tokens, whole examples in each, put together by TRL's best fit.

    Raises:
        ValueError: there is no example, or one is longer than a row.
    """
    if not encoded:
        raise ValueError("there is no training example to pack")
    sizes = np.asarray([len(example.input_ids) for example in encoded], dtype=np.int64)
    if sizes.max() > block_size:
        raise ValueError(f"an example of {sizes.max()} tokens does not fit into rows of {block_size}")
    packed = _best_fit(encoded, sizes, block_size)
    shape = (len(packed), block_size)
    rows = PackedRows(np.full(shape, pad, np.int32), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_))
    for row, (ids, flags, lengths) in enumerate(packed):
        n = len(ids)
        rows.input_ids[row, :n], rows.under_loss[row, :n] = ids, flags
        starts = np.cumsum([0, *lengths])  # the last of them is that of the padding
        rows.starts[row, starts[starts < block_size]] = True
    rows.under_loss[rows.starts] = False
    LOG.info("%d examples packed into %d rows of %d tokens, %.1f %% filled",
             len(encoded), len(rows), block_size, 100 * sizes.sum() / rows.input_ids.size)  # fmt: skip
    return rows


def _best_fit(encoded: Sequence[Encoded], sizes: NDArray[np.int64], block_size: int) -> list[Packed]:
    """Returns token ids, flags and lengths of the examples of each row."""
    from trl import pack_dataset

    bounds = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int64())
    columns = {
        "input_ids": np.concatenate([example.input_ids for example in encoded]).astype(np.int32),
        "under_loss": np.concatenate([example.under_loss for example in encoded]).astype(np.int8),
    }
    lists = {name: pa.LargeListArray.from_arrays(bounds, pa.array(values)) for name, values in columns.items()}
    shown = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        one = {"batch_size": len(encoded), "keep_in_memory": True}  # all at once: fewer gaps than batch by batch
        table = pack_dataset(datasets.Dataset(pa.table(lists)), block_size, "bfd", map_kwargs=one).data.table
    finally:
        if not shown:
            datasets.enable_progress_bars()
    return list(zip(*(_arrays(table[name]) for name in (*columns, "seq_lengths")), strict=True))


def _arrays(column: pa.ChunkedArray) -> list[NDArray[np.int64]]:
    """Returns a column of lists as views of one array."""
    lists = column.combine_chunks()
    return np.split(lists.flatten().to_numpy(), np.cumsum(lists.value_lengths().to_numpy())[:-1])
