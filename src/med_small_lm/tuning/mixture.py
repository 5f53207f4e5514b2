"""The mixture of sources: rows of books, papers and general text in a set ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from med_small_lm.tuning.packing import Documents, Features, PackedTexts


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a training draws from one source: texts begun, tokens, share of all tokens, passes over the source."""

    texts: int
    tokens: int
    share: float
    passes: float


class MixedTexts(Dataset[Features]):
    """Rows of ``block_size`` tokens, each from one source, the sources in their shares wherever one looks.

    ::

        books 15, papers 4, general text 1      B B P B B B B P B B G B P B B B B P B B | B B P ...

    Each source is an endless stream of its own (``PackedTexts``): a pass holds each of its texts once, in an order
    drawn for that pass. A source that is too small for its share is repeated in whole passes; of one that is plenty,
    each epoch gets a fresh part. With one source the rows are that source's, in its order.
    """

    def __init__(
        self,
        documents: Mapping[str, Documents | Sequence[Sequence[int]]],
        weights: Mapping[str, float],
        eos: int,
        block_size: int,
        rows: int,
        seed: int,
        separate: bool,
    ) -> None:
        """Take each source's documents as token ids, and the parts in which the sources stand to each other.

        Args:
            documents: token ids of each text, by source; the first source that has a token is the leading one.
            weights: parts of the mixture by source; those of absent sources fall to the others in proportion.
            eos: the token put after each document.
            block_size: tokens of a row.
            rows: how many rows the dataset has.
            seed: of the order of texts and rows.
            separate: whether rows say where a document begins.

        Raises:
            ValueError: there is no token to train on.
        """
        shares = shares_of(weights, {name for name, texts in documents.items() if any(map(len, texts))})
        if rows and not shares:
            raise ValueError("there is no text to train on")
        counts = row_counts([*shares.values()], rows)
        self._which, self._place = schedule(counts, seed)
        self._streams = [
            PackedTexts(documents[name], eos, block_size, n, seed, separate)
            for name, n in zip(shares, counts, strict=True)
        ]
        self.drawn = {
            name: Drawn(stream.texts, n * block_size, n / max(rows, 1), n * block_size / stream.pass_tokens)
            for name, n, stream in zip(shares, counts, self._streams, strict=True)
        }

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._which)

    def __getitem__(self, row: int) -> Features:
        """Row ``row``, the same whatever was read before."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        stream: PackedTexts = self._streams[self._which[row]]
        return stream[int(self._place[row])]


def shares_of(weights: Mapping[str, float], present: set[str]) -> dict[str, float]:
    """Returns the share of each present source, in the order of ``weights``; 1 in all, none for a weight of 0."""
    told = {name: weight for name, weight in weights.items() if name in present and weight > 0}
    return {name: weight / sum(told.values()) for name, weight in told.items()}


def epoch_tokens(sizes: Mapping[str, int], weights: Mapping[str, float]) -> int:
    """Returns the tokens of one epoch: all of the leading source once (books, where there are any), and beside them
    the others in their shares.

    Args:
        sizes: tokens of each source.
        weights: parts of the mixture by source.
    """  # noqa: D205
    shares = shares_of(weights, {name for name, size in sizes.items() if size})
    return math.ceil(round(sizes[lead] / shares[lead], 6)) if (lead := next(iter(shares), "")) else 0


def row_counts(shares: Sequence[float], rows: int) -> list[int]:
    """Returns the rows of each source: within one of its share, rounded up for the first, so that no book falls out."""
    bounds = np.ceil(np.cumsum(shares) * rows - 1e-6).astype(int)
    return [int(n) for n in np.diff(bounds, prepend=0)]


def schedule(counts: Sequence[int], seed: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Returns, for each row, which source it is of and the how manieth of that source.

    Each source's rows are spread evenly over the whole, from a start of its own that the seed draws.
    """
    starts = np.random.default_rng(seed).random(len(counts))
    times = [(np.arange(n) + start) / n for n, start in zip(counts, starts, strict=True) if n]
    sources = [np.full(n, source, dtype=np.int8) for source, n in enumerate(counts) if n]
    places = [np.arange(n) for n in counts if n]
    if not times:
        return np.zeros(0, dtype=np.int8), np.zeros(0, dtype=np.int64)
    order = np.argsort(np.concatenate(times), kind="stable")
    return np.concatenate(sources)[order], np.concatenate(places)[order]
