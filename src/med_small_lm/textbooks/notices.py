"""Stretches that teach nothing, told by their form: addresses, notices of the publisher, and who wrote a chapter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from med_small_lm.textbooks.sections import Placed

_URLS = re.compile(r"(?:\(?(?:https?://|www\.|doi:\s?10\.)\S+[\s.,;]*)+")
_NOTICE = re.compile(
    r"(?:access (?:this .{1,20} )?for free at|this (?:content|book|chapter) is available (?:for )?free at"
    r"|downloaded from|all rights reserved|(?:copyright )?©|copyright \d{4}|e?isbn[\s:-]|issn[\s:-]|library of congress"
    r"|printed in (?:the )?[A-Z]|no part of this (?:publication|book))",
    re.IGNORECASE,
)
_NOTICE_WORDS = 60
_NAME = r"(?:[A-Z][\w’'-]*\.?(?:\s(?:[A-Z]\.|de|van|von|der|la|del|da|di|bin|al))*\s){1,3}[A-Z][\w’'-]+"
_DEGREE = (
    r"(?:MD|PhD|Ph\.D\.|M\.D\.|DO|RN|RD|RDN|LD|MSN|DNP|BSN|APRN|FNP|CNE|PharmD|MPH|MSc|MS|MA|BSc|EdD|DDS|DVM|MBBS"
    r"|FACP|FRCP)"
)
_AUTHORS = re.compile(
    rf"(?:(?:[Bb]y|Authors?:|Edited by)\s)?{_NAME}(?:,\s{_DEGREE}\b\.?)*"
    rf"(?:(?:,\s(?:and\s)?|\s(?:and|&|•|·)\s|;\s){_NAME}(?:,\s{_DEGREE}\b\.?)*)*[\d*†,\s]*"
)
_AFFILIATION = re.compile(
    r"\b(?:University|Hospital|Department|School|Institute|College|Cent(?:er|re)|Faculty|Clinic)\b"
)
_AUTHOR_WORDS = 60
_BELOW = 3  # authors and where they work stand in so many stretches below the title


def mark_notices(placed: list[Placed]) -> list[Placed]:
    """The same, with addresses alone in a line, publishers' notices and author lists kept apart with their reason."""
    title = -_BELOW - 1  # where the last chapter's title stands, or the authors below it
    for index, item in enumerate(placed):
        paragraph = item.paragraph
        if 0 < index - title <= _BELOW and not item.reason and _names_authors(placed, index):
            item.reason = "authors"
        elif paragraph.kind == "heading":
            title = index if " > " not in item.section else -_BELOW - 1
        elif item.reason or len(paragraph.text) > 600:
            continue
        elif _URLS.fullmatch(paragraph.text):
            item.reason = "addresses"
        elif _NOTICE.match(paragraph.text) and paragraph.n_words <= _NOTICE_WORDS:
            item.reason = "notices"
    return placed


def _names_authors(placed: list[Placed], index: int) -> bool:
    """Whether a stretch below a title says who wrote the chapter, or where they work."""
    text = placed[index].paragraph.text
    if len(text.split()) > _AUTHOR_WORDS or text.endswith((":", "?", "!")):
        return False
    several = re.search(rf"^By\s|,\s{_DEGREE}\b|,\s|\sand\s|\s&\s|•", text)
    if several and _AUTHORS.fullmatch(text):
        return True
    below = placed[index - 1].reason == "authors"
    return below and bool(_AFFILIATION.search(text)) and not text.endswith(".")
