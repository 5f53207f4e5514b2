"""Rationales that go through the options: "Option A is TRUE. Why. Option B is FALSE. Why." (PMC-LLaMA)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from med_small_lm.synthesis.asked import text_field

_HEAD = re.compile(r"\bOption (\w{1,2}) is (TRUE|FALSE)\b[.:,;]?\s*")
_KEY = re.compile(r"\W*(?:option\W+)?(\w{1,2})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JudgedOption:
    """What a rationale says of one option: its key, whether it is a right answer, and why."""

    key: str
    is_true: bool
    why: str


def judged_options(text: str) -> list[JudgedOption]:
    """Return what a text says of options, in its order; empty where it does not begin with one."""
    before, *parts = _HEAD.split(text)
    if before.strip():
        return []
    keys, said, whys = parts[::3], parts[1::3], parts[2::3]
    return [JudgedOption(k, v == "TRUE", why.strip()) for k, v, why in zip(keys, said, whys, strict=True)]


def optionwise_text(parsed: Mapping[str, Any]) -> str:
    """Return the list of a reply as the text of a rationale; what is no judgement of an option is left out of it."""
    items = parsed.get("options")
    told = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return " ".join(
        f"Option {_key(text_field(item, 'option'))} is "
        f"{text_field(item, 'verdict').upper()}. {text_field(item, 'why')}".strip()
        for item in told
    )


def _key(said: str) -> str:
    """Return the key of an option as a teacher names it: "B", "(b)", "Option B", "B. iron"."""
    found = _KEY.match(said)
    return found[1].upper() if found else said
