"""Names of people in a text, found by a token classifier of the user's own; nothing is downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification

from med_small_lm.errors import UserError
from med_small_lm.tuning.weights import read_local

PARAMETER = "synthesize_cot.instructions.names_model"
_PERSON = re.compile(r"(?i)(?:^|[-_])(?:per|pers|person|name|patient|doctor|staff|hcp|user(?:name)?)(?:$|[-_])|name$")
_OVERLAP = 32  # tokens that two windows of a long text share


def namer(folder: Path) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Returns what finds names: of a text it yields where they stand, as (start, end).

    Args:
        folder: a token-classification model in Hugging Face layout with a fast tokenizer. Its labels tell names from
            the rest, with or without B- and I- before them: PER, PERSON, NAME, PATIENT, DOCTOR, STAFF and the like.

    Raises:
        UserError: the folder holds no such model, or no label of it is a person's.
    """
    model, tokenizer = read_local(AutoModelForTokenClassification, folder, PARAMETER)
    labels = model.config.id2label
    persons = [place for place, label in labels.items() if _PERSON.search(label)]
    if not persons:
        raise UserError(f"{PARAMETER}: {folder}: none of the labels {', '.join(labels.values())} is a person's")
    # RoBERTa keeps two of its positions for itself.
    wide = min(tokenizer.model_max_length, model.config.max_position_embeddings - 2)

    def names(text: str) -> Iterator[tuple[int, int]]:
        told: Any = tokenizer(
            text, truncation=True, max_length=wide, stride=min(_OVERLAP, wide // 4), padding=True, return_tensors="pt",
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        with torch.inference_mode():
            logits = model(input_ids=told["input_ids"], attention_mask=told["attention_mask"]).logits
        is_name = torch.isin(logits.argmax(-1), torch.tensor(persons)) & told["attention_mask"].bool()
        places = {(int(a), int(b)) for a, b in told["offset_mapping"][is_name].tolist() if b > a}
        yield from _joined(sorted(places), text)

    return names


def _joined(places: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """Yields stretches of pieces that nothing but spaces parts, each widened to whole words."""
    start = end = -1
    for first, last in places:
        if end >= 0 and not text[end:first].strip():
            end = max(end, last)
            continue
        if end >= 0:
            yield _whole(start, end, text)
        start, end = first, last
    if end >= 0:
        yield _whole(start, end, text)


def _whole(start: int, end: int, text: str) -> tuple[int, int]:
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end
