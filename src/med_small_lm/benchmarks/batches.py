"""Batches of token sequences of about one length, and the padding that makes tensors of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch


def batches(
    sizes: Sequence[int], tokens: int, rows: int = 1024, widths: Sequence[int] | None = None
) -> Iterator[list[int]]:
    """Yields lists of indices, the longest sequences first, so that one that does not fit memory fails at once.

    Args:
        sizes: the tokens of each entry, over all its rows.
        tokens: most tokens of a batch, every entry counted at the size of its largest; an entry above goes alone.
        rows: most entries of a batch.
        widths: what the entries of a batch are padded to the longest of; their sizes unless it is said.
    """
    widths = sizes if widths is None else widths
    order = sorted(range(len(sizes)), key=lambda index: (-widths[index], -sizes[index], index))
    batch: list[int] = []
    largest = 0
    for index in order:
        largest = max(largest, sizes[index])
        if batch and (len(batch) >= rows or largest * (len(batch) + 1) > tokens):
            yield batch
            batch, largest = [], sizes[index]
        batch.append(index)
    if batch:
        yield batch


def pad(
    rows: Sequence[Sequence[int]], side: Literal["left", "right"], filler: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns token ids and mask, both [rows, longest] of int64; the mask is 1 on tokens and 0 on padding."""
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), filler, dtype=torch.int64)
    mask = torch.zeros((len(rows), width), dtype=torch.int64)
    for number, row in enumerate(rows):
        place = slice(width - len(row), width) if side == "left" else slice(0, len(row))
        ids[number, place] = torch.tensor(row, dtype=torch.int64)
        mask[number, place] = 1
    return ids.to(device), mask.to(device)
