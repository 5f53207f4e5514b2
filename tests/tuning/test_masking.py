"""Loss falls on the assistant's words and the end of the turn, and packed examples do not see each other."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.schemas.rows import Conversation, Message
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.masking import Encoded, encode, pack
from med_small_lm.tuning.packing import IGNORED, stack
from med_small_lm.tuning.tokenizer import train_tokenizer
from med_small_lm.tuning.weights import load

PAD = 0
TOKENIZER = train_tokenizer(["What causes scurvy? Lack of vitamin C, says the book."], 400, 128)
WORDS = st.text(alphabet="abc Zé.?\n", min_size=1, max_size=12).filter(str.strip)
TURNS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), WORDS), min_size=1, max_size=6).filter(
    lambda turns: any(role == "assistant" for role, _ in turns)
)


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
        assert told.input_ids == expected_ids
        assert told.assistant == expected_mask


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 9)), min_size=1, max_size=12))
def test_packed_rows_hold_every_example_once_and_whole(shapes: list[tuple[int, int]]) -> None:
    examples = [
        Encoded([100 * n + i for i in range(1, size + 1)], [i >= start for i in range(size)])
        for n, (size, start) in enumerate(shapes, start=1)
    ]
    found = []
    for row in pack(examples, 10, PAD):
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
    assert sorted(found) == sorted((e.input_ids, e.assistant) for e in examples)


def test_packed_examples_are_read_as_if_alone(base: Checkpoint) -> None:
    model, _ = load(base)
    examples = [Encoded([6 + n, 7, 8 + n, 9][: 4 - n % 2], [True] * (4 - n % 2)) for n in range(5)]
    batch = stack(pack(examples, 9, PAD))
    with torch.no_grad():
        model.eval()
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
        for row, places in enumerate(batch["position_ids"].tolist()):
            starts = [i for i, place in enumerate(places) if place == 0]
            for start, end in zip(starts, [*starts[1:], 9], strict=True):
                alone = model(input_ids=batch["input_ids"][row : row + 1, start:end], use_cache=False).logits[0]
                assert torch.allclose(packed[row, start:end], alone, atol=1e-5)


def test_too_long_examples_are_counted_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    long, short = Encoded([5] * 20, [True] * 20), Encoded([5, 6], [False, True])
    with caplog.at_level("WARNING"):
        assert len(pack([long, short], 8, PAD)) == 1
    assert "1 of 2 examples are longer than 8 tokens" in caplog.text
    with pytest.raises(ValueError, match="no training example fits"):
        pack([long], 8, PAD)


def test_example_without_a_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="no assistant's turn"):
        encode(TOKENIZER, [conversation([("user", "What causes scurvy?")])])
