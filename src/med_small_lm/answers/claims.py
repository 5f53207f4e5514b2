"""What a claim names that follows "The answer is", and what a line names that is an option and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from med_small_lm.answers.nearest import TEXT, nearest, spans, tokens
from med_small_lm.answers.polar import calls_true_or_false, polar_at
from med_small_lm.schemas.rows import Option

BE = r"(?:is|are|was|would be|should be|must be|will be|has to be|est|sont|serait)"
NOUN = r"(?:answer|option|choice|letter|statement|proposition|item|réponse|choix|lettre)s?"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: ``several`` options may be right; ``words`` are yes, no … with the keys they stand for.

    ``ending`` is what leads to an answer, ``sentence`` a whole one with ``{key}`` or ``{text}`` in it; one is empty.
    """

    options: list[Option]
    letters: bool
    several: bool
    ending: str
    words: dict[str, str]
    sentence: str = ""

    @property
    def letter(self) -> str:
        """A pattern for one option's key."""
        keys = sorted((re.escape(option.key) for option in self.options), key=len, reverse=True)
        return f"(?:{'|'.join(keys)})"

    @property
    def reach(self) -> int:
        """How many letters a claim may have: as many as all options have, and some words between them."""
        return 200 + sum(len(option.text) + 20 for option in self.options)

    def masked(self, text: str) -> str:
        """The text with a sign for each letter of an option's words, so that no key is seen in them.

        An option whose whole text is a key ("A" among blood groups) stays as it is.
        """
        keys, signs = {option.key.casefold() for option in self.options}, list(text)
        for start, end, _ in spans(text, self.options):
            if text[start:end].casefold() not in keys:
                signs[start:end] = TEXT * (end - start)
        return "".join(signs)

    def keys_in(self, text: str) -> frozenset[str]:
        """The keys that stand in a text that holds nothing but keys and what parts them."""
        by_key = {option.key.casefold(): option.key for option in self.options}
        found = re.findall(rf"(?<![\w'])(?:{self.letter})(?!\w)", text, re.IGNORECASE)
        return frozenset(by_key[key.casefold()] for key in found)


@dataclass(frozen=True, slots=True)
class Reading:
    """The keys that a statement names: none, one, or several.

    ``repaired`` where the wording is only near; ``at_odds`` where two readings disagree; ``listed`` where several keys
    may be meant, as a list of all that are right.
    """

    keys: frozenset[str] = frozenset()
    repaired: bool = False
    at_odds: bool = False
    listed: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether it is one answer; an empty list is one where each option was called false."""
        return not self.at_odds and (self.listed or len(self.keys) == 1)


NOTHING = Reading()
_CLAUSE_END = re.compile(
    r"(?:[.!?](?=[\s)\"']|$)|[;\n])(?!\W*(?:or|and|ou|et)\s)|"
    r",?\s*\b(?:because|since|which|due to|given that|as it|as the|as this|unlike|but|"
    r"rather than|instead of|and not|not|car|parce que|et non|pas)\b",
    re.IGNORECASE,
)
_ARTICLES = frozenset({"a", "an", "the", "le", "la", "l", "les", "un", "une"})
_OR = re.compile(r"(?:\b(?:or|ou|either|soit)\b|\b(?:vs)\b)", re.IGNORECASE)
_PARTS = re.compile(r"\s*(?:,\s*(?:and|et)\b|[,;\n&+/]|\band\b|\bet\b|\s[-–]\s)\s*", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:is|are|was|would be|can be|est|sont)\s+(?:\w+\s+){0,2}"
    r"(?:wrong|incorrecte?|false|not|unlikely|excluded|ruled out|fau(?:x|sse))\b|\b(?:isn't|aren't|n'est pas)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:[-•–+]\s+(?:\[x\]\s*)?|\d+[.)]\s+)?(?:(?i:(?:final |la |the |l')?" + NOUN + r")\s*:?\s+)?(?=\S)"
)


def claim_reading(tail: str, asked: Asked) -> Reading:
    """What is named right behind a statement's phrase: by key, by text, or by both, which must agree."""
    tail = re.sub(r"^(?:[\s:=\"']|-(?!\d))+", "", tail)[: asked.reach]
    if asked.several:
        return _list_reading(tail, asked)
    keys, end = _keys_at_start(tail, asked)
    if len(keys) > 1:
        return Reading(keys)
    if keys and re.match(r"\W*(?:or|ou)\b", tail[end:], re.IGNORECASE):
        return Reading(keys, at_odds=True)
    rest = re.sub(r"^(?:[\s:,\"'–—]|[.-](?!\d))+", "", tail[end:])
    if asked.words:
        return Reading(keys | polar_at(rest, asked.words))
    named = _named(rest, asked.options)
    return Reading(keys | named.keys) if keys else named


def line_reading(line: str, asked: Asked) -> Reading:
    """The option that one line is, if it is one: a key, a text, or both; of several right ones, a list of them."""
    if len(line) > asked.reach:
        return NOTHING
    line = _LEAD.sub("", re.sub(r"^[^\w(\[<>≤≥+±=%•–-]+|[\s\"'»!]+$", "", line))
    if asked.several and (_PARTS.search(line) or _run_on(line, asked)):
        listed = _list_reading(line, asked)
        return listed if listed.keys else _item_reading(line, asked)
    return _item_reading(line, asked)


