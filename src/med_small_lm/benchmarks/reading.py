"""Log-probabilities of replies after prompts, with as few tokens read as the model allows.

What all questions of a run begin with (an instruction, few-shot examples) is read once, what all options of a question
begin with once a question, and each option only from where it parts from the others::

    once             pass 1, a row a question              pass 2, a row a question: its options one behind the other
    <system> Q: … A: …  ──►  <user> stem The answer is . .  ──►  an tacid  dia zepam  .
              cache of keys   <user> longer stem The answer is    each sees the head, its own row, and itself
              and values                       └──┬──┘                        │
                                    log-probabilities of the shared words     │
                                    and of each option's first token     + of its later tokens

Padding stands on the right, where a causal model's tokens do not see it, so that pass 1 needs no mask. Where options
differ by their last token alone, as letters do, there is no pass 2. A model whose memory is no cache of keys and values
of each token reads every sequence whole, those that differ by their last token once.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from inspect import signature
from os.path import commonprefix
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from med_small_lm.benchmarks.batches import pad
from med_small_lm.benchmarks.models import Model
from med_small_lm.benchmarks.prompts import Asked

LOG = logging.getLogger(__name__)

FAR = 1 << 30
"""More tokens than any sequence has."""

HEAD_LEAST = 32
"""Tokens that all prompts begin with, from which on they are read once for all: fewer cost more than they save."""

Head = Any
"""The cache of what all questions begin with, [1, heads, tokens, width] a layer; None for nothing."""


@torch.inference_mode()
def separate_sums(model: Model, asked: Sequence[Asked], filler: int) -> list[list[float]]:
    """Returns the options' log-probabilities, each sequence read whole, those that differ by their last token once."""
    rows: dict[tuple[int, tuple[int, ...]], int] = {}
    for number, entry in enumerate(asked):
        for reply in entry.replies:
            rows.setdefault((number, tuple(reply[:-1])), len(rows))
    begins = [(asked[number].prompt, list(begin)) for number, begin in rows]
    ids, _ = pad([prompt + begin for prompt, begin in begins], "right", filler, model.device)
    spans = [range(len(prompt) - 1, len(prompt) + len(begin)) for prompt, begin in begins]
    table, places = _logits(model, ids, spans)
    log_all = table.logsumexp(dim=-1)

    def whole(number: int, reply: list[int]) -> float:
        row = rows[number, tuple(reply[:-1])]
        at = [places[place] for place in spans[row]]
        return float((table[row, at, reply] - log_all[row, at]).sum())

    return [[whole(number, reply) for reply in entry.replies] for number, entry in enumerate(asked)]


@torch.inference_mode()
def shared_sums(model: Model, asked: Sequence[Asked], filler: int, head: Head = None) -> list[list[float]]:
    """Returns the options' log-probabilities, prompts read once (see the drawing above).

    The prompts of ``asked`` begin with the tokens of ``head``.
    """
    skip = head.get_seq_length() if head else 0
    rows = [entry.row[skip:] for entry in asked]
    ids, _ = pad(rows, "right", filler, model.device)
    spans = [range(len(row) - len(entry.shared) - 1, len(row)) for row, entry in zip(rows, asked, strict=True)]
    more = any(len(tail) > 1 for entry in asked for tail in entry.tails)
    cache = _repeated(head, len(rows)) if head else DynamicCache(config=model.config) if more else None
    table, places = _logits(model, ids, spans, cache)
    log_all = table.logsumexp(dim=-1)
    starts = []
    for row, (entry, span) in enumerate(zip(asked, spans, strict=True)):
        at = [places[place] for place in span]
        begun = (table[row, at[:-1], entry.shared] - log_all[row, at[:-1]]).sum()
        first = table[row, at[-1], [tail[0] for tail in entry.tails]] - log_all[row, at[-1]]
        starts.append(begun + first)
    if not more:
        return [values.tolist() for values in starts]
    later = _tail_sums(model, cache, [skip + len(row) for row in rows], [entry.tails for entry in asked], filler)
    return [(start + end).tolist() for start, end in zip(starts, later, strict=True)]


def _logits(
    model: Model, ids: torch.Tensor, spans: Sequence[range], cache: Any = None
) -> tuple[torch.Tensor, dict[int, int]]:
    """The logits at the places that any row needs, [rows, places, vocabulary], and each place's index among them."""
    if "logits_to_keep" in signature(model.forward).parameters:
        kept = sorted({place for span in spans for place in span})
        keep = {"logits_to_keep": torch.tensor(kept, device=ids.device)}
    else:
        kept, keep = list(range(ids.shape[1])), {}
    remember = {"use_cache": False} if cache is None else {"use_cache": True, "past_key_values": cache}
    logits = model(input_ids=ids, **remember, **keep).logits
    return logits.float(), {place: number for number, place in enumerate(kept)}


