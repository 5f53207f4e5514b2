"""What all cards share, of checkpoints, exported models and exported data: the head, the purpose, the terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import yaml

from med_small_lm.tuning.licences import hub_licence, terms_in_words

CARD = "README.md"
PURPOSE = "For research and for testing software, not for clinical use."


def head(licences: Collection[str], told: Mapping[str, Any]) -> list[str]:
    """Returns the lines that the hub reads: the licence, and what else is told."""
    return ["---", yaml.safe_dump({**hub_licence(licences), **told}, sort_keys=False).rstrip(), "---", ""]


def model_head(licences: Collection[str], **told: Any) -> list[str]:
    """Returns the head of a language model's card."""
    kind = {"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["medical"]}
    return head(licences, {**kind, **told})


def binding(licences: Collection[str], what: str) -> str:
    """Returns the sentence that says which terms bind whatever is built from ``what``."""
    if bound := terms_in_words(licences):
        return f"**Terms that bind whatever is built from {what}:** {bound}."
    return "No licence asks for more than to be named."
