"""The rows of a tuning: examples, and beside them books and general text again, so that less is forgotten."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from med_small_lm.tuning.masking import PackedRows
from med_small_lm.tuning.mixture import row_counts, schedule
from med_small_lm.tuning.packing import Documents, Features, PackedTexts

LOG = logging.getLogger(__name__)

EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class DrawnRows:
    """What a training draws of one kind: rows, tokens (padding among them), share of all rows, passes over the kind."""

    rows: int
    tokens: int
    share: float
    passes: float


class Mixture(Dataset[Features]):
    """Rows of examples and of replayed text in turn; each pass over the examples goes in an order of its own.

    ::

        books 0.5                 E B E B E B E B | E B E B ...      E examples, B books, G general text,
        books 0.25, general 0.25  E B E G E B E G | ...              | end of a batch

    Attributes:
        drawn: what is drawn of each kind.
    """

    def __init__(
        self,
        examples: PackedRows,
        texts: Mapping[str, Documents],
        shares: Mapping[str, float],
        eos: int,
        rows: int,
        seed: int,
    ) -> None:
        """Take the examples and the texts that are replayed beside them.

        Args:
            examples: one pass over them.
            texts: of each replayed kind.
            shares: of each kind among all rows; see ``replay_shares`` for what there is none of.
            eos: the token put after each text.
            rows: how many rows the dataset has.
            seed: of the order of examples, texts and kinds.

        Raises:
            ValueError: there are no examples.
        """
        if rows and not len(examples):
            raise ValueError("there is no example to train on")
        kept = replay_shares(texts, shares)
        counts = row_counts([1 - sum(kept.values()), *kept.values()], rows)
        block = examples.input_ids.shape[1]
        self._examples, self._seed = examples, seed
        self._replayed = [
            PackedTexts(texts[kind], eos, block, n, seed, separate=False)
            for kind, n in zip(kept, counts[1:], strict=True)
        ]
        self._which, self._place = schedule(counts, seed)
        self._order = lru_cache(maxsize=2)(self._make_order)
        passes = [examples.input_ids.size, *(one.pass_tokens for one in self._replayed)]
        self.drawn = {
            kind: DrawnRows(n, n * block, n / max(rows, 1), n * block / size)
            for kind, n, size in zip((EXAMPLES, *kept), counts, passes, strict=True)
        }

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._which)

    def __getitem__(self, row: int) -> Features:
        """Row ``row``, the same whatever was read before."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        which, place = int(self._which[row]), int(self._place[row])
        if which:
            return self._replayed[which - 1][place]
        number, place = divmod(place, len(self._examples))
        return self._examples[int(self._order(number)[place])]

    def _make_order(self, number: int) -> NDArray[np.int64]:
        """The order of the examples' rows in one pass."""
        return np.random.default_rng([self._seed, number]).permutation(len(self._examples))


def replay_shares(texts: Mapping[str, Documents], shares: Mapping[str, float]) -> dict[str, float]:
    """Returns the shares of the kinds that there is text of; what the others had are examples, and the log says so."""
    absent = [kind for kind, share in shares.items() if share and not len(texts.get(kind, ()))]
    if absent:
        LOG.info("tuning: the corpus has nothing to replay of %s, so that its rows are examples", ", ".join(absent))
    return {kind: share for kind, share in shares.items() if share and kind not in absent}
