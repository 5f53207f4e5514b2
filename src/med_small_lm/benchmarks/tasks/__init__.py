"""The published benchmarks, one small module each: every ``Task`` that a module of this package holds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib import import_module
from pkgutil import iter_modules

from med_small_lm.benchmarks.defects import stem_of
from med_small_lm.benchmarks.task import Task
from med_small_lm.overlap.normalise import normalised
from med_small_lm.schemas.rows import Question

WORDS_TELL = 8
"""A stem of fewer words may be that of several questions."""


@cache
def known_tasks() -> dict[str, Task]:
    """The tasks by name, in the order of their names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    every = {one.name: one for module in modules for one in vars(module).values() if isinstance(one, Task)}
    return dict(sorted(every.items()))


def task_of(question: Question) -> Task | None:
    """The task that read a question; None for the plain form and the books' own."""
    return known_tasks().get(question.method)


def unit_of(question: Question) -> str:
    """The name of the contamination unit that a question belongs to: its task's, else its exam's own."""
    task = task_of(question)
    return task.contamination_unit if task else question.source


def units(questions: Iterable[Question]) -> dict[str, str]:
    """By question id, what it is counted as where a question that several benchmarks ask is counted once.

    MedQA's releases of four and of five options ask the same questions, their options shuffled independently: what
    they share is the stem. One of few words ("Which of the following is false?") asks nothing without the right answer.
    """
    return {one.question_id: f"{unit_of(one)}:{sha256(_asked(one).encode()).hexdigest()[:16]}" for one in questions}


def _asked(question: Question) -> str:
    """What tells a question from others, whatever the order of its options."""
    stem = stem_of(question)
    return stem if len(stem.split()) >= WORDS_TELL else f"{stem} {normalised(question.answer_text)}"
