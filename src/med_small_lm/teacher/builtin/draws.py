"""Draws that a seed decides: the same arguments give the same result on any machine, in any process."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(*parts: object) -> int:
    """Return a number that the parts decide."""
    return zlib.crc32("\x1f".join(str(part) for part in parts).encode())


def shuffled(items: Sequence[T], *parts: object) -> list[T]:
    """Return the items in an order that the parts decide."""
    # random.Random would take longer to seed than the whole draw: lists are short and draws are many.
    state, order = number(*parts), list(items)
    for last in range(len(order) - 1, 0, -1):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        other = (state >> 33) % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order
