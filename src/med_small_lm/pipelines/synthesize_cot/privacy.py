"""The gate for what may identify somebody, with the user's own model for names where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from med_small_lm.schemas.rows import Verdict
from med_small_lm.synthesis.gates.phi import looked_for, phi


def private_gate(names_model: Path | None) -> tuple[Callable[[Sequence[str]], Verdict], str]:
    """The gate, and what it looks for, as a report says it.

    Raises:
        UserError: ``names_model`` is no folder of a model that tells names.
    """
    if names_model is None:
        return phi, looked_for()
    from med_small_lm.tuning.names import namer

    return partial(phi, names=namer(names_model)), looked_for(str(names_model))
