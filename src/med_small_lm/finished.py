"""What a finished run has left, for the commands that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from med_small_lm.errors import UserError

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


def how_asked(catalog: Any, form: str) -> tuple[Form, int]:
    """The form of this name that models are asked in, and the longest reply in tokens."""
    from med_small_lm.answers.forms import forms_of
    from med_small_lm.params.answers import Answers
    from med_small_lm.params.evaluate import Evaluate

    # Kedro gives parameters of pipelines that do not run as plain dictionaries.
    most = Evaluate.model_validate(catalog.load("params:evaluate")).max_new_tokens
    return forms_of(Answers.model_validate(catalog.load("params:answers")))[form], most
