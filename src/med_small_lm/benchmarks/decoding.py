"""Tokens written one after the other: for a batch, with room kept for them, up to an end or a closing sentence.

::

    head (few-shot examples, read once)   prompts, padded on the left     what is written
    <system> Q: … A: …                 ►  . . <user> stem <assistant>  ►  It is … The answer is (B).|      a row stops
                                          <user> longer stem <assist…>    Since … The answer is … <end>    by itself
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from transformers import DynamicCache, GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.cache_utils import DynamicLayer

from med_small_lm.benchmarks.batches import pad
from med_small_lm.benchmarks.closing import ENDS
from med_small_lm.benchmarks.models import Model, Tokenizer, end_ids, pad_id
from med_small_lm.benchmarks.reading import Head, common_head, reach

Closed = Callable[[int, str], bool]
"""Told a row's number and its text so far: whether it has its answer."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How tokens are drawn; greedy where there is none."""

    temperature: float
    top_p: float
    seed: int


class RoomyLayer(DynamicLayer):
    """Keys and values written into room that is there: otherwise each token would copy all that stand before it."""

    _store: tuple[torch.Tensor, torch.Tensor] | None = None

    def __init__(self, room: int, head: DynamicLayer | None = None, rows: int = 0) -> None:
        """Keep room for so many tokens behind those of ``head``, which every row begins with."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._room = room
        if head is not None and head.keys is not None and head.values is not None:
            self.lazy_initialization(head.keys, head.values)
            self.keys, self.values = head.keys.expand(rows, -1, -1, -1), head.values.expand(rows, -1, -1, -1)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns all keys and values, these at the end."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if self._store is None or self._store[0].shape[-2] < end:
            assert self.keys is not None and self.values is not None
            self._store = self._roomy(self.keys, key_states, end), self._roomy(self.values, value_states, end)
        keys, values = self._store
        keys[..., begin:end, :], values[..., begin:end, :] = key_states, value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    def _roomy(self, old: torch.Tensor, new: torch.Tensor, end: int) -> torch.Tensor:
        """Room for what is to come, with what there is at its beginning."""
        begin = end - new.shape[-2]
        store = new.new_empty((*new.shape[:-2], max(end, begin + self._room), new.shape[-1]))
        if begin:
            store[..., :begin, :] = old
        return store


class Stop(StoppingCriteria):
    """Ends each row that has its answer; ``at`` are the new tokens of the rows that were ended so."""

    def __init__(self, tokenizer: Tokenizer, begin: int, closed: Closed) -> None:
        """Read what rows write from token ``begin`` on."""
        self._tokenizer, self._begin, self._closed = tokenizer, begin, closed
        self._ends = ending_tokens(tokenizer)
        self.at: dict[int, int] = {}

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> Any:
        """Returns which rows have ended."""
        for row, last in enumerate(input_ids[:, -1].tolist()):
            if row not in self.at and last in self._ends:
                text = self._tokenizer.decode(input_ids[row, self._begin :], skip_special_tokens=True)
                if self._closed(row, text):
                    self.at[row] = input_ids.shape[1] - self._begin
        return torch.tensor([row in self.at for row in range(len(input_ids))], device=input_ids.device)


@lru_cache(maxsize=4)
def ending_tokens(tokenizer: Tokenizer) -> frozenset[int]:
    """Returns the tokens that may end a sentence or a line."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return frozenset(token for token, text in enumerate(texts) if any(end in text for end in ENDS))


def shared_head(model: Model, prompts: Sequence[Sequence[int]]) -> Head:
    """Returns what the model remembers of the tokens that all prompts begin with; None where it is not worth it."""
    return common_head(model, prompts) if _has_plain_cache(model) else None


def _has_plain_cache(model: Model) -> bool:
    """Whether the model remembers the keys and values of every token, and nothing else."""
    layers = DynamicCache(config=model.config).layers
    return bool(reach(model) and layers) and all(type(layer) is DynamicLayer for layer in layers)


@torch.inference_mode()
def write(
    model: Model, tokenizer: Tokenizer, prompts: Sequence[Sequence[int]], room: int, *,
    head: Head = None, draw: Draw | None = None, closed: Closed | None = None,
) -> list[tuple[list[int], bool]]:  # fmt: skip
    """Returns what a model writes behind each prompt: its tokens, and whether it came to an end.

    Args:
        model: any causal language model of transformers.
        tokenizer: its own.
        prompts: as tokens; all begin with those of ``head``.
        room: most tokens that are written.
        head: what is remembered of their common beginning.
        draw: how tokens are drawn; the likeliest unless it is said.
        closed: says when a row has its answer; without it a row ends by itself.
    """
    skip = head.get_seq_length() if head else 0
    rest, mask = pad([prompt[skip:] for prompt in prompts], "left", pad_id(tokenizer), model.device)
    begin = rest.new_tensor([list(prompt[:skip]) for prompt in prompts])
    ids = torch.cat([begin, rest], dim=1)
    ends = end_ids(model, tokenizer)
    stop = Stop(tokenizer, ids.shape[1], closed) if closed else None
    settings = GenerationConfig(
        max_new_tokens=room, eos_token_id=ends or None, pad_token_id=pad_id(tokenizer), do_sample=draw is not None,
        **({"temperature": draw.temperature, "top_p": draw.top_p, "top_k": 0} if draw else {}),
    )  # fmt: skip
    cache = _cache(model, len(prompts), rest.shape[1] + room, head)
    # What ``settings`` leave open is filled from the checkpoint's own: a repetition penalty there would slip in.
    kept, model.generation_config = model.generation_config, settings
    try:
        with torch.random.fork_rng(enabled=draw is not None):
            if draw:
                torch.manual_seed(draw.seed)
            wrote = model.generate(
                input_ids=ids, attention_mask=torch.cat([torch.ones_like(begin), mask], dim=1),
                stopping_criteria=StoppingCriteriaList([stop] if stop else []), **cache,
            )  # fmt: skip
    finally:
        model.generation_config = kept
    at = stop.at if stop else {}
    return [_written(row, ends, at.get(number)) for number, row in enumerate(wrote[:, ids.shape[1] :].tolist())]


def _cache(model: Model, rows: int, room: int, head: Head) -> dict[str, Any]:
    """A cache with room, for models whose memory is the keys and values of every token; the others make their own."""
    if not _has_plain_cache(model):
        return {}
    cache = DynamicCache(config=model.config)
    before = head.layers if head else [None] * len(cache.layers)
    cache.layers = [RoomyLayer(room, layer, rows) for layer in before]
    return {"past_key_values": cache}


def _written(row: list[int], ends: Sequence[int], closed: int | None) -> tuple[list[int], bool]:
    """The tokens before the first end, or up to where the answer was given."""
    stop = next((place for place, token in enumerate(row) if token in ends), len(row))
    if closed is not None and closed <= stop:
        return row[:closed], True
    return row[:stop], stop < len(row)
