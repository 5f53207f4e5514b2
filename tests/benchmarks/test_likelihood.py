"""Scoring by likelihood: equal to the plain way, to numbers worked out by hand, and whatever the batches."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from med_small_lm.benchmarks.likelihood import (
    Asked,
    ask,
    best_key,
    can_share,
    hidden_stem,
    option_scores,
    predictions_of,
    separate_sums,
    shared_sums,
)
from med_small_lm.schemas.rows import KeyScore, Option


def plain_score(model: Any, tokenizer: Any, question: Any, form: Any, option: Any) -> tuple[float, int]:
    """The textbook way: no batch, no padding, no cache, one softmax a token."""
    turns = [{"role": m.role, "content": m.content} for m in form.messages(question)]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt + form.answer(option), add_special_tokens=False)["input_ids"]
    begin = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    with torch.inference_mode():
        table = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
    return sum(float(table[place - 1, ids[place]]) for place in range(begin, len(ids))), len(ids) - begin


@pytest.mark.parametrize("form", ["direct", "explain", "letters"])
@pytest.mark.parametrize("shared_prefix", [True, False])
@pytest.mark.parametrize("batch_tokens", [64, 300, 100_000])
def test_equals_the_plain_way(
    model: Any, tokenizer: Any, questions: Any, forms: Any, form: str, shared_prefix: bool, batch_tokens: int
) -> None:
    found = option_scores(
        model, tokenizer, questions, forms[form], batch_tokens=batch_tokens, shared_prefix=shared_prefix
    )
    for question, entries in zip(questions, found, strict=True):
        for option, entry in zip(question.options, entries, strict=True):
            expected, count = plain_score(model, tokenizer, question, forms[form], option)
            assert entry.key == option.key
            assert entry.n_tokens == count
            assert entry.logprob == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("changes", [{"num_key_value_heads": 4}, {"attention_dropout": 0.5}, {"hidden_size": 64}])
def test_other_shapes_agree_both_ways(
    make_llama: Any, tokenizer: Any, questions: Any, forms: Any, changes: dict[str, Any]
) -> None:
    model = make_llama(len(tokenizer), **changes)
    asked = [ask(tokenizer, forms["direct"], question) for question in questions]
    for one, other in zip(separate_sums(model, asked, 0), shared_sums(model, asked, 0), strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_sliding_window_agrees_both_ways(tokenizer: Any, questions: Any, forms: Any) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = MistralConfig(
        vocab_size=len(tokenizer), num_key_value_heads=2, sliding_window=8, initializer_range=0.3, **sizes
    )
    model = MistralForCausalLM(config).eval()
    for entries, question in zip(
        option_scores(model, tokenizer, questions, forms["direct"], batch_tokens=10_000), questions, strict=True
    ):
        for option, entry in zip(question.options, entries, strict=True):
            expected, _ = plain_score(model, tokenizer, question, forms["direct"], option)
            assert entry.logprob == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("family", ["gpt2", "bloom", "mamba"])
def test_other_families(tokenizer: Any, questions: Any, forms: Any, family: str) -> None:
    """Learnt positions, a model that takes no positions, and one that keeps a state in place of a cache."""
    torch.manual_seed(2)
    sizes = {
        "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
        "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
        "mamba": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    }
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer), initializer_range=0.3, **sizes[family])
    model = AutoModelForCausalLM.from_config(config).eval()
    assert can_share(model) == (family == "gpt2")
    found = option_scores(model, tokenizer, questions, forms["direct"], batch_tokens=10_000)
    for question, entries in zip(questions, found, strict=True):
        for option, entry in zip(question.options, entries, strict=True):
            expected, _ = plain_score(model, tokenizer, question, forms["direct"], option)
            assert entry.logprob == pytest.approx(expected, abs=2e-4)


class Table:
    """A model whose next token depends on the last one alone, so that scores can be worked out by hand."""

    device = torch.device("cpu")
    chances = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.5, 0.2, 0.2, 0.1]])

    def __call__(self, input_ids: torch.Tensor, logits_to_keep: int = 0, **_: Any) -> Any:
        logits = self.chances.log()[input_ids] + 3.0
        cache = SimpleNamespace(batch_select_indices=lambda _: None)
        return SimpleNamespace(logits=logits[:, -logits_to_keep:], past_key_values=cache)


@pytest.mark.parametrize("way", [shared_sums, separate_sums])
def test_by_hand(way: Any) -> None:
    asked = [Asked([2, 0], [[3, 0, 1], [3, 0, 2, 3]]), Asked([1], [[0], [2, 2]])]
    found = way(Table(), asked, 0)
    assert found[0] == pytest.approx([math.log(0.4 * 0.5 * 0.2), math.log(0.4 * 0.5 * 0.3 * 0.25)], abs=1e-6)
    assert found[1] == pytest.approx([math.log(0.7), math.log(0.1 * 0.25)], abs=1e-6)


def test_split_never_cuts_a_token_that_spans_the_seam() -> None:
    class Joining:
        """Merges the prompt's last character with the reply's first."""

        def apply_chat_template(self, *_: Any, **__: Any) -> str:
            return "ab "

        def __call__(self, texts: list[str], **_: Any) -> dict[str, Any]:
            return {"input_ids": [[1, 2, 9] if text == "ab " else [1, 2, 7, 8, len(text)] for text in texts]}

    form = SimpleNamespace(messages=lambda _: [], answer=lambda option: option.text)
    options = [Option("A", "x"), Option("B", "yy")]
    assert ask(Joining(), form, SimpleNamespace(options=options)) == Asked([1, 2], [[7, 8, 4], [7, 8, 5]])  # type: ignore[arg-type]


def test_question_longer_than_the_context_is_truncated_and_counted(
    model: Any, tokenizer: Any, questions: Any, forms: Any
) -> None:
    long = replace(questions[0], question_id="long", stem="Which drug? " * 200)
    asked = [questions[1], long]
    seen: list[tuple[int, int]] = []
    found = option_scores(
        model, tokenizer, asked, forms["direct"], batch_tokens=500, progress=lambda *at: seen.append(at)
    )
    assert found[1] == []
    assert seen[-1] == (2, 2)
    made = predictions_of(asked, found, forms["direct"], model_name="m", benchmark="b", variant="v")
    assert [entry.state for entry in made] == ["parsed", "truncated"]
    assert made[1].answer_keys == []


def test_sum_and_length_and_ties() -> None:
    scores = [KeyScore("A", -4.0, 4), KeyScore("B", -3.0, 2), KeyScore("C", -3.0, 2)]
    assert best_key(scores, "sum") == "B"
    assert best_key(scores, "length") == "A"


def test_hidden_stem_leaves_nothing_to_know(tokenizer: Any, questions: Any, forms: Any) -> None:
    bare = [hidden_stem(question) for question in questions]
    prompts = {tuple(ask(tokenizer, forms["direct"], question).prompt) for question in bare}
    assert len(prompts) == 1
    assert [question.options for question in bare] == [question.options for question in questions]
