"""The gate for what may identify somebody, with the user's own model for names where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from med_small_lm.errors import UserError
from med_small_lm.schemas.rows import Verdict
from med_small_lm.synthesis.gates.phi import looked_for, phi


def private_gate(names_model: str | None) -> tuple[Callable[[Sequence[str]], Verdict], str]:
    """The gate, and what it looks for, as a report says it.

    Raises:
        UserError: ``names_model`` is no folder of a model that tells names.
    """
    if names_model is None:
        return phi, looked_for()
    if not (Path(names_model) / "config.json").is_file():
        raise UserError(f"synthesize_cot.instructions.names_model: there is no model in the folder {names_model}")
    from med_small_lm.tuning.names import namer

    try:
        return partial(phi, names=namer(Path(names_model))), looked_for(names_model)
    except (ValueError, OSError) as problem:
        raise UserError(f"synthesize_cot.instructions.names_model: {problem}") from problem
