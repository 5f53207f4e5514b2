"""Texts as vectors, by a local encoder: near ones say the same in other words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel

from med_small_lm.tuning.weights import read_local

PARAMETER = "generate_questions.gates.duplicate_model"

BATCH = 64
LONGEST = 512  # tokens of a text; what is behind them is not read


def embedder(folder: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Returns a function from texts to vectors of length 1, a row each: the mean of an encoder's last states.

    Args:
        folder: an encoder in Hugging Face layout.

    Raises:
        UserError: it holds none that can be read.
    """
    model, tokenizer = read_local(AutoModel, folder, PARAMETER)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device)
    longest = min(LONGEST, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", LONGEST))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token

    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # so that a batch has little padding
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            batch = tokenizer(
                [texts[place] for place in places],
                padding=True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            ).to(device)
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            found[places] = torch.nn.functional.normalize(mean, dim=-1).float().cpu().numpy()
        return found

    return embed
