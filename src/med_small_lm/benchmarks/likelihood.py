"""How likely a model finds each option as the answer: log-probabilities of the options' texts after the prompt.

A prompt is read once for all its options. What the options' replies share at their beginning ("The answer is") is
read with it, and only what tells them apart is read for each::

    pass 1, one row a question, padded on the left          cache of keys and values
    . . <user> stem <assistant> The answer is   ───────────►  ┌─ row ─┐  repeated for each option
    <user> longer stem <assistant> The answer is              └───────┘          │
                                └──┬────────┘                                    ▼
                     log-probabilities of the shared words     pass 2: | an tacid . <end>   padded on the right
                                                                       | dia zepam . .
    score of an option = shared words + its own words

Padding stands only at the two ends, so that every row is one unbroken stretch and positions count its own tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from os.path import commonprefix
from typing import Any, Literal

import torch

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.batches import batches, pad
from med_small_lm.benchmarks.models import (
    Model,
    Tokenizer,
    answered_text,
    context_length,
    pad_id,
    prompt_text,
    token_ids,
)
from med_small_lm.schemas.rows import KeyScore, Prediction, Question

Progress = Callable[[int, int], None]
"""Told how many questions are done, of how many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as tokens.

    ``prompt`` is what every option's sequence shares of the prompt, ``replies`` what each option goes on with. Both
    come from tokenising prompt and reply as one text: a token that spans the seam belongs to the reply.
    """

    prompt: list[int]
    replies: list[list[int]]

    @property
    def shared(self) -> list[int]:
        """The tokens with which all replies begin, short of the last one of the shortest."""
        return list(commonprefix([reply[:-1] for reply in self.replies]))

    @property
    def longest(self) -> int:
        """The tokens of the longest option's sequence."""
        return len(self.prompt) + max(map(len, self.replies))


def option_scores(
    model: Model,
    tokenizer: Tokenizer,
    questions: Sequence[Question],
    form: Form,
    *,
    batch_tokens: int,
    shared_prefix: bool = True,
    progress: Progress | None = None,
) -> list[list[KeyScore]]:
    """Returns the log-probability of each option of each question, in nats, summed over the option's reply.

    An entry is empty where a question and one of its options do not fit the model's context: nothing is cut off.
    A model whose prompts cannot be shared is asked the plain way whatever ``shared_prefix`` says.
    """
    asked = [ask(tokenizer, form, question) for question in questions]
    scores: list[list[KeyScore]] = [[] for _ in questions]
    fitting = [index for index, entry in enumerate(asked) if entry.longest <= context_length(model)]
    done = len(questions) - len(fitting)
    shared_prefix = shared_prefix and can_share(model)
    score = shared_sums if shared_prefix else separate_sums
    sizes = [_size(asked[index], shared_prefix) for index in fitting]
    for batch in batches(sizes, batch_tokens):
        picked = [fitting[number] for number in batch]
        sums = score(model, [asked[index] for index in picked], pad_id(tokenizer))
        for index, values in zip(picked, sums, strict=True):
            entries = zip(questions[index].options, values, asked[index].replies, strict=True)
            scores[index] = [KeyScore(option.key, value, len(reply)) for option, value, reply in entries]
        done += len(picked)
        if progress:
            progress(done, len(questions))
    return scores


def can_share(model: Model) -> bool:
    """Returns whether the model takes what a shared prompt needs: positions, a cache, the last logits alone."""
    takes = signature(model.forward).parameters
    needs = ("position_ids", "past_key_values", "logits_to_keep")
    return all(name in takes for name in needs) and not getattr(model, "_is_stateful", False)


def ask(tokenizer: Tokenizer, form: Form, question: Question) -> Asked:
    """Returns the question and its options as tokens, split where the tokens of prompt and replies part."""
    prompt = prompt_text(tokenizer, form, question)
    texts = [prompt, *(answered_text(tokenizer, form, question, form.answer(option)) for option in question.options)]
    alone, *whole = token_ids(tokenizer, texts)
    split = len(commonprefix([alone, *whole]))
    return Asked(alone[:split], [ids[split:] for ids in whole])


