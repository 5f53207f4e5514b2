"""Packing: documents become rows of equal length, with nothing lost and nothing padded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

Tokens: TypeAlias = NDArray[np.int64]
Features: TypeAlias = dict[str, torch.Tensor]

IGNORED = -100  # the label that carries no loss, in torch and transformers


class Documents(Sequence[Tokens]):
    """The token ids of many texts, one behind the other in one array; read from disk piece by piece as it is needed."""

    def __init__(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        """Take all tokens, and where each text ends among them."""
        self._tokens, self._ends = tokens, ends
        self._starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)

    @classmethod
    def of(cls, texts: Iterable[Sequence[int]]) -> Documents:
        """Returns texts given as token ids; empty ones are left out."""
        arrays = [np.asarray(text, dtype=np.int32) for text in texts if len(text)]
        tokens = np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int32)
        return cls(tokens, np.cumsum([len(array) for array in arrays], dtype=np.int64))

    def write(self, folder: Path, name: str) -> None:
        """Leaves the texts in ``folder`` under ``name``."""
        np.save(folder / f"{name}.npy", self._tokens)
        np.save(folder / f"{name}.ends.npy", self._ends)

    @classmethod
    def read(cls, folder: Path, name: str) -> Documents:
        """Returns what ``write`` left, mapped into memory."""
        return cls(np.load(folder / f"{name}.npy", mmap_mode="r"), np.load(folder / f"{name}.ends.npy"))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return self._ends - self._starts

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> Tokens: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tokens]: ...
    def __getitem__(self, place: int | slice) -> Tokens | Sequence[Tokens]:
        """The token ids of one text, or of several."""
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        return np.asarray(self._tokens[self._starts[place] : self._ends[place]], dtype=np.int64)


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
        self,
        documents: Documents | Iterable[Sequence[int]],
        eos: int,
        block_size: int,
        rows: int,
        seed: int,
        separate: bool,
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
        self._documents = documents if isinstance(documents, Documents) else Documents.of(documents)
        self._eos = np.asarray([eos], dtype=np.int64)
        self.pass_tokens = int(self._documents.lengths.sum()) + len(self._documents)
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
        passes, rest = divmod(self._rows * self._block_size, max(self.pass_tokens, 1))
        begun = int(np.searchsorted(self._pass(passes)[1][:-1], rest)) if rest else 0
        return passes * len(self._documents) + begun

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
        """Stretches of the stream from token ``start`` on, each of one document, and where documents begin in them."""
        while wanted:
            number, offset = divmod(start, self.pass_tokens)
            order, starts = self._pass(number)
            place = int(np.searchsorted(starts, offset, side="right")) - 1
            skipped = offset - int(starts[place])
            tokens = np.concatenate([self._documents[int(order[place])], self._eos])[skipped : skipped + wanted]
            begins = np.zeros(len(tokens), dtype=np.bool_)
            begins[0] = skipped == 0
            yield tokens, begins
            start, wanted = start + len(tokens), wanted - len(tokens)

    def _make_pass(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The order of the documents in one pass, and where each begins in it; last, where the pass ends."""
        order = np.random.default_rng([self._seed, number]).permutation(len(self._documents))
        return order, np.concatenate([[0], np.cumsum(self._documents.lengths[order] + 1)]).astype(np.int64)


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