def _item_reading(item: str, asked: Asked) -> Reading:
    """The one option that a line or an item of a list is."""
    letter = asked.letter
    marked = re.match(
        rf"(?:[(\[](?i:({letter}))[)\]]|({letter})\s*(?:[):\]]|\.|\s[-–—]\s|$)|((?i:{letter}))[).]?$|"
        rf"({letter})(?=,?\s+(?i:the |an? |le |la |l'|les )?(?i:{TEXT}|because|since|car|parce)|\s*\({TEXT}))[\s.:,]*",
        asked.masked(item),
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
        return Reading(keys | {bare}) if asked.letters else Reading(frozenset({bare}))
    rest, keys = item[marked.end() :], asked.keys_in(marked[0])
    if _DENIED.search(item) or (not asked.words and calls_true_or_false(rest)):
        return NOTHING
    named = polar_at(rest, asked.words) if asked.words else _named(rest, asked.options).keys
    # "A. 45-year-old man" and "C. difficile" have a full stop behind a capital as well: only an option's text tells.
    if not named and marked[1] is None and "." in marked[0]:
        return NOTHING
    return Reading(keys | named, at_odds=len(keys | named) > 1)


def _keys_at_start(tail: str, asked: Asked) -> tuple[frozenset[str], int]:
    """The keys with which ``tail`` begins ("(C)", "C.", "option c", "A or B") and where they end.

    A bare capital counts only where something parts it from the words behind it, so that "A 45-year-old", "B cells"
    and "C. difficile" hold no key.
    """
    letter = asked.letter
    stop = rf"\.(?:\s*$|\s*\n|\s+[A-Z(]|\s+{TEXT})"
    word = rf"\s+(?:[-–—(/&]|{TEXT}|(?:because|since|as|is|or|and|which|rather|not|but|ou|et|car|parce|mais)\b)"
    parted = rf"(?=\s*$|\s*[):;,!?\]\n/\"»]|'(?!\w)|\s*{stop}|{word})"
    lower = rf"(?i:{letter})(?=\s*(?:$|\n|[)\]:]|\.\s*(?:$|\n)))"
    noun = rf"(?:(?:l'|la |the )?{NOUN}|either|both)"
    one = (
        rf"(?:[(\[]\s*(?i:{letter})\s*[)\]]|(?i:{noun}\s+[(\[]?{letter})(?!\w)[)\]]?|"
        rf"(?:{letter}){parted}\)?|{lower}\)?)"
    )
    match = re.match(
        rf"(?i:(?:{noun}|la)\s+)?{one}(?:\s*(?:,\s*(?:and|or)|,|and|or|ou|et|&|/)\s*{one})*", asked.masked(tail)
    )
    if not match:
        return frozenset(), 0
    keys = asked.keys_in(re.sub(rf"(?i)\b{noun}\b", " ", match[0]))
    covering = [(end, key) for start, end, key in spans(tail, asked.options) if start == 0]
    if covering and not match[0].startswith(("(", "[")):
        # "The answer is A" or "E. coli" where that is an option's own text: it is the text unless letters were asked.
        end, key = max(covering)
        return (frozenset(), 0) if end > match.end() or not asked.letters else (keys | {key}, match.end())
    return keys, match.end()


def _list_reading(tail: str, asked: Asked) -> Reading:
    """The options that a list names, item by item: every item has to be one, and "or" makes it no list."""
    claim = _list_of(tail, asked)
    if keys := _run_on(claim.rstrip(" ."), asked):
        return Reading(keys, listed=True)
    masked = asked.masked(claim)
    places = [0, *(place for part in _PARTS.finditer(masked) for place in part.span()), len(claim)]
    items = [claim[start:end] for start, end in zip(places[::2], places[1::2], strict=True)]
    items = [item.strip(" .:") for item in items if item.strip(" .:-")]
    readings = [_item_reading(_LEAD.sub("", re.sub(r"(?i)^(?:both|les|the)\s+", "", item)), asked) for item in items]
    keys = frozenset[str]().union(*(read.keys for read in readings))
    if any(read.at_odds for read in readings) or (_OR.search(masked) and keys):
        return Reading(keys, at_odds=True)
    if not readings or not all(read.keys for read in readings):
        return NOTHING
    return Reading(keys, any(read.repaired for read in readings), listed=True)


def _list_of(tail: str, asked: Asked) -> str:
    """How far a list reaches: over the lines that are one option each, or else to the first line's clause's end."""
    lines = list[str]()
    for line in filter(str.strip, tail.splitlines()):
        item = _LEAD.sub("", line.strip()).rstrip(" .,;")
        if not _item_reading(item, asked).keys:
            break
        lines.append(item)
    if len(lines) > 1:
        return "\n".join(lines)
    first = next(filter(str.strip, tail.splitlines()), "")
    return first[: _clause_end(first, asked.options, keys=asked.letter)]


def _run_on(text: str, asked: Asked) -> frozenset[str]:
    """The keys of a list without signs between them, as "ACE" or "A C E"; none where it is an option's own text."""
    letter = asked.letter
    if not re.fullmatch(rf"(?:{letter}){{2,}}|(?:{letter})(?:\s+(?:{letter}))+", text):
        return frozenset()
    found = re.findall(letter, text)
    if len(set(found)) < len(found) or any(option.text == text for option in asked.options):
        return frozenset()
    return frozenset(found)


def _clause_end(text: str, options: Sequence[Option], keys: str = "") -> int:
    """Where the clause ends with which a text begins; a sign inside an option's text, or behind a key, ends none."""
    texts = spans(text, options)
    lists = any(";" in option.text for option in options) or bool(keys)
    for match in _CLAUSE_END.finditer(text):
        inside = any(start < match.end() and match.start() < end for start, end, _ in texts)
        behind_key = keys and re.search(rf"(?<!\w)(?:{keys})\.$", text[: match.end()]) and text[match.end() :].strip()
        if not inside and not (lists and match[0] == ";") and not behind_key:
            return match.start()
    return len(text)


def _named(text: str, options: Sequence[Option]) -> Reading:
    """The option whose text a claim names."""
    claim = text[: _clause_end(text, options)]
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
