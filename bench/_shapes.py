"""Shapes, rows of random tokens and base models of random weights, for the benches of training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset


def config_of(layers: int = 12, hidden: int = 1024, inner: int = 2816, heads: int = 16, vocabulary: int = 32_000,
              key_heads: int | None = None, positions: int = 4096, tied: bool = True) -> Any:  # fmt: skip
    """A Llama's configuration."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=key_heads or heads, max_position_embeddings=positions,
        tie_word_embeddings=tied, bos_token_id=None, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip


def loop_of(changes: dict[str, Any]) -> Any:
    """Parameters of an injection that saves nothing, with these changes."""
    from med_small_lm.params.knowledge_injection import InjectionParams
    from med_small_lm.params.training import OptimiserParams

    known = {key: value for key, value in changes.items() if key not in ("packed", "optimiser")}
    optimiser = OptimiserParams(name=changes.get("optimiser", "muon"), learning_rate=1e-4)
    return InjectionParams(**{"save_steps": 0, "optimiser": optimiser, **known})


def random_base(config: Any, folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A checkpoint of random weights in ``folder``, with a tokenizer that stands in for its own."""
    from transformers import AutoModelForCausalLM

    from med_small_lm.tuning.checkpoint import Draft, Outcome, Plan
    from med_small_lm.tuning.tokenizer import train_tokenizer
    from med_small_lm.tuning.weights import save

    torch.manual_seed(0)
    draft = Draft(folder, Plan("base", {}, {}, {}))
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):  # billions of random numbers
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    save(model, train_tokenizer(["some text"], 300, 128), draft.path)
    return draft.publish(Outcome(0, 0, math.nan, 0.0), [])


class Random(Dataset[dict[str, torch.Tensor]]):
    """Rows of random tokens, with ``packed`` in two documents each."""

    def __init__(self, vocabulary: int, length: int, rows: int, packed: bool) -> None:
        self._vocabulary, self._length, self._rows, self._packed = vocabulary, length, rows, packed

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        if not 0 <= row < self._rows:
            raise IndexError(row)
        ids = torch.randint(self._vocabulary, (self._length,), generator=torch.Generator().manual_seed(row))
        places = {"position_ids": torch.arange(self._length) % (self._length // 2)} if self._packed else {}
        return {"input_ids": ids, "labels": ids.clone(), **places}
