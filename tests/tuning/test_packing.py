"""The packer loses nothing, repeats nothing, and can be entered at any row."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.packing import IGNORED, PackedTexts, stack
from med_small_lm.tuning.weights import load

EOS = 1
DOCUMENTS = st.lists(st.lists(st.integers(2, 90), max_size=9), min_size=1, max_size=6).filter(any)


def split(tokens: list[int]) -> list[tuple[int, ...]]:
    """The documents of a stream of tokens."""
    found, current = [], []
    for token in tokens:
        if token == EOS:
            found.append(tuple(current))
            current = []
        else:
            current.append(token)
    return found


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.integers(1, 12), st.integers(0, 3), st.booleans())
def test_every_pass_holds_every_document_once(
    documents: list[list[int]], block: int, seed: int, separate: bool
) -> None:
    total = sum(len(d) + 1 for d in documents if d)
    rows = -(-3 * total // block)
    packed = PackedTexts(documents, EOS, block, rows, seed, separate)
    stream = [int(token) for row in range(rows) for token in packed[row]["input_ids"]]
    for number in range(3):
        told = split(stream[number * total : (number + 1) * total])
        assert sorted(told) == sorted(tuple(d) for d in documents if d)


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, st.integers(1, 12), st.integers(0, 20))
def test_a_row_is_the_same_whatever_was_read_before(documents: list[list[int]], block: int, row: int) -> None:
    fresh, used = (PackedTexts(documents, EOS, block, 21, 0, False) for _ in range(2))
    for other in range(21):
        used[other]
    assert fresh[row]["input_ids"].tolist() == used[row]["input_ids"].tolist()


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS, st.integers(2, 12))
def test_separate_rows_say_where_documents_begin(documents: list[list[int]], block: int) -> None:
    packed = PackedTexts(documents, EOS, block, 8, 0, True)
    before = EOS
    for n in range(8):
        row = packed[n]
        for place, (token, position) in enumerate(zip(row["input_ids"], row["position_ids"], strict=True)):
            begins = before == EOS
            assert (int(position) == 0) == (begins or place == 0)
            assert int(row["labels"][place]) == (IGNORED if begins else int(token))
            before = int(token)


def test_passes_differ_and_the_seed_decides_them() -> None:
    documents = [[n, n] for n in range(2, 40)]
    first, same, other = (PackedTexts(documents, EOS, 114, 2, seed, False) for seed in (0, 0, 1))
    assert first[0]["input_ids"].tolist() == same[0]["input_ids"].tolist() != other[0]["input_ids"].tolist()
    assert first[0]["input_ids"].tolist() != first[1]["input_ids"].tolist()


def test_separate_documents_are_read_as_if_alone(base: Checkpoint) -> None:
    model, _ = load(base)
    documents = [list(np.random.default_rng(n).integers(6, 90, 7 + n)) for n in range(3)]
    row = stack([PackedTexts(documents, EOS, 27, 1, 0, True)[0]])
    with torch.no_grad():
        together = model.eval()(input_ids=row["input_ids"], position_ids=row["position_ids"], use_cache=False).logits[0]
        places = [0, *torch.nonzero(row["input_ids"][0] == EOS).flatten().add(1).tolist()]
        for start, end in zip(places, places[1:], strict=False):
            alone = model(input_ids=row["input_ids"][:, start:end], use_cache=False).logits[0]
            assert torch.allclose(together[start:end], alone, atol=1e-5)
