"""The arithmetic of training is counted as the papers count it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from med_small_lm.params.knowledge_injection import InjectionParams
from med_small_lm.tuning.flops import inner_weights, matmul_rate, peak_flops, token_flops, utilisation

MISTRAL = LlamaConfig(
    vocab_size=32_000, hidden_size=4096, intermediate_size=14_336, num_hidden_layers=32, num_attention_heads=32,
    num_key_value_heads=8, tie_word_embeddings=False,
)  # fmt: skip
CPU = torch.device("cpu")


def test_embeddings_are_not_counted() -> None:
    assert inner_weights(MISTRAL) == 7_241_732_096 - 2 * 32_000 * 4096  # Mistral-7B's weights, on its model card
    small = GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=100, n_positions=16)
    whole = AutoModelForCausalLM.from_config(small)
    ends = whole.transformer.wte.weight.numel() + whole.transformer.wpe.weight.numel()
    assert inner_weights(small) == sum(weight.numel() for weight in whole.parameters()) - ends


def test_adapters_spare_the_gradient_of_the_weights_and_not_the_attention() -> None:
    n, attention = inner_weights(MISTRAL), 6 * 32 * 4096 * 2048
    assert token_flops(MISTRAL, "full", 2048) == 6 * n + attention
    assert token_flops(MISTRAL, "qlora", 2048) == 4 * n + attention


@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("NVIDIA H200", 989.4),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA A100-SXM4-80GB", 312),
    ],
)
def test_known_cards_have_their_sheets_peak(monkeypatch: pytest.MonkeyPatch, name: str, tflops: float) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    assert peak_flops(torch.device("cuda"), "bf16") == tflops * 1e12


def test_another_device_is_measured() -> None:
    assert peak_flops(CPU, "fp32") == matmul_rate(CPU, "fp32")
    assert 1e9 < matmul_rate(CPU, "fp32") < 1e14


def test_utilisation_is_the_share_of_all_ranks_peak() -> None:
    model = SimpleNamespace(config=MISTRAL)
    used = utilisation(model, InjectionParams(block_size=512), SimpleNamespace(device=CPU, world_size=4))
    expected = 1000 * token_flops(MISTRAL, "full", 512) / (4 * matmul_rate(CPU, "fp32"))
    assert used(1000.0) == pytest.approx(expected)
