"""The card of a checkpoint: what it was made from, and under which terms whatever is built from it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from med_small_lm.markdown import table
from med_small_lm.tuning.cards import PURPOSE, binding, model_head
from med_small_lm.tuning.licences import terms_of


def model_card(name: str, parents: Mapping[str, str], licences: Sequence[str], tokens_seen: int) -> str:
    """Returns the card of a model: a head that the hub reads, its parents, the licences of its texts and their terms.

    Args:
        name: the model's name.
        parents: fingerprints of the checkpoints that it started from, by name.
        licences: of all records that it and its parents were trained on.
        tokens_seen: tokens of its own training.
    """
    lines = [
        *model_head(licences),
        f"# {name}", "",
        f"Trained by med-small-lm on {tokens_seen:,} tokens. {PURPOSE}",
        *(f"Made from `{parent}` ({mark})." for parent, mark in parents.items()), "",
        "`manifest.json` has the parameters and the digests of the data.", "",
        "## Licences of what it was trained on", "",
        *terms(licences),
    ]  # fmt: skip
    return "\n".join(lines)


def terms(licences: Sequence[str]) -> list[str]:
    """Returns the table of a model's licences, and what binds whatever is built from it."""
    rows = [[licence, ", ".join(terms_of(licence).named())] for licence in licences]
    return [*([table(["licence", "terms"], rows), ""] if rows else []), binding(licences, "it"), ""]
