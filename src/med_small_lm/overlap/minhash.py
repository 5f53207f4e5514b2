"""Near-duplicate texts: exact repeats first, then MinHash signatures, banded, and every pair checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from med_small_lm.overlap.normalise import words

Signatures = NDArray[np.uint32]

_CHUNK = 200_000  # shingles that are hashed at once: 128 permutations of them take 200 MB
_PAIRS_IN_A_BUCKET = 50  # a text of a large bucket is compared with so many before it


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a text repeats: the index of the first text of its group (its own where it is the first), and how alike
    the two are: 1 for equal words, else the Jaccard similarity of their shingles.
    """  # noqa: D205

    first: int
    similarity: float


def repeats(texts: Sequence[str], threshold: float = 0.9, shingle: int = 2, permutations: int = 128) -> list[Repeat]:
    """Return for each text the first text that it repeats.

    Two texts are near-duplicates if the Jaccard similarity of their sets of ``shingle`` words reaches ``threshold``.
    MinHash finds the candidates and the sets decide, so there are no false alarms; a repeat of a repeat belongs to the
    first one's group.
    """
    split = [words(text) for text in texts]
    firsts: dict[tuple[str, ...], int] = {}
    exact = [firsts.setdefault(tuple(own), place) for place, own in enumerate(split)]
    unique = [place for place, first in enumerate(exact) if place == first]
    sets = [shingles(split[place], shingle) for place in unique]
    group = list(range(len(unique)))
    for left, right in candidates(signatures(sets, permutations), threshold):
        if _root(group, left) != _root(group, right) and jaccard(sets[left], sets[right]) >= threshold:
            low, high = sorted((_root(group, left), _root(group, right)))
            group[high] = low
    near: dict[int, Repeat] = {}
    for n, place in enumerate(unique):
        root = _root(group, n)
        near[place] = Repeat(unique[root], 1.0 if root == n else jaccard(sets[n], sets[root]))
    return [near[first] if near[first].first != first else Repeat(first, 1.0) for first in exact]


def shingles(own: Sequence[str], size: int) -> NDArray[np.uint64]:
    """Return the sorted hashes of a text's runs of ``size`` words; of the whole text where it is shorter."""
    runs = {" ".join(own[n : n + size]) for n in range(max(len(own) - size + 1, 1))}
    hashes = [int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "little") for run in runs]
    return np.sort(np.asarray(hashes, dtype=np.uint64))


def jaccard(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """Return the Jaccard similarity of two sets of shingles."""
    common = len(np.intersect1d(left, right, assume_unique=True))
    return common / max(len(left) + len(right) - common, 1)


def signatures(sets: Sequence[NDArray[np.uint64]], permutations: int = 128, seed: int = 0) -> Signatures:
    """Return the MinHash signatures of sets of shingles, shape (texts, permutations).

    A permutation is multiply-shift hashing: the upper half of ``a * x + b`` modulo 2^64, ``a`` odd.
    """
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, 2**63, permutations, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = rng.integers(0, 2**63, permutations, dtype=np.uint64)
    out = np.empty((len(sets), permutations), dtype=np.uint32)
    for first, last in _chunks([len(own) for own in sets]):
        joined = np.concatenate(sets[first:last])
        starts = np.cumsum([0, *(len(own) for own in sets[first : last - 1])])
        for n in range(permutations):
            hashed = ((joined * factors[n] + shifts[n]) >> np.uint64(32)).astype(np.uint32)
            out[first:last, n] = np.minimum.reduceat(hashed, starts)
    return out


def candidates(signed: Signatures, threshold: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of texts, the earlier first, that agree in all of some band of their signatures.

    The bands are as narrow as finds 99 % of the pairs at the threshold.
    """
    rows = band_rows(signed.shape[1], threshold)
    seen: set[tuple[int, int]] = set()
    for start in range(0, signed.shape[1] - rows + 1, rows):
        band = np.ascontiguousarray(signed[:, start : start + rows])
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for place, key in enumerate(band):
            bucket = buckets[key.tobytes()]
            for other in bucket[:_PAIRS_IN_A_BUCKET]:
                if (other, place) not in seen:
                    seen.add((other, place))
                    yield other, place
            bucket.append(place)


def band_rows(permutations: int, threshold: float, found: float = 0.99) -> int:
    """Return the most rows of a band with which a pair at the threshold is found with probability ``found``."""
    fitting = [r for r in range(1, permutations + 1) if 1 - (1 - threshold**r) ** (permutations // r) >= found]
    return max(fitting, default=1)


def _chunks(lengths: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield ranges of texts that hold about as many shingles as are hashed at once."""
    first, held, place = 0, 0, -1
    for place, length in enumerate(lengths):
        if held and held + length > _CHUNK:
            yield first, place
            first, held = place, 0
        held += length
    if place >= first:
        yield first, place + 1


def _root(group: list[int], place: int) -> int:
    """Return the first of a text's group; the path to it is made shorter on the way."""
    while group[place] != place:
        group[place] = group[group[place]]
        place = group[place]
    return place
