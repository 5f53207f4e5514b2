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
    rf"\b(?:i|we) ?{_CANNOT} (?:\w+ )?{_ANSWERS}\b|\bi(?:'m| am) (?:not|only an? ai|an ai)\b|"
    r"\bje ne (?:peux|sais) pas\b|\bi don't know\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\A(?:(?!\band\b).)*\b(?:see|consult|contact|seek|visit|speak (?:to|with)|talk to|reach out to|consulte[rz])\b.*"
    r"\b(?:doctor|physician|professional|provider|pharmacist|help|attention|care|advice|médecin)s?\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"(?:[.!?;](?=\s|$)|\n)+|,?\s*\b(?:but|however|mais|cependant)\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^\W*(?:as an ai[\w ]*|i(?:'m| am) (?:\w+ )?sorry|sorry|désolée?|(?:since|as|while|although|though|if) [^,]*),",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\W*(?:please|thanks?|thank you|i hope you understand|i(?:'m| am) (?:\w+ )?sorry.*|sorry|désolée?)?\W*",
    re.IGNORECASE,
)


def declines(text: str) -> bool:
    """Returns whether who wrote a text says in it that they cannot answer: "I cannot", not "steroids cannot"."""
    return _DECLINES.search(text.replace("’", "'")) is not None


def leaves_open(text: str) -> bool:
    """Returns whether a reply that names no option declines to, or sends the reader elsewhere."""
    return declines(text) or _SENT_AWAY.search(text) is not None


def refuses(text: str) -> bool:
    """Returns whether a written answer is nothing but a refusal.

    What is left without the clauses that decline, send the reader elsewhere or are polite is an answer, however short:
    "I cannot give a diagnosis, but rest helps."
    """
    text = text.replace("’", "'")
    clauses = [_LEAD.sub("", clause) for clause in _CLAUSE_END.split(text)]
    nothing = (_COURTESY.fullmatch, _REFUSES.search, _ELSEWHERE.search)
    return _REFUSES.search(text) is not None and all(any(says(clause) for says in nothing) for clause in clauses)
