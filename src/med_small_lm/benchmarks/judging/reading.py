"""Which verdict a judge's reply gives: one of the words that were asked for, or none, and never a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence

from med_small_lm.answers.markup import plain
from med_small_lm.answers.thinking import without_thinking
from med_small_lm.teacher.requests import OK, Reply

VERDICT_READ, UNCLEAR, FAILED = "read", "unclear", "failed"
"""The states of a verdict."""


def verdict_of(reply: Reply, words: Sequence[str]) -> tuple[str, str]:
    """Returns the label of a reply and its state: read, unclear (it says none of the words), failed (there is none).

    A reply that is no object of the schema may still say its verdict: in a field of that name, or alone in its last
    line. Words elsewhere count for nothing: "it is true that …" is no verdict.
    """
    if reply.status not in (OK, "invalid"):
        return "", FAILED
    told = (reply.parsed or {}).get("verdict")
    label = str(told).casefold() if told is not None else _worded(reply.content, words)
    return (label, VERDICT_READ) if label in words else ("", UNCLEAR)


def _worded(content: str, words: Sequence[str]) -> str:
    """The verdict that a text gives outside the schema; empty where it gives none, or two."""
    text, ended = without_thinking(content)
    one = rf"({'|'.join(words)})"
    fields = {found.casefold() for found in re.findall(rf'"verdict"\s*:\s*"?{one}\b', text, re.IGNORECASE)}
    if fields or not ended:
        return fields.pop() if len(fields) == 1 else ""
    last = plain(text).splitlines()[-1:] or [""]
    alone = re.fullmatch(rf"\W*(?:(?:final\s+)?(?:verdict|answer|label)\b\W*(?:is\b)?\W*)?{one}\W*", last[0], re.I)
    return alone[1].casefold() if alone else ""
