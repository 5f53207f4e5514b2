"""Every architecture gives what it gives to the textbook way: shared where it can, read whole where it cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from med_small_lm.benchmarks.prompts import ChatPrompts
from med_small_lm.benchmarks.reading import reach, shares

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
KEYED = SMALL | {"num_key_value_heads": 2}
FAMILIES: dict[str, tuple[dict[str, Any], bool]] = {
    "gpt2": ({"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}, True),
    "gpt_neox": (SMALL, True),
    "gpt_neo": ({"hidden_size": 32, "num_layers": 2, "num_heads": 4, "window_size": 16,
                 "attention_types": [[["global", "local"], 1]]}, False),
    "opt": ({"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "word_embed_proj_dim": 32}, True),
    "qwen2": (KEYED, True),
    "gemma2": (KEYED | {"head_dim": 8}, True),
    "bloom": ({"hidden_size": 32, "n_layer": 2, "n_head": 4}, False),
    "mamba": ({"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}, False),
}  # fmt: skip


def family(name: str, vocabulary: int, **changes: Any) -> Any:
    torch.manual_seed(2)
    sizes, _ = FAMILIES.get(name, (KEYED, True))
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = AutoConfig.for_model(name, vocab_size=vocabulary, initializer_range=0.3, **{**special, **sizes, **changes})
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("name", FAMILIES)
def test_families(check_scores: Any, tokenizer: Any, questions: Any, forms: Any, name: str) -> None:
    """Learnt positions, rotary ones, soft caps; a window of its own; no positions; a state in place of a cache."""
    model, prompts = family(name, len(tokenizer)), ChatPrompts(forms["direct"])
    can = reach(model) > 0 and shares(model, prompts.ask(tokenizer, questions), 0)
    assert can == FAMILIES[name][1]
    check_scores(model, tokenizer, questions, prompts, within=2e-4)
    check_scores(model, tokenizer, questions, ChatPrompts(forms["direct"], "letter", (questions[3],)), within=2e-4)


@pytest.mark.parametrize("window", [8, 30, 300])
def test_sliding_window(check_scores: Any, tokenizer: Any, questions: Any, forms: Any, window: int) -> None:
    """Sequences that reach over the window are read whole, the others shared."""
    model = family("mistral", len(tokenizer), sliding_window=window)
    assert reach(model) == window
    check_scores(model, tokenizer, questions, ChatPrompts(forms["direct"]))


def test_model_that_ignores_what_it_is_told_is_found_out(
    check_scores: Any, make_llama: Any, tokenizer: Any, questions: Any, forms: Any, monkeypatch: Any
) -> None:
    """It counts positions by itself, as if options stood one behind the other."""
    model = make_llama(len(tokenizer))
    inner = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda *told, **named: inner(*told, **named | {"position_ids": None}))
    prompts = ChatPrompts(forms["direct"])
    assert not shares(model, prompts.ask(tokenizer, questions), 0)
    check_scores(model, tokenizer, questions, prompts)
