"""Sentences of a passage, and the small repairs that make their parts readable on their own."""

from __future__ import annotations

import re
from functools import lru_cache

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|vs|cf|Dr|Mr|Ms|Mrs|St|Fig|No|approx|ca|spp|sp|subsp|var|Inc|U\.S|a\.m|p\.m)|(?:^|"
    r"[.,;(] ?)[A-Z])\.$"
)
_CITATION = re.compile(
    r"\s*\((?:see |as cited in )?[^()]*?(?:\d{4}[a-z]?|n\.d\.|et al\.[^()]*|figure/table|Figure|Table|Fig\.)[^()]*\)"
)
_GLOSS = re.compile(r"\s*[(\[][^()\[\]]{1,80}[)\]]")
_SPACE = re.compile(r"\s+")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of ``text`` as they stand there, so that each can be quoted word for word.

    A line of its own (a heading, an item, a row of a table) is no part of the next line's sentence.
    """
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        for end in _END.finditer(line):
            piece = line[start : end.start()]
            if not _ABBREVIATION.search(piece):
                found.append(line[start : end.end()].strip())
                start = end.end()
        found.append(line[start:].strip())
    return tuple(sentence for sentence in found if sentence)


def is_whole(sentence: str) -> bool:
    """Return whether a sentence ends as a statement does, which headings, items and rows of tables do not."""
    return sentence.rstrip('"”’)').endswith(".") and " | " not in sentence


def plain(sentence: str) -> str:
    """Return a sentence without citations, bracketed glosses and final stop: what the rules are matched against."""
    text = _GLOSS.sub("", _CITATION.sub("", sentence))
    return _SPACE.sub(" ", text).strip().rstrip(".").strip()


def without_article(phrase: str) -> str:
    """Return a noun phrase without its leading article."""
    return _ARTICLE.sub("", phrase, count=1)


def starts_upper(sentence: str) -> str:
    """Return a sentence with a capital first letter, unless its first word is a name written otherwise (mRNA, pH)."""
    first = re.split(r"[ -]", sentence, maxsplit=1)[0]
    return sentence if any(c.isupper() for c in first[1:]) else sentence[:1].upper() + sentence[1:]


def words(text: str) -> list[str]:
    """Return the lower-case words of a text."""
    return re.findall(r"[a-z0-9]+(?:['’-][a-z0-9]+)*", text.lower())
