"""The hub of models and data sets: shut, but for the one call that may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from med_small_lm.errors import UserError


@contextmanager
def hub_open(allowed: bool) -> Iterator[None]:
    """The hub open for a while, if that is allowed; the project keeps it shut otherwise."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before and not allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


MODEL_FILES = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja", "*.tiktoken")
"""What is read of a model: no code and no pickled weights."""


def dataset_folder(repository: str, revision: str | None, suffixes: Sequence[str], *, allowed: bool) -> Path:
    """The folder of a data set's files of these suffixes: of the local cache, or fetched. No code of it is run.

    Raises:
        UserError: It is not in the cache and may not be fetched, or it cannot be.
    """
    return _folder(repository, revision, [f"*{suffix}" for suffix in suffixes], "dataset", allowed)


def model_folder(repository: str, revision: str | None, *, allowed: bool) -> Path:
    """The folder of a model: of the local cache, or fetched. No code of it is run.

    Raises:
        UserError: It is not in the cache and may not be fetched, or it cannot be.
    """
    return _folder(repository, revision, MODEL_FILES, "model", allowed)


def _folder(repository: str, revision: str | None, patterns: Sequence[str], kind: str, allowed: bool) -> Path:
    try:
        with hub_open(allowed):
            found = snapshot_download(
                repository, repo_type=kind, revision=revision, local_files_only=not allowed,
                allow_patterns=list(patterns),
            )  # fmt: skip
    except (OSError, ValueError, HfHubHTTPError) as problem:
        hint = "" if allowed else "; `allow_download: true` lets it be fetched"
        said = " ".join(str(problem).split())[:200]
        raise UserError(f"{repository} of the hub is not in the local cache{hint} ({said})") from problem
    return Path(found)
