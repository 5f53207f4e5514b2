"""What a finished run has left, for the commands that tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from med_small_lm.errors import UserError, is_full

if TYPE_CHECKING:
    from med_small_lm.answers.forms import Form
    from med_small_lm.tuning.checkpoint import Checkpoint

MODELS = ("base", "injected", "tuned")
"""Each made of the one before it."""


def rows_of(catalog: Any, records: Mapping[str, type]) -> dict[str, list[Any]]:
    """The rows of datasets by name, each of the record that is given for it.

    Raises:
        UserError: One is not there, so there was no run yet.
    """
    from med_small_lm.schemas.tables import to_rows

    for name in records:
        if not catalog.exists(name):
            raise UserError(f"there is no {name} yet: run `kedro run` first")
    return {name: to_rows(catalog.load(name), record) for name, record in records.items()}


def checkpoint_of(catalog: Any, name: str) -> Checkpoint:
    """The checkpoint of a model.

    Raises:
        UserError: There is none yet.
    """
    if not catalog.exists(name):
        raise UserError(f"there is no {name} model yet: run `kedro run` first")
    made: Checkpoint = catalog.load(name)
    return made


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """What writes a folder; that it cannot is one line. A full disk is left to the command line's own message.

    Raises:
        UserError: The folder may not be replaced, or cannot be written.
    """
    try:
        yield
    except FileExistsError as problem:
        raise UserError(str(problem)) from problem
    except OSError as problem:
        if is_full(problem):
            raise
        raise UserError(f"{folder} was not written: {' '.join(str(problem).split())}") from problem


def untrained(checkpoint: Checkpoint) -> bool:
    """Whether its weights are random: the tiny model, before any training."""
    from med_small_lm.params.knowledge_injection import TINY

    return not checkpoint.manifest.steps and checkpoint.manifest.parameters.get("source") == TINY


def how_asked(catalog: Any, form: str | None = None) -> tuple[Form, int]:
    """The form of this name, or else that in which the run's model was taught, and the longest reply in tokens.

    Taught in several, it is asked for a reason and an answer if that is one of them, else in the first.
    """
    from med_small_lm.answers.forms import forms_of
    from med_small_lm.params.answers import Answers
    from med_small_lm.params.evaluate import Evaluate
    from med_small_lm.params.instruction_tune import InstructionTune

    # Kedro gives parameters of pipelines that do not run as plain dictionaries.
    most = Evaluate.model_validate(catalog.load("params:evaluate")).max_new_tokens
    taught = InstructionTune.model_validate(catalog.load("params:instruction_tune")).conversations.forms
    chosen = form or ("explain" if "explain" in taught else taught[0])
    return forms_of(Answers.model_validate(catalog.load("params:answers")))[chosen], most
