"""What the user wrote wrongly: one clear error that names the place and the cure."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import click

TOLD = {"CheckpointError", "Diverged", "LaunchError", "Stopped", "TeacherError", "TrainingError", "UnknownQuestion"}
"""Our own errors that say what the user can mend, by name: the modules of some of them import torch."""
FULL = re.compile(r"no space left|disk is full|disk quota exceeded", re.IGNORECASE)  # safetensors and SQLite say it so


class UserError(click.ClickException):
    """A mistake in the configuration or on the command line: every command shows it as one line, exit code 1."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint "(did you mean x?)" for the closest of ``known``, or nothing where none is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def yaml_fault(problem: BaseException) -> str:
    """What YAML says is wrong and in which line, on one line; YAML's own text has a drawing and no file's name."""
    return re.sub(r' in "<[^>]+>"', "", " ".join(str(problem).split()))


def mendable(problem: BaseException) -> BaseException | None:
    """What the user can mend among an error and its causes, a full disk before all, or None for a bug."""
    chain = list(causes(problem))
    full = [cause for cause in reversed(chain) if is_full(cause)]
    own = [cause for cause in chain if isinstance(cause, UserError) or type(cause).__name__ in TOLD]
    return next(iter([*full, *own]), None)


def is_full(problem: BaseException) -> bool:
    """Whether an error says that the disk is full."""
    no_room = isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return no_room or FULL.search(str(problem)) is not None


def causes(problem: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came from, what that came from."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
