"""What each run was put, by its predictions: a run of which nothing could be asked has no score to tell of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from med_small_lm.benchmarks.parts import RunKey
from med_small_lm.benchmarks.voting import FAILED
from med_small_lm.schemas.rows import Prediction


@dataclass(frozen=True, slots=True)
class Asked:
    """How many questions a run was put, and of how many of them no sample could be asked."""

    n: int
    n_failed: int


def asked_of(predictions: Iterable[Prediction]) -> dict[RunKey, Asked]:
    """Returns what each run was put, in the order in which runs come up."""
    answered: dict[RunKey, dict[str, bool]] = {}
    for made in predictions:
        own = answered.setdefault((made.model, made.benchmark, made.mode, made.variant), {})
        own[made.question_id] = own.get(made.question_id, False) or made.state != FAILED
    return {run: Asked(len(own), sum(not any_ for any_ in own.values())) for run, own in answered.items()}
