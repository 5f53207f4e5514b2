"""The one option that a claim, a line, or an item of a list names: by its key, by its text, or by both."""

from __future__ import annotations

import re
from collections.abc import Sequence

from med_small_lm.answers.asked import NOTHING, Asked, Reading
from med_small_lm.answers.nearest import TEXT, nearest, spans, tokens
from med_small_lm.answers.polar import calls_true_or_false, polar_at
from med_small_lm.schemas.rows import Option

_CLAUSE_END = re.compile(
    r"(?:[.!?](?=[\s)\"']|$)|[;\n])(?!\W*(?:or|and|ou|et)\s)|"
    r",?\s*\b(?:because|since|which|due to|given that|as it|as the|as this|unlike|but|"
    r"rather than|instead of|and not|not|car|parce que|et non|pas)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"[.!?](?=[\s)\"']|$)|\n|,?\s*\b(?:because|since|(?<!well )as(?! well)|which|due to|given|unlike|but|while|whereas|"
    r"(?:al)?though|than|instead of|not|neither|except|car|parce que|puisque|mais|alors que|pas)\b",
    re.IGNORECASE,
)
"""What begins words about other options: up to there, each option that a claim names is part of it."""
_AGAIN = (
    r"(?:(?:no|wait|sorry|actually|correction|rather|or|also|and|but|maybe|possibly|perhaps|probably|i mean(?:t)?|"
    r"non|pardon|plutôt|ou|et|mais|aussi|peut-être)\b"
    rf"[^\w{TEXT}]*)"
)
"""Words with which one adds an option, or takes another one."""
_KINDS = "".join(
    rf"(?<!\b{word}\s)" for word in "vitamin hepatitis influenza type group grade stage class factor protein".split()
)
"""Words behind which a capital is a kind's name, as in "vitamin A"."""
_ARTICLES = frozenset({"a", "an", "the", "le", "la", "l", "les", "un", "une"})
_DENIED = (
    r"(?:\b(?:is|are|was|would be|can be|est|sont)\s+(?:\w+\s+){0,2}"
    r"(?:wrong|incorrecte?|false|not|unlikely|excluded|ruled out|fau(?:x|sse))\b|\b(?:isn't|aren't|n'est pas)\b)"
)


def is_denied(rest: str, asked: Asked) -> bool:
    """Returns whether what stands behind an option calls it wrong; not what stands in the option's own text."""
    return re.match(rf"(?i)\W*(?:(?:which|that|qui)\s+)?{_DENIED}", asked.masked(rest)) is not None


def item_reading(item: str, asked: Asked) -> Reading:
    """The one option that a line or an item of a list is."""
    letter, masked = asked.letter, asked.masked(item)
    marked = re.match(
        rf"(?:[(\[](?i:({letter}))[)\]]|({letter})\s*(?:[):\]]|\.|\s[-–—]\s|$)|((?i:{letter}))[).]?$|"
        rf"({letter})(?=,?\s+(?i:the |an? |le |la |l'|les )?(?i:{TEXT}|because|since|car|parce)|\s*\({TEXT}))[\s.:,]*",
        masked,
    )
    end_of_key = max(marked.end(group) for group in (2, 3, 4)) if marked else 0
    if marked is None or any(
        start == 0 and end > end_of_key > 0 and asked.keys_in(item[:end_of_key]) != {key}
        for start, end, key in spans(item, asked.options)
    ):
        return _alone(item, asked.options)
    if marked.end() == len(item):
        bare = next((option.key for option in asked.options if option.text == marked[0].strip(" ().[]:")), None)
        keys = asked.keys_in(marked[0])
        if bare is None or marked[1]:
            return Reading(keys)
        return Reading(keys | {bare}, at_odds=bare not in keys) if asked.letters else Reading(frozenset({bare}))
    rest, keys = item[marked.end() :], asked.keys_in(marked[0])
    if re.search(_DENIED, masked, re.IGNORECASE) or (
        not asked.words and calls_true_or_false(masked[marked.end() :].lstrip())
    ):
        return NOTHING
    found = polar_at(rest, asked.words) if asked.words else behind_key(rest, asked).keys
    # "A. 45-year-old man" and "C. difficile" have a full stop behind a capital as well: only an option's text tells.
    if not found and marked[1] is None and "." in marked[0]:
        return NOTHING
    keys |= found
    keys |= others(rest, keys, asked)
    return Reading(keys, at_odds=len(keys) > 1)


def others(rest: str, keys: frozenset[str], asked: Asked) -> frozenset[str]:
    """The keys that a claim names beside ``keys``: in the clause behind it, or as all that comes next.

    "(A)(B)", "A, possibly B" and "A. No, B." name two; "B, not A", "B, as A is larger" and "B. A is larger." name one.
    """
    masked, letter = asked.masked(rest), asked.letter
    end = found.start() if (found := _ASIDE.search(masked)) else len(masked)
    bare = rf"{letter}(?=\s*(?:$|[.,;:!?)\]\n/–—{TEXT}]|-\s)|\s+(?:is|are|and|or|too|as|est|sont|et|ou|aussi)\b)"
    said = [
        match[0]
        for match in re.finditer(rf"(?<![\w'(\[-]){_KINDS}(?:[(\[]\s*(?i:{letter})\s*[)\]]|{bare})", masked[:end])
    ]
    more = re.match(
        rf"(?i)[^\w{TEXT}]*?(?:{_AGAIN}*[(\[]?(?-i:({letter}))[)\]]?|{_AGAIN}+(?:the\s+)?({TEXT}+))[.!]*\s*?(?:\n|$)",
        masked[end:],
    )
    texts = spans(rest[end:][slice(*more.span(2))], asked.options) if more and more[2] else []
    said += [more[1]] if more and more[1] else []
    shown = {option.text.casefold() for option in asked.options if option.key in keys}
    named_beside = asked.keys_in(" ".join(said)) | {key for *_, key in texts}
    return frozenset(key for key in named_beside - keys if key.casefold() not in shown)


def clause_end(text: str, options: Sequence[Option]) -> int:
    """Where the clause ends with which a text begins; a sign inside an option's text ends none."""
    texts = spans(text, options)
    lists = any(";" in option.text for option in options)
    for match in _CLAUSE_END.finditer(text):
        inside = any(start < match.end() and match.start() < end for start, end, _ in texts)
        if not inside and not (lists and match[0] == ";"):
            return match.start()
    return len(text)


def list_end(text: str, asked: Asked) -> int:
    """Where a list of keys and texts ends: a full stop behind a key ends none if its text or another key follows."""
    masked, letter = asked.masked(text), asked.letter
    follows = rf"\s*(?:{TEXT}+|{letter})(?=\s*(?:[,;.:()\n]|$|(?:and|et)\b)|(?<!{TEXT})\s*{TEXT})"
    for match in _CLAUSE_END.finditer(text):
        inside = TEXT in masked[slice(*match.span())]
        behind_key = re.search(rf"(?<!\w){letter}\.$", masked[: match.end()])
        if match[0] != ";" and not inside and not (behind_key and re.match(follows, masked[match.end() :])):
            return match.start()
    return len(text)


def named(text: str, options: Sequence[Option]) -> Reading:
    """The option whose text a claim names."""
    claim = text[: clause_end(text, options)]
    inside = [(start, end, key) for start, end, key in spans(text, options) if end <= len(claim)]
    keys = frozenset(key for _, _, key in inside)
    if len(keys) > 1:
        return Reading(keys)
    if keys and _whole(claim, inside[0]):
        return Reading(keys)
    near = nearest(claim, options)
    if near is not None and keys <= {near}:
        return Reading(frozenset({near}), repaired=True)
    return NOTHING


def behind_key(rest: str, asked: Asked) -> Reading:
    """The option whose text stands right behind a key.

    "(B) stapes, incus" names both; "B. The malleus and the incus are large." goes on about others, and names none.
    """
    told = named(rest, asked.options)
    masked = asked.masked(rest[: clause_end(rest, asked.options)])
    if len(told.keys) < 2 or TEXT not in masked:
        return told
    one = rf"(?:(?:an?|the|la|les?|une?)\s+|l')?{TEXT}+(?!{TEXT})"
    join = r"[\s,;/&]*(?:(?:and|or|et|ou|also|as well as|possibly|maybe|perhaps)\s+)*"
    listed = re.match(rf"(?i)[\"'(]*{one}(?:{join}{one})*(?=\W*$|\s*[:(),;–—])", masked)
    return Reading(frozenset(key for *_, key in spans(rest[: listed.end()], asked.options))) if listed else NOTHING


def _whole(claim: str, span: tuple[int, int, str]) -> bool:
    """Whether a claim says nothing but the option: no word before it but an article, none behind but another name."""
    start, end, _ = span
    before, behind = tokens(claim[:start]), re.match(r"[^\w<>%+]*", claim[end:])
    assert behind is not None
    # Behind a comma only another name may follow ("the midbrain"); else the option is the first of a longer list.
    more = r"\s*(?:[:(–—]|,\s*(?:a|an|the|also|i\.e|that is|le|la|un|une)\b)"
    parted = behind.end() == len(claim) - end or re.match(more, claim[end:], re.IGNORECASE) is not None
    return _ARTICLES.issuperset(before) and parted


def _alone(line: str, options: Sequence[Option]) -> Reading:
    """The option whose text a line is, with no other words."""
    whole = [
        key
        for start, end, key in spans(line, options)
        if _ARTICLES.issuperset(tokens(line[:start])) and not tokens(line[end:])
    ]
    if whole:
        return Reading(frozenset(whole))
    near = nearest(line, options)
    return NOTHING if near is None else Reading(frozenset({near}), repaired=True)
