"""Whether who writes declines to answer."""

from __future__ import annotations

import re

_CANNOT = (
    r"(?:cannot|can't|can not|could not|couldn't|won't|will not|do not|don't|am unable to|'m unable to|"
    r"am not able to|'m not able to|am not qualified to|must decline to)"
)
_ANSWERS = r"(?:know|answer|determine|provide|give|choose|select|say|help|assist|comply|offer)"
_DECLINES = re.compile(
    rf"\b(?:i|we)(?:'m| am|'re| are)? (?:sorry|unable|not able|not sure)\b|\b(?:i|we) ?{_CANNOT} {_ANSWERS}\b|"
    r"\bas an ai\b|\A\W*(?:sorry|unable to|cannot|can't|not enough information|insufficient information)\b|"
    r"\bje ne (?:peux|sais|suis) pas\b|\bje refuse\b|\bimpossible (?:de|d')\s*(?:répondre|déterminer)\b|"
    r"\bdésolée?\b",
    re.IGNORECASE,
)
_SENT_AWAY = re.compile(
    r"\bconsult (?:a|your) (?:doctor|physician)|\b(?:not enough|insufficient) information\b|\bi have no idea\b|"
    r"\bunable to (?:answer|determine)\b|\bveuillez consulter\b",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    rf"\b(?:i|we) ?{_CANNOT} (?:\w+ )?{_ANSWERS}\b|\bas an ai\b|\bje ne (?:peux|sais) pas\b|\bi don't know\b",
    re.IGNORECASE,
)
_SHORT = 50
"""Most words of a written answer that a refusal may be: what goes on for longer answers something."""


def declines(text: str) -> bool:
    """Returns whether who wrote a text says in it that they cannot answer: "I cannot", not "steroids cannot"."""
    return _DECLINES.search(text.replace("’", "'")) is not None


def leaves_open(text: str) -> bool:
    """Returns whether a reply that names no option declines to, or sends the reader elsewhere."""
    return declines(text) or _SENT_AWAY.search(text) is not None


def refuses(text: str) -> bool:
    """Returns whether a written answer is nothing but a refusal: "I'm sorry to hear that" begins many that are none."""
    return len(text.split()) <= _SHORT and _REFUSES.search(text) is not None
