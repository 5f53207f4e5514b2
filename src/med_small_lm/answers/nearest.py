"""Which option a text means that spells none of them exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from med_small_lm.schemas.rows import Option

NEAR = 0.85
"""Least likeness (0 to 1) of a text to the option that it is taken for: one word of four may be too many."""
MARGIN = 0.15
"""Least lead of that option over the next one."""

TEXT = "\ue000"
"""What stands for a letter of an option's text where keys are looked for: see ``claims.Asked.masked``."""

_TOKEN = re.compile(r"(?<!\w)[.-](?=\d)|\w+|[<>≤≥+%=±]")
_SMALL = frozenset({"a", "an", "the", "of", "in", "to", "s", "le", "la", "les", "l", "un", "une", "de", "du", "des"})
_NUMERAL = re.compile(r"[ivx]+|\w")
"""Roman numerals and single letters: "hepatitis" is not "hepatitis B"."""
POLES = frozenset(
    re.findall(
        r"\w+",
        "no not non without absent present left right increased decreased high low positive negative acute chronic "
        "anterior posterior superior inferior medial lateral proximal distal upper lower primary secondary tertiary "
        "first second third fourth fifth sixth seventh eighth ninth tenth type",
    )
)
"""Words that part what is otherwise alike: sides, degrees, negations."""


def tokens(text: str) -> list[str]:
    """Returns the words, numbers and signs of a text in lower case; a sign matters: "> 40" is not "< 40"."""
    return [token.casefold() for token in _TOKEN.findall(text)]


def likeness(a: str, b: str) -> float:
    """Returns how alike two texts are, 0 to 1: the share of their words that both have, in the same order.

    It is 0 unless one text is the other with words left out: "immune purpura" is not "thrombotic purpura", however
    much of it they share. Nor may what is left out be a number, a letter, a sign, a side or a negation. Plurals and
    small words do not count.
    """
    left, right = ([_singular(token) for token in tokens(text) if token not in _SMALL] for text in (a, b))
    short, long = sorted((left, right), key=len)
    rest = iter(long)
    if not short or not all(word in rest for word in short):
        return 0.0
    extra = list(long)
    for word in short:
        extra.remove(word)
    if any(word in POLES or not word.isalpha() or _NUMERAL.fullmatch(word) for word in extra):
        return 0.0
    return 2 * len(short) / (len(short) + len(long))


def _singular(token: str) -> str:
    """A word without a plural's ending. Other endings stay: prednisone is not prednisolone."""
    return re.sub(r"e?s?$", "", token) if len(token) > 3 else token


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
    folded = text.casefold()
    if not all(word.casefold() in folded for word in words):
        return  # which spares the making of a pattern
    body = re.escape(words[0])
    for before, word in zip(words, words[1:], strict=False):
        gap = r"[^\w<>≤≥+%=±.\n]" if before[-1].isalpha() and word[0].isalpha() else r"[^\w<>≤≥+%=±\n]"
        least = "+" if before[-1].isalnum() and word[0].isalnum() else "*"
        body += f"(?:{gap}{least}|\\.[ ]?){re.escape(word)}" if least == "+" else f"{gap}*{re.escape(word)}"
    edges = (
        r"(?<![\w<>≤≥±])(?<!\d[.,])(?<!\w-)(?<!\W-)(?<!^-)(?!(?:(?<=\W\.)|(?<=^\.))\d){}(?![\w%+±])(?![.,]\d)(?!-\w)"
    )
    yield from re.finditer(edges.format(body), text, re.IGNORECASE)
