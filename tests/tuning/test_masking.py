"""Loss falls on the assistant's words and the end of the turn, and packed examples do not see each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.errors import UserError
from med_small_lm.schemas.rows import Conversation, Message
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.masking import Encoded, PackedRows, encode, pack
from med_small_lm.tuning.packing import IGNORED, stack
from med_small_lm.tuning.tokenizer import train_tokenizer
from med_small_lm.tuning.weights import load

PAD = 0
TOKENIZER = train_tokenizer(["What causes scurvy? Lack of vitamin C, says the book."], 400, 128)
WORDS = st.text(alphabet="abc Zé.?\n", min_size=1, max_size=12).filter(str.strip)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), WORDS), min_size=1, max_size=6).filter(
    lambda turns: any(role == "assistant" for role, _ in turns)
)


def encoded(ids: Sequence[int], flags: Sequence[bool]) -> Encoded:
    return Encoded(np.asarray(ids, np.int32), np.asarray(flags, np.bool_))


def conversation(turns: list[tuple[str, str]]) -> Conversation:
    return Conversation("e", "s", "m", [Message(*turn) for turn in turns], [], "q", [], "CC0")


@settings(max_examples=100, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=3))
def test_exactly_the_assistants_turns_carry_loss(chats: list[list[tuple[str, str]]]) -> None:
    for told, turns in zip(encode(TOKENIZER, [conversation(t) for t in chats]), chats, strict=True):
        expected_ids, expected_mask = [], []
        for role, text in turns:
            words = TOKENIZER(text.strip(), add_special_tokens=False)["input_ids"]
            end = [TOKENIZER.eos_token_id] if role == "assistant" else []
            expected_ids += [TOKENIZER.convert_tokens_to_ids(f"<|{role}|>"), *words, *end]
            expected_mask += [False, *[role == "assistant"] * len(words), *[True] * len(end)]
        assert told.input_ids.tolist() == expected_ids
        assert told.under_loss.tolist() == expected_mask


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 9)), min_size=1, max_size=12))
def test_packed_rows_hold_every_example_once_and_whole(shapes: list[tuple[int, int]]) -> None:
    examples = [
        encoded([100 * n + i for i in range(1, size + 1)], [i >= start for i in range(size)])
        for n, (size, start) in enumerate(shapes, start=1)
    ]
    found = []
    rows = pack(examples, 10, PAD)
    for row in (rows[n] for n in range(len(rows))):
        assert all(len(values) == 10 for values in row.values())
        ids, labels, places = (row[name].tolist() for name in ("input_ids", "labels", "position_ids"))
        starts = [i for i, place in enumerate(places) if place == 0]
        for start, end in zip(starts, [*starts[1:], 10], strict=True):
            assert places[start:end] == list(range(end - start))
            if ids[start] == PAD:
                assert set(ids[start:end]) == {PAD} and set(labels[start:end]) == {IGNORED}
            else:
                found.append((ids[start:end], [label != IGNORED for label in labels[start:end]]))
                assert all(label in (token, IGNORED) for token, label in zip(ids, labels, strict=True))
    learnt = [[False, *one.under_loss[1:]] for one in examples]  # before an example's first token nothing stands
    assert sorted(found) == sorted((one.input_ids.tolist(), own) for one, own in zip(examples, learnt, strict=True))


def test_packed_examples_are_read_as_if_alone(base: Checkpoint) -> None:
    model, _ = load(base)
    examples = [encoded([6 + n, 7, 8 + n, 9][: 4 - n % 2], [True] * (4 - n % 2)) for n in range(5)]
    rows = pack(examples, 9, PAD)
    batch = stack([rows[n] for n in range(len(rows))])
    with torch.no_grad():
        model.eval()
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
        for row, places in enumerate(batch["position_ids"].tolist()):
            starts = [i for i, place in enumerate(places) if place == 0]
            for start, end in zip(starts, [*starts[1:], 9], strict=True):
                alone = model(input_ids=batch["input_ids"][row : row + 1, start:end], use_cache=False).logits[0]
                assert torch.allclose(packed[row, start:end], alone, atol=1e-5)


def test_what_does_not_fit_is_not_packed() -> None:
    with pytest.raises(ValueError, match="20 tokens does not fit into rows of 8"):
        pack([encoded([5] * 20, [True] * 20)], 8, PAD)
    with pytest.raises(ValueError, match="no training example"):
        pack([], 8, PAD)


def test_rows_are_the_same_from_disk(tmp_path: Path) -> None:
    rows = pack([encoded([7, 8, 9, 10, 11][:n], [False, True, True, True, True][:n]) for n in (2, 3, 5)], 6, PAD)
    rows.write(tmp_path / "rows")
    again = PackedRows.read(tmp_path / "rows")
    assert isinstance(again.input_ids, np.memmap) and again.input_ids.dtype == np.int32
    for n in range(len(rows)):
        assert all(torch.equal(rows[n][name], again[n][name]) for name in ("input_ids", "labels", "position_ids"))


@pytest.mark.parametrize("block_size", [1024, 2048])
@pytest.mark.parametrize("spread", ["even", "skewed"])
def test_many_examples_of_mixed_length_leave_few_gaps(block_size: int, spread: str) -> None:
    random = np.random.default_rng(0)
    sizes = random.integers(10, 1001, 4_000) if spread == "even" else random.lognormal(5, 0.8, 4_000).clip(10, 1000)
    rows = pack([encoded(np.ones(int(size)), np.ones(int(size))) for size in sizes], block_size, PAD)
    assert int(rows.input_ids.sum()) == sum(map(int, sizes))  # none is cut
    assert rows.input_ids.mean() >= 0.98


@settings(max_examples=60, deadline=None)
@given(TURNS, st.integers(1, 60))
def test_a_long_example_is_cut_where_a_word_ends(turns: list[tuple[str, str]], most: int) -> None:
    (whole,) = encode(TOKENIZER, [conversation(turns)])
    (cut,) = encode(TOKENIZER, [conversation(turns)], cut_to=most)
    size = len(cut.input_ids)
    assert size <= most and size <= len(whole.input_ids)
    assert cut.input_ids.tolist() == whole.input_ids[:size].tolist()
    assert cut.under_loss.tolist() == whole.under_loss[:size].tolist()
    if 0 < size < len(whole.input_ids):
        ids = whole.input_ids
        special = {int(ids[size - 1]), int(ids[size])} & set(TOKENIZER.all_special_ids)
        text, left = TOKENIZER.decode(ids), TOKENIZER.decode(ids[:size])
        seam = left[-1:] + text[len(left) :][:1]
        assert special or (text.startswith(left) and any(map(str.isspace, seam)))


def test_all_tokens_are_under_loss_if_asked() -> None:
    (told,) = encode(TOKENIZER, [conversation([("user", "What causes scurvy?"), ("assistant", "Lack.")])], "all")
    assert told.under_loss.all()
    row = pack([told, told], 2 * len(told.input_ids), PAD)
    assert row.under_loss.sum() == 2 * (len(told.input_ids) - 1)  # no example's first token is read off another


def test_example_without_a_reply_is_refused() -> None:
    with pytest.raises(UserError, match="no assistant's turn .*: give it a reply"):
        encode(TOKENIZER, [conversation([("user", "What causes scurvy?")])])
