"""How likely a model finds each option as the answer: log-probabilities of what it would reply, and the likeliest.

How a question and its options become texts is said in ``prompts``, how they are read in ``reading``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from med_small_lm.benchmarks.batches import batches
from med_small_lm.benchmarks.metrics import characters_of
from med_small_lm.benchmarks.models import Model, Tokenizer, context_length, pad_id
from med_small_lm.benchmarks.prompts import Asked, Prompts
from med_small_lm.benchmarks.reading import common_head, reach, separate_sums, shared_sums, shares
from med_small_lm.schemas.rows import KeyScore, Question

Progress = Callable[[int, int], None]
"""Told how many questions are done, of how many."""

Normalise = Literal["sum", "length", "characters"]
"""What option texts are compared by: log-probability in all, its mean a token, or a character. Letters are summed."""

CPU_TOKENS = 1_024
"""Most tokens of a batch on a CPU: what is more leaves its caches, and is slower."""


def option_scores(
    model: Model,
    tokenizer: Tokenizer,
    questions: Sequence[Question],
    prompts: Prompts,
    *,
    batch_tokens: int,
    batch_rows: int = 1024,
    shared_prefix: bool = True,
    progress: Progress | None = None,
) -> list[list[KeyScore]]:
    """Returns the log-probability of each option of each question, in nats, summed over the option's reply.

    An entry is empty where a question and one of its options do not fit the model's context: nothing is cut off.

    Args:
        model: any causal language model of transformers.
        tokenizer: its own.
        questions: with options.
        prompts: how they are asked.
        batch_tokens: most tokens of a batch, with padding; on a CPU at most ``CPU_TOKENS``.
        batch_rows: most questions of a batch.
        shared_prefix: whether what sequences begin with alike is read once; a model that cannot reads all of each.
        progress: told after each batch.
    """
    asked = prompts.ask(tokenizer, questions)
    scores: list[list[KeyScore]] = [[] for _ in questions]
    fitting = [index for index, entry in enumerate(asked) if entry.longest <= context_length(model)]
    done, filler = len(questions) - len(fitting), pad_id(tokenizer)
    groups = _by_opening(prompts, questions, fitting)
    most = min(batch_tokens, CPU_TOKENS) if model.device.type == "cpu" else batch_tokens
    for part, sums, size in _parts(model, asked, groups, filler, shared_prefix):
        widths = [len(asked[index].row) for index in part]
        for batch in batches([size(asked[index]) for index in part], most, batch_rows, widths):
            picked = [part[number] for number in batch]
            found = sums(model, [asked[index] for index in picked], filler)
            for index, values in zip(picked, found, strict=True):
                entries = zip(questions[index].options, values, asked[index].replies, strict=True)
                scores[index] = [KeyScore(option.key, value, len(reply)) for option, value, reply in entries]
            done += len(picked)
            if progress:
                progress(done, len(questions))
    return scores


def _by_opening(prompts: Prompts, questions: Sequence[Question], fitting: Sequence[int]) -> list[list[int]]:
    """The questions, those together whose prompts open alike."""
    groups: dict[str, list[int]] = {}
    for index in fitting:
        groups.setdefault(prompts.opening(questions[index]), []).append(index)
    return list(groups.values())


Part = tuple[list[int], Callable[..., list[list[float]]], Callable[[Asked], int]]


def _parts(
    model: Model, asked: Sequence[Asked], groups: Sequence[Sequence[int]], filler: int, shared_prefix: bool
) -> Iterator[Part]:
    """The questions that are read in one way, that way, and how many tokens it holds of a question."""
    every = sorted((index for group in groups for index in group), key=lambda index: asked[index].longest)
    limit = reach(model) if shared_prefix and every else 0
    within = [asked[index] for index in every if asked[index].longest < limit]
    if within and not shares(model, within, filler):
        limit = 0
    for group in groups:
        near = [index for index in group if asked[index].longest < limit]
        head = common_head(model, [asked[index].prompt for index in near])
        if near:
            yield near, partial(shared_sums, head=head), _tokens_shared
    if far := [index for index in every if asked[index].longest >= limit]:
        yield far, separate_sums, _tokens_apart


def _tokens_shared(entry: Asked) -> int:
    return len(entry.row) + sum(len(tail) - 1 for tail in entry.tails)


def _tokens_apart(entry: Asked) -> int:
    return entry.longest * len({tuple(reply[:-1]) for reply in entry.replies})


def best_key(scores: Sequence[KeyScore], normalise: Normalise = "sum", question: Question | None = None) -> str:
    """Returns the key of the likeliest option, the first of equals.

    Args:
        scores: of the options.
        normalise: ``sum`` compares whole log-probabilities, as lm-evaluation-harness' ``acc``; ``length`` their means
            a token; ``characters`` those divided by the length of the option's text, as its ``acc_norm``.
        question: whose options they are; only ``characters`` needs it.
    """
    if normalise == "characters":
        assert question
        lengths = characters_of(question)
    else:
        lengths = {entry.key: entry.n_tokens if normalise == "length" else 1 for entry in scores}
    return max(scores, key=lambda entry: entry.logprob / lengths[entry.key]).key
