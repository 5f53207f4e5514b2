"""Options shown in other orders: what a model answers should not depend on where the right one stands."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from med_small_lm.schemas.rows import KeyScore, Option, Question


def order_of(question: Question, number: int, seed: int) -> list[int]:
    """Returns which option stands at each place in order ``number``, from 0, the published one.

    The first orders are rotations, so that every option stands once at every place; those after them are drawn.
    """
    n = len(question.options)
    if number < n:
        return [(place + number) % n for place in range(n)]
    return random.Random(f"{seed}/{question.question_id}/{number}").sample(range(n), n)


def shown(question: Question, order: Sequence[int]) -> Question:
    """Returns the question with its options in another order behind the same letters."""
    keys = [option.key for option in question.options]
    options = [Option(key, question.options[place].text) for key, place in zip(keys, order, strict=True)]
    right = [key for key, place in zip(keys, order, strict=True) if keys[place] in question.answer_keys]
    return replace(question, options=options, answer_keys=right)


def published(question: Question, order: Sequence[int], keys: Sequence[str]) -> list[str]:
    """Returns keys as shown in an order as the benchmark's own, in the benchmark's order."""
    back = _back(question, order)
    named = {back[key] for key in keys}
    return [option.key for option in question.options if option.key in named]


def published_scores(question: Question, order: Sequence[int], scores: Sequence[KeyScore]) -> list[KeyScore]:
    """Returns the scores of options as shown in an order under the benchmark's own keys, in its order."""
    back = _back(question, order)
    by_key = {back[one.key]: replace(one, key=back[one.key]) for one in scores}
    return [by_key[option.key] for option in question.options if option.key in by_key]


def _back(question: Question, order: Sequence[int]) -> dict[str, str]:
    keys = [option.key for option in question.options]
    return {key: keys[place] for key, place in zip(keys, order, strict=True)}
