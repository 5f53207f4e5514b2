"""Which option a text means that spells none of them exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from med_small_lm.schemas.rows import Option

NEAR = 0.7
"""Least likeness (0 to 1) of a text to the option that it is taken for."""
MARGIN = 0.15
"""Least lead of that option over the next one."""

_TOKEN = re.compile(r"\w+|[<>≤≥+%=±]")
_ARTICLES = frozenset({"a", "an", "the", "of"})
_POLES = frozenset(
    re.findall(
        r"\w+",
        "no not non without absent present left right increased decreased high low positive negative acute chronic "
        "anterior posterior superior inferior medial lateral proximal distal upper lower primary secondary tertiary "
        "first second third fourth fifth sixth seventh eighth ninth tenth type",
    )
)
_PREFIXES = (
    ("hypo", "hyper"), ("ab", "ad"), ("af", "ef"), ("intra", "extra"), ("macro", "micro"), ("pre", "post"),
    ("brady", "tachy"), ("endo", "exo"), ("iso", "an"), ("anti", ""), ("non", ""), ("un", ""), ("a", ""), ("in", ""),
)  # fmt: skip


def tokens(text: str) -> list[str]:
    """Returns the words, numbers and signs of a text in lower case; a sign matters: "> 40" is not "< 40"."""
    return [token.casefold() for token in _TOKEN.findall(text)]


def likeness(a: str, b: str) -> float:
    """Returns how alike two texts are, 0 to 1: the mean of shared characters and shared words; 0 for opposites.

    Characters alone would take "hypothyroidism" for "hyperthyroidism"; words alone forgive no ending.
    """
    left, right = ([_singular(token) for token in tokens(text) if token not in _ARTICLES] for text in (a, b))
    if not left or not right or opposed(set(left), set(right)):
        return 0.0
    if left == right:
        return 1.0
    shared = sum(min(left.count(token), right.count(token)) for token in set(left))
    words = 2 * shared / (len(left) + len(right))
    characters = SequenceMatcher(None, " ".join(left), " ".join(right), autojunk=False).ratio()
    return (words + characters) / 2


def _singular(token: str) -> str:
    """A word without a plural's ending. Other endings stay: prednisone is not prednisolone."""
    return re.sub(r"e?s?$", "", token) if len(token) > 4 else token


def opposed(a: set[str], b: set[str]) -> bool:
    """Returns whether two sets of words differ in a number, a sign, a side or a prefix that turns the meaning."""
    only_a, only_b = a - b, b - a
    if any(token in _POLES or not token.isalpha() for token in only_a | only_b):
        return True
    return any(_turned(x, y) for x in only_a for y in only_b)


def _turned(x: str, y: str) -> bool:
    """Whether one prefix makes two words opposites."""
    for one, other in _PREFIXES:
        for p, q in ((one, other), (other, one)):
            if x.startswith(p) and y.startswith(q) and x[len(p) :] == y[len(q) :]:
                return True
    return False


def nearest(text: str, options: Sequence[Option]) -> str | None:
    """Returns the key of the one option that ``text`` clearly means, or None where there is none or more than one."""
    ranked = sorted(((likeness(text, option.text), option.key) for option in options), reverse=True)
    if not ranked or ranked[0][0] < NEAR:
        return None
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN:
        return None
    return ranked[0][1]


def spans(text: str, options: Sequence[Option]) -> list[tuple[int, int, str]]:
    """Returns where options stand in ``text`` word for word, as (start, end, key); not those inside a longer one."""
    found = [(*match.span(), option.key) for option in options for match in _occurrences(text, option.text)]
    found.sort()
    return [
        (start, end, key)
        for start, end, key in found
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in found)
    ]


def _occurrences(text: str, phrase: str) -> Iterator[re.Match[str]]:
    """The places where ``phrase`` stands in ``text``, whatever its case, spaces and hyphens."""
    words = _TOKEN.findall(phrase)
    if not words:
        yield from re.finditer(re.escape(phrase.strip()), text) if phrase.strip() else ()
        return
    body = re.escape(words[0])
    for before, word in zip(words, words[1:], strict=False):
        gap = r"[^\w<>≤≥+%=±.\n]" if before[-1].isalpha() and word[0].isalpha() else r"[^\w<>≤≥+%=±\n]"
        least = "+" if before[-1].isalnum() and word[0].isalnum() else "*"
        body += f"(?:{gap}{least}|\\.[ ]?){re.escape(word)}" if least == "+" else f"{gap}*{re.escape(word)}"
    edges = r"(?<![\w<>≤≥±])(?<!\d[.,])(?<!\w-){}(?![\w%+±])(?![.,]\d)(?!-\w)"
    yield from re.finditer(edges.format(body), text, re.IGNORECASE)
