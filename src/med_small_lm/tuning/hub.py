"""The hub of models: shut, but for the one call that may use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants


@contextmanager
def hub_open(allowed: bool) -> Iterator[None]:
    """The hub open for a while, if that is allowed; the project keeps it shut otherwise."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before and not allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
