"""What the user wrote wrongly: one clear error that names the place and the cure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import click


class UserError(click.ClickException):
    """A mistake in the configuration or on the command line: every command shows it as one line, exit code 1."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint "(did you mean x?)" for the closest of ``known``, or nothing where none is close."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
