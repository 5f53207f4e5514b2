"""Packing: documents become rows of equal length, with nothing lost and nothing padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

Tokens: TypeAlias = NDArray[np.int64]
Features: TypeAlias = dict[str, torch.Tensor]

IGNORED = -100  # the label that carries no loss, in torch and transformers


class PackedTexts(Dataset[Features]):
    """Rows of ``block_size`` tokens cut from an endless stream of the documents, an end-of-text token after each.

    Each pass goes through all documents in an order of its own, drawn from the seed. Row ``i`` is found without
    reading the rows before it, so that a resumed run goes on where it stopped::

        documents   A = a a a      B = b b      C = c c c c      e = end of text

        pass 0 (C A B)                    pass 1 (B A C)
        c c c c e a a a e b b e           b b e a a a e c c c c e       every token of every pass
        |- row 0 -|- row 1 -|- row 2 ...                                stands in one row

        with separate = True, row 1 is        a a a e b     labels  x a a e x     a document's first token is not
                             position_ids     0 1 2 3 0                           predicted from another document
    """

    def __init__(
        self, documents: Sequence[Sequence[int]], eos: int, block_size: int, rows: int, seed: int, separate: bool
    ) -> None:
        """Take the documents as token ids.

        Args:
            documents: token ids of each; empty ones are left out.
            eos: the token put after each.
            block_size: tokens of a row.
            rows: how many rows the dataset has, however many passes that is.
            seed: of the order of each pass.
            separate: whether rows say where a document begins, so that the model attends within documents only.

        Raises:
            ValueError: there is no token to train on.
        """
        self._documents = [np.asarray([*document, eos], dtype=np.int64) for document in documents if len(document)]
        self.pass_tokens = sum(len(document) for document in self._documents)
        if rows and not self.pass_tokens:
            raise ValueError("there is no text to train on")
        self._block_size, self._rows, self._seed, self._separate = block_size, rows, seed, separate
        self._pass = lru_cache(maxsize=2)(self._make_pass)

    def __len__(self) -> int:
        """Number of rows."""
        return self._rows

    @property
    def texts(self) -> int:
        """Number of documents that begin in the rows, each counted once a pass."""
        passes, rest = divmod(self._rows * self._block_size, self.pass_tokens)
        return passes * len(self._documents) + (int(self._pass(passes)[1][:rest].sum()) if rest else 0)

    def __getitem__(self, row: int) -> Features:
        """Row ``row``: ``input_ids`` and ``labels`` [block_size], with ``separate`` also ``position_ids``."""
        if not 0 <= row < self._rows:
            raise IndexError(row)
        pieces = list(self._pieces(row * self._block_size, self._block_size))
        tokens = torch.from_numpy(np.concatenate([tokens for tokens, _ in pieces]))
        if not self._separate:
            return {"input_ids": tokens, "labels": tokens.clone()}
        starts = np.concatenate([starts for _, starts in pieces])
        labels = tokens.masked_fill(torch.from_numpy(starts), IGNORED)
        starts[0] = True
        return {"input_ids": tokens, "labels": labels, "position_ids": positions(starts)}

    def _pieces(self, start: int, wanted: int) -> Iterator[tuple[Tokens, NDArray[np.bool_]]]:
        """Stretches of the stream from token ``start`` on, and where documents begin in them."""
        while wanted:
            number, offset = divmod(start, self.pass_tokens)
            tokens, starts = self._pass(number)
            end = min(offset + wanted, self.pass_tokens)
            yield tokens[offset:end], starts[offset:end]
            start, wanted = start + end - offset, wanted - (end - offset)

    def _make_pass(self, number: int) -> tuple[Tokens, NDArray[np.bool_]]:
        """One pass over the documents in its own order, and where they begin."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._documents))
        told = [self._documents[place] for place in order]
        starts = np.zeros(self.pass_tokens, dtype=np.bool_)
        starts[np.cumsum([0, *(len(document) for document in told[:-1])])] = True
        return np.concatenate(told), starts


def positions(starts: NDArray[np.bool_]) -> torch.Tensor:
    """Position of each token in its own document, counted from 0 where ``starts`` is true (and at the row's start)."""
    places = np.arange(len(starts))
    begun = np.maximum.accumulate(np.where(starts, places, 0))
    return torch.from_numpy(places - begun)


def stack(rows: Sequence[Features]) -> Features:
    """A batch [rows, block_size] of rows of equal length; rows without position ids count from 0."""
    named = {key for row in rows for key in row}
    return {key: torch.stack([_feature(row, key) for row in rows]) for key in sorted(named)}


def _feature(row: Features, key: str) -> torch.Tensor:
    return row[key] if key in row else torch.arange(len(row["input_ids"]))