def _tail_sums(
    model: Model, cache: Any, lengths: Sequence[int], tails: Sequence[Sequence[list[int]]], filler: int
) -> list[torch.Tensor]:
    """The log-probability of each tail after its first token; a row of the cache holds so many tokens, then padding."""
    ids, _ = pad([[token for tail in row for token in tail[:-1]] for row in tails], "right", filler, model.device)
    targets, _ = pad([[token for tail in row for token in tail[1:]] for row in tails], "right", filler, model.device)
    owner, _ = pad([[n for n, tail in enumerate(row) for _ in tail[1:]] for row in tails], "right", -1, model.device)
    within, _ = pad([[n for tail in row for n in range(len(tail) - 1)] for row in tails], "right", 0, model.device)
    held = torch.tensor(lengths, device=model.device).unsqueeze(1)
    logits = model(
        input_ids=ids,
        attention_mask=_options_apart(owner, held, cache.get_seq_length(), model.dtype),
        position_ids=held + within,
        past_key_values=cache,
        use_cache=True,
    ).logits
    found = _logprobs(logits, targets).masked_fill(owner < 0, 0.0)
    sums = found.new_zeros(len(tails), max(map(len, tails))).scatter_add_(1, owner.clamp(min=0), found)
    return [row[: len(entry)] for row, entry in zip(sums, tails, strict=True)]


def _options_apart(owner: torch.Tensor, held: torch.Tensor, width: int, dtype: torch.dtype) -> torch.Tensor:
    """The mask of pass 2, [rows, 1, tokens, width + tokens]: 0 where a token is seen, else the least number.

    A token sees what its row of the cache holds, and the tokens of its own option up to itself::

                 cache        a b  c d
        a      x x x x .      x .  . .
        b      x x x x .      x x  . .
        c      x x x x .      . .  x .
        d      x x x x .      . .  x x
    """
    rows, tokens = owner.shape
    before = torch.arange(width, device=owner.device) < held
    own = (owner.unsqueeze(2) == owner.unsqueeze(1)).tril()
    seen = torch.cat([before.unsqueeze(1).expand(rows, tokens, width), own], dim=2).unsqueeze(1)
    return torch.zeros(seen.shape, dtype=dtype, device=owner.device).masked_fill(~seen, torch.finfo(dtype).min)


def _logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The log-probability of each target token, [rows, width], from logits [rows, width, vocabulary]."""
    wide = logits.float()
    return wide.gather(-1, targets.unsqueeze(-1)).squeeze(-1) - wide.logsumexp(dim=-1)


@torch.inference_mode()
def read_head(model: Model, ids: Sequence[int]) -> Head:
    """Returns the cache of what all questions begin with."""
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.tensor([list(ids)], device=model.device), past_key_values=cache, use_cache=True)
    return cache


def common_head(model: Model, prompts: Sequence[Sequence[int]]) -> Head:
    """Returns the cache of what all prompts begin with, short of their last tokens; None where it is not worth it."""
    ids = commonprefix([list(prompt[:-1]) for prompt in prompts])
    return read_head(model, ids) if len(ids) >= HEAD_LEAST and len(prompts) > 1 else None


def _repeated(head: Head, rows: int) -> Any:
    """The same cache for so many rows; nothing is copied until a row adds its own."""
    cache = copy.copy(head)
    cache.layers = [copy.copy(layer) for layer in head.layers]
    for layer in cache.layers:
        layer.keys, layer.values = (part.expand(rows, -1, -1, -1) for part in (layer.keys, layer.values))
    return cache


def reach(model: Model) -> int:
    """Returns how many tokens a sequence may have for the model to share what was read of it; 0: it cannot.

    It can where its memory is keys and values of each token, where positions and masks are what they are told to be,
    and as far as every token sees every earlier one.
    """
    takes = signature(model.forward).parameters
    told = all(name in takes for name in ("position_ids", "past_key_values", "attention_mask"))
    if not told or getattr(model, "_is_stateful", False) or model.config._attn_implementation not in ("sdpa", "eager"):
        return 0
    layers = DynamicCache(config=model.config).layers
    if any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        return 0
    return min((layer.sliding_window for layer in layers if isinstance(layer, DynamicSlidingWindowLayer)), default=FAR)


def shares(model: Model, asked: Sequence[Asked], filler: int) -> bool:
    """Returns whether the model finds the same with shared prompts as when it reads all whole.

    It is tried on the shortest and the longest question: ``reach`` knows no model by name, and one that makes
    positions, masks or windows of its own is found out here.
    """
    asked = sorted(asked, key=lambda entry: (max(map(len, entry.tails)) > 1, entry.longest))
    asked = [asked[0], asked[-1]]
    begin = commonprefix([entry.prompt[:-1] for entry in asked])
    try:
        found = shared_sums(model, asked, filler, read_head(model, begin) if begin else None)
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        LOG.info("prompts are not shared, every sequence is read whole: %s", error)
        return False
    whole = [separate_sums(model, [entry], filler)[0] for entry in asked]
    apart = max(abs(a - b) for one, other in zip(found, whole, strict=True) for a, b in zip(one, other, strict=True))
    close = apart <= (1e-3 if model.dtype == torch.float32 else 0.5)
    if not close:
        LOG.info("prompts are not shared, every sequence is read whole: the sums differ by %.3g nats", apart)
    return close
