"""Options shown in other orders: what a model answers should not depend on where the right one stands.

Where an option names others by their letters ("Both A and B") the question keeps its order; one that stands for all or
none of the others ("None of the above") keeps its place.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from med_small_lm.overlap.guarded import points_at_all, points_at_letters
from med_small_lm.schemas.rows import KeyScore, Option, Question


def order_of(question: Question, number: int, seed: int) -> list[int]:
    """Returns which option stands at each place in order ``number``, from 0, the published one.

    The first orders are rotations, so that every option that may move stands once at every place that is free; those
    after them are drawn.
    """
    free = _free(question)
    n = len(free)
    if number < n:
        moved = free[number:] + free[:number]
    else:
        moved = random.Random(f"{seed}/{question.question_id}/{number}").sample(free, n)
    order = list(range(len(question.options)))
    for place, other in zip(free, moved, strict=True):
        order[place] = other
    return order


def is_permuted(question: Question) -> bool:
    """Returns whether there is another order than the published one."""
    return len(_free(question)) > 1


def _free(question: Question) -> list[int]:
    """The places of the options that may stand elsewhere."""
    texts = [option.text for option in question.options]
    if any(points_at_letters(text.upper()) for text in texts):
        return []
    return [place for place, text in enumerate(texts) if not points_at_all(text)]


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
