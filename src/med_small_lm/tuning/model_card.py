"""The card of a checkpoint: what it was made from, and under which terms whatever is built from it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from med_small_lm.markdown import table
from med_small_lm.tuning.licences import hub_licence, terms_in_words, terms_of

CARD = "README.md"


def model_card(name: str, parents: Mapping[str, str], licences: Sequence[str], tokens_seen: int) -> str:
    """Returns the card of a model: a head that the hub reads, its parents, the licences of its texts and their terms.

    Args:
        name: the model's name.
        parents: fingerprints of the checkpoints that it started from, by name.
        licences: of all records that it and its parents were trained on.
        tokens_seen: tokens of its own training.
    """
    head = {**hub_licence(licences), "library_name": "transformers", "pipeline_tag": "text-generation"}
    head["tags"] = ["medical"]  # type: ignore[assignment]
    bound = terms_in_words(licences)
    rows = [[licence, ", ".join(terms_of(licence).named())] for licence in licences]
    lines = [
        "---", yaml.safe_dump(head, sort_keys=False).rstrip(), "---", "",
        f"# {name}", "",
        f"Trained by med-small-lm on {tokens_seen:,} tokens, for research and for testing software, not clinical use.",
        *(f"Made from `{parent}` ({mark})." for parent, mark in parents.items()), "",
        "`manifest.json` has the parameters and the digests of the data.", "",
        "## Licences of what it was trained on", "",
        *([table(["licence", "terms"], rows), ""] if rows else []),
        f"**Terms that bind whatever is built from it:** {bound}." if bound
        else "No licence of its texts asks for more than to be named.", "",
    ]  # fmt: skip
    return "\n".join(lines)
