"""What the user wrote wrongly: one clear error that names the place and the cure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

import click


class UserError(click.ClickException):
    """A mistake in the configuration or on the command line: every command shows it as one line, exit code 1."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint "(did you mean x?)" for the closest of ``known``, or nothing where none is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def yaml_fault(problem: BaseException) -> str:
    """What YAML says is wrong and in which line, on one line; YAML's own text has a drawing and no file's name."""
    return re.sub(r' in "<[^>]+>"', "", " ".join(str(problem).split()))
