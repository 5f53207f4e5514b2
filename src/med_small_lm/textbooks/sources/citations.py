"""References to the literature taken out of sentences, so that no ``[12, ]`` is left hanging."""

from __future__ import annotations

import re

CITED = "\ufdd0{}\ufdd1"
"""How a reference is marked in a text until it is taken out."""
_MARKS = {0xFDD0: None, 0xFDD1: None}  # no text has these two: Unicode keeps them for use inside programs
_ONE = r"\ufdd0[^\ufdd0\ufdd1]*\ufdd1"
_BETWEEN = r"(?:[\s,;&–—\-]|\b(?:and|see|also|e\.g\.|cf\.|for (?:a )?review|reviewed (?:in|by)))*"
_BRACKETED = re.compile(rf"\s?[\[(]{_BETWEEN}{_ONE}(?:{_BETWEEN}{_ONE})*{_BETWEEN}[\])]")
_RUN = re.compile(rf"\s*({_ONE}(?:[\s,;–\-]*{_ONE})*)")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def drop_citations(text: str) -> str:
    """The text without marked references; one that is part of the sentence (``Smith et al. found``) stays in words."""
    if "\ufdd0" not in text:
        return text
    return _RUN.sub(_said, _BRACKETED.sub("", text)).translate(_MARKS)


def _said(found: re.Match[str]) -> str:
    return found.group(0) if _WORDS.search(found.group(1)) else ""