@torch.inference_mode()
def separate_sums(model: Model, asked: Sequence[Asked], filler: int) -> list[list[float]]:
    """Returns the options' log-probabilities, each sequence read whole: the plain way, for comparison."""
    pairs = [(entry.prompt, reply) for entry in asked for reply in entry.replies]
    ids, mask = pad([prompt + reply for prompt, reply in pairs], "right", filler, model.device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    found = _logprobs(logits[:, :-1], ids[:, 1:])
    values = iter(
        float(found[row, len(prompt) - 1 : len(prompt) + len(reply) - 1].sum())
        for row, (prompt, reply) in enumerate(pairs)
    )
    return [[next(values) for _ in entry.replies] for entry in asked]


@torch.inference_mode()
def shared_sums(model: Model, asked: Sequence[Asked], filler: int) -> list[list[float]]:
    """Returns the options' log-probabilities, each prompt read once (see the drawing above)."""
    shared = [entry.shared for entry in asked]
    heads = [entry.prompt + begin for entry, begin in zip(asked, shared, strict=True)]
    ids, mask = pad(heads, "left", filler, model.device)
    keep = max(map(len, shared)) + 1
    read = model(input_ids=ids, attention_mask=mask, position_ids=_positions(mask), use_cache=True, logits_to_keep=keep)
    begun = _logprobs(read.logits[:, :-1], ids[:, ids.shape[1] - keep + 1 :])
    starts = [float(begun[row, keep - 1 - len(begin) :].sum()) for row, begin in enumerate(shared)]

    rows = [row for row, entry in enumerate(asked) for _ in entry.replies]
    tails = [reply[len(begin) :] for entry, begin in zip(asked, shared, strict=True) for reply in entry.replies]
    ends = _tail_sums(model, read, mask, rows, tails, filler)
    sums = iter(starts[row] + end for row, end in zip(rows, ends, strict=True))
    return [[next(sums) for _ in entry.replies] for entry in asked]


def _tail_sums(
    model: Model, read: Any, mask: torch.Tensor, rows: list[int], tails: list[list[int]], filler: int
) -> list[float]:
    """The log-probability of each tail after the head in row ``rows[i]`` of the cache."""
    ids, own = pad(tails, "right", filler, model.device)
    pick = torch.tensor(rows, device=model.device)
    last = read.logits[:, -1].float()
    first = last[pick, ids[:, 0]] - last.logsumexp(dim=-1)[pick]
    if ids.shape[1] == 1:
        return [float(value) for value in first]
    read.past_key_values.batch_select_indices(pick)
    both = torch.cat([mask[pick], own], dim=1)
    logits = model(
        input_ids=ids[:, :-1],
        attention_mask=both[:, :-1],
        position_ids=_positions(both)[:, mask.shape[1] : -1],
        past_key_values=read.past_key_values,
        use_cache=True,
    ).logits
    later = _logprobs(logits, ids[:, 1:]) * own[:, 1:]
    return [float(value) for value in first + later.sum(dim=1)]


def _logprobs(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The log-probability of each target token, [rows, width], from logits [rows, width, vocabulary]."""
    wide = logits.float()
    return wide.gather(-1, targets.unsqueeze(-1)).squeeze(-1) - wide.logsumexp(dim=-1)


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """Each token's place in its own row, from 0; padding before it counts for nothing."""
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


def _size(entry: Asked, shared_prefix: bool) -> int:
    """The tokens that are read for a question, over both passes."""
    if not shared_prefix:
        return entry.longest * len(entry.replies)
    begin = len(entry.shared)
    return len(entry.prompt) + begin + sum(len(reply) - begin for reply in entry.replies)


def hidden_stem(question: Question) -> Question:
    """Returns the question with stem and context taken away: what is left cannot be known, only guessed."""
    return replace(question, stem="", context="")


def best_key(scores: Sequence[KeyScore], normalise: Literal["sum", "length"]) -> str:
    """Returns the key of the likeliest option, the first of equals.

    ``sum`` compares whole log-probabilities, as lm-evaluation-harness's ``acc``; ``length`` their means a token.
    """
    worth = {entry.key: entry.logprob / (entry.n_tokens if normalise == "length" else 1) for entry in reversed(scores)}
    top = max(worth.values())
    return next(entry.key for entry in scores if worth[entry.key] == top)


def predictions_of(
    questions: Sequence[Question],
    scores: Sequence[Sequence[KeyScore]],
    form: Form,
    *,
    model_name: str,
    benchmark: str,
    variant: str,
    normalise: Literal["sum", "length"] = "sum",
) -> list[Prediction]:
    """Returns one prediction a question; its state is "truncated" where the question did not fit the context."""
    made = []
    for question, entries in zip(questions, scores, strict=True):
        keys = [best_key(entries, normalise)] if entries else []
        text = " ".join(form.answer(option) for option in question.options if option.key in keys)
        state = "parsed" if keys else "truncated"
        tokens = sum(entry.n_tokens for entry in entries)
        asked = (model_name, question.question_id, benchmark, "likelihood", variant, 0)
        made.append(Prediction(*asked, text, state, keys, list(entries), tokens))
    return made
