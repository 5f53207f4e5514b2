from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.overlap.minhash import Repeat, band_rows, candidates, jaccard, repeats, shingles, signatures

VOCABULARY = [f"w{n}" for n in range(400)]


def test_exact_repeats_are_found_whatever_their_case_and_punctuation() -> None:
    found = repeats(["The thymus, of course.", "Another text altogether here", "the THYMUS of course"])
    assert found == [Repeat(0, 1.0), Repeat(1, 1.0), Repeat(0, 1.0)]


def test_planted_near_duplicates_are_found_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(VOCABULARY, 60)) for _ in range(300)]
    changed = []
    for text in texts[:100]:
        own = text.split()
        own[int(rng.integers(60))] = "changed"
        changed.append(" ".join(own))
    found = repeats([*texts, *changed], threshold=0.9)
    assert [repeat.first for repeat in found[:300]] == list(range(300))
    assert sum(repeat.first == n for n, repeat in enumerate(found[300:])) >= 98
    assert all(repeat.first in (n, 300 + n) for n, repeat in enumerate(found[300:]))


def test_the_similarity_is_estimated_as_the_signatures_promise() -> None:
    rng = np.random.default_rng(1)
    sets = [shingles(list(rng.choice(VOCABULARY[:60], 40)), 1) for _ in range(40)]
    signed = signatures(sets, permutations=256)
    errors = [
        abs(float((signed[a] == signed[b]).mean()) - jaccard(sets[a], sets[b])) for a, b in combinations(range(40), 2)
    ]
    assert np.mean(errors) < 0.03


def test_bands_find_pairs_at_the_threshold() -> None:
    for threshold in (0.5, 0.8, 0.9):
        rows = band_rows(128, threshold)
        assert 1 - (1 - threshold**rows) ** (128 // rows) >= 0.99
    assert band_rows(128, 0.95) > band_rows(128, 0.5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join), max_size=12))
def test_groups_are_closed_and_their_first_comes_first(texts: list[str]) -> None:
    found = repeats(texts, threshold=0.8)
    assert len(found) == len(texts)
    for place, repeat in enumerate(found):
        assert repeat.first <= place
        assert found[repeat.first].first == repeat.first
        if texts[place] in texts[:place]:
            assert repeat.first != place


def test_a_large_bucket_does_not_grow_quadratically() -> None:
    signed = np.zeros((2_000, 128), dtype=np.uint32)
    assert sum(1 for _ in candidates(signed, 0.9)) <= 2_000 * 50
