"""Scoring by likelihood: equal to the plain way, to numbers worked out by hand, and whatever the batches."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from med_small_lm.benchmarks import reading
from med_small_lm.benchmarks.likelihood import best_key, option_scores
from med_small_lm.benchmarks.prompts import LAYOUTS, Asked, ChatPrompts, PlainPrompts
from med_small_lm.benchmarks.reading import separate_sums, shared_sums
from med_small_lm.schemas.rows import KeyScore


@pytest.mark.parametrize("form", ["direct", "explain", "letters"])
@pytest.mark.parametrize("shared_prefix", [True, False])
@pytest.mark.parametrize("batch_tokens", [64, 300, 100_000])
def test_equals_the_plain_way(
    check_scores: Any,
    model: Any,
    tokenizer: Any,
    questions: Any,
    forms: Any,
    form: str,
    shared_prefix: bool,
    batch_tokens: int,
) -> None:
    limits = {"shared_prefix": shared_prefix, "batch_tokens": batch_tokens}
    check_scores(model, tokenizer, questions, ChatPrompts(forms[form]), **limits)


@pytest.mark.parametrize("compared", ["letter", "option_text"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shots", [0, 1])
@pytest.mark.parametrize("chat", [True, False])
def test_every_way_to_ask(
    check_scores: Any,
    model: Any,
    tokenizer: Any,
    questions: Any,
    forms: Any,
    compared: Any,
    layout: str,
    shots: int,
    chat: bool,
) -> None:
    """The head of an example is long enough to be read once for all."""
    subjects = [replace(question, subject=f"part_{n % 2}") for n, question in enumerate(questions)]
    examples = tuple(questions[:shots])
    way = ChatPrompts(forms["direct"], compared, examples)
    check_scores(
        model, tokenizer, subjects, way if chat else PlainPrompts(LAYOUTS[layout], compared, examples), batch_rows=2
    )


def test_what_all_begin_with_is_read_once(
    make_llama: Any, tokenizer: Any, questions: Any, forms: Any, monkeypatch: Any
) -> None:
    """Counted in tokens that go through the model."""
    model, read = make_llama(len(tokenizer)), []
    model.register_forward_pre_hook(lambda _, __, told: read.append(told["input_ids"].numel()), with_kwargs=True)
    prompts = ChatPrompts(forms["direct"], "option_text", (questions[3],))
    head = len(prompts.ask(tokenizer, questions[:1])[0].prompt)
    counts = []
    for least in (reading.HEAD_LEAST, 1_000):
        monkeypatch.setattr(reading, "HEAD_LEAST", least)
        read.clear()
        option_scores(model, tokenizer, questions, prompts, batch_tokens=1)
        counts.append(sum(read))
    assert counts[1] - counts[0] > (len(questions) - 1) * (head - 60)


def test_letters_take_one_pass_without_a_cache(make_llama: Any, tokenizer: Any, questions: Any, forms: Any) -> None:
    model, calls = make_llama(len(tokenizer)), []
    prompts = ChatPrompts(forms["direct"], "letter")
    asked = prompts.ask(tokenizer, questions)
    assert all(len(tail) == 1 for entry in asked for tail in entry.tails)
    model.register_forward_pre_hook(lambda _, __, told: calls.append(told), with_kwargs=True)
    shared_sums(model, asked, 0)
    (told,) = calls
    assert not told["use_cache"] and "attention_mask" not in told
    assert told["logits_to_keep"].numel() <= sum(len(entry.shared) + 1 for entry in asked)


@pytest.mark.parametrize("changes", [{"num_key_value_heads": 4}, {"attention_dropout": 0.5}, {"hidden_size": 64}])
def test_other_shapes(
    check_scores: Any, make_llama: Any, tokenizer: Any, questions: Any, forms: Any, changes: dict[str, Any]
) -> None:
    check_scores(make_llama(len(tokenizer), **changes), tokenizer, questions, ChatPrompts(forms["direct"]))


class Table:
    """A model whose next token depends on the last one alone, so that scores can be worked out by hand."""

    device, dtype, config = torch.device("cpu"), torch.float32, None
    chances = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.5, 0.2, 0.2, 0.1]])

    def forward(self, input_ids: torch.Tensor, past_key_values: Any = None, **_: Any) -> Any:
        return SimpleNamespace(logits=self.chances.log()[input_ids] + 3.0)

    __call__ = forward


@pytest.mark.parametrize("way", [shared_sums, separate_sums])
def test_by_hand(way: Any) -> None:
    asked = [Asked([2, 0], [[3, 0, 1], [3, 0, 2, 3]]), Asked([1], [[0], [2, 2]])]
    found = way(Table(), asked, 0)
    assert found[0] == pytest.approx([math.log(0.4 * 0.5 * 0.2), math.log(0.4 * 0.5 * 0.3 * 0.25)], abs=1e-6)
    assert found[1] == pytest.approx([math.log(0.7), math.log(0.1 * 0.25)], abs=1e-6)


def test_question_longer_than_the_context_is_truncated_and_counted(
    model: Any, tokenizer: Any, questions: Any, forms: Any
) -> None:
    long = replace(questions[0], question_id="long", stem="Which drug? " * 200)
    asked = [questions[1], long]
    seen: list[tuple[int, int]] = []
    found = option_scores(
        model, tokenizer, asked, ChatPrompts(forms["direct"]), batch_tokens=500, progress=lambda *at: seen.append(at)
    )
    assert found[0] and found[1] == []
    assert seen[-1] == (2, 2)


def test_the_context_is_used_to_its_last_token(make_llama: Any, tokenizer: Any, questions: Any, forms: Any) -> None:
    """The last token of a reply is foretold, and never read."""
    prompts = ChatPrompts(forms["direct"])
    (asked,) = prompts.ask(tokenizer, questions[:1])
    for room, fits in ((asked.longest, True), (asked.longest - 1, False)):
        model = make_llama(len(tokenizer), max_position_embeddings=room)
        assert bool(option_scores(model, tokenizer, questions[:1], prompts, batch_tokens=500)[0]) == fits


def test_sum_length_characters_and_ties(make_question: Any) -> None:
    question = make_question(1, "Which?", ["a very long option", "abc", "abcd"])
    scores = [KeyScore("A", -4.0, 4), KeyScore("B", -3.0, 2), KeyScore("C", -3.0, 2)]
    assert best_key(scores) == "B"
    assert best_key(scores, "length") == "A"
    assert best_key(scores[1:], "characters", question) == "C"
    assert best_key(scores, "characters", question) == "A"
