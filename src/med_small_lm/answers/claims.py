"""What a claim names that follows "The answer is", and what a line names that is an option and nothing else."""

from __future__ import annotations

import re

from med_small_lm.answers.asked import NOTHING, NOUN, Asked, Reading
from med_small_lm.answers.items import behind_key, is_denied, item_reading, list_end, named, others
from med_small_lm.answers.nearest import TEXT, spans
from med_small_lm.answers.polar import polar_at

_OR = re.compile(r"(?:\b(?:or|ou|either|soit)\b|\b(?:vs)\b)", re.IGNORECASE)
_PARTS = re.compile(r"\s*(?:,\s*(?:and|et)\b|[,;\n&+/]|\band\b|\bet\b|\s[-–]\s)\s*", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:[-•–+]\s+(?:\[x\]\s*)?|\d+[.)]\s+)?"
    r"(?:(?i:both|only|just|les|the|it's|it is|choose|select|pick)\s+)?"
    r"(?:(?i:(?:final |la |the |l')?" + NOUN + r")\s*:?\s+)?(?=\S)"
)
_SENTENCE_END = re.compile(r"[.!?](?=[\s)\"'»]|$)|\n")


def is_asked(tail: str, asked: Asked) -> bool:
    """Returns whether what follows "The answer is" is a question: "The answer is B? No: …"."""
    end = _SENTENCE_END.search(asked.masked(tail.lstrip()[: asked.reach]))
    return end is not None and end[0] == "?"


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
    if is_denied(rest, asked):
        return NOTHING
    if asked.words:
        return Reading(keys | polar_at(rest, asked.words))
    told = behind_key(rest, asked) if keys else named(rest, asked.options)
    keys |= told.keys
    return Reading(keys | others(tail[end:], keys, asked), told.repaired and not end) if keys else NOTHING


def line_reading(line: str, asked: Asked) -> Reading:
    """The option that one line is, if it is one: a key, a text, or both; of several right ones, a list of them."""
    if len(line) > asked.reach:
        return NOTHING
    line = _LEAD.sub("", re.sub(r"^[^\w(\[<>≤≥+±=%•–-]+|[\s\"'»!,]+$", "", line))
    if asked.several and (_PARTS.search(line) or _run_on(line, asked)):
        listed = _list_reading(line, asked)
        return listed if listed.keys else item_reading(line, asked)
    return item_reading(line, asked)


def is_unread_item(line: str, asked: Asked) -> bool:
    """Returns whether a line has a key before what is no option's text, and does not deny it: "B. an unknown salt"."""
    item = _LEAD.sub("", line)
    marked = re.match(rf"[(\[]?{asked.letter}[)\].:]+\s*(?:(?i:an?|the|la|les?|une?)\s+)?(?=\S)", item)
    if marked is None or re.search(r"(?i)\b(?:not|wrong|false|incorrecte?|faux|fausse|pas)\b", asked.masked(item)):
        return False
    return all(start > marked.end() + 1 for start, *_ in spans(item, asked.options))  # which may be in quotes


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
    claim, rest = _list_of(tail, asked)
    keys, repaired = _run_on(claim, asked), False
    if not keys:
        masked = asked.masked(claim)
        readings = [item_reading(item, asked) for item in _items(claim, asked)]
        keys = frozenset[str]().union(*(read.keys for read in readings))
        repaired = any(read.repaired for read in readings)
        if any(read.at_odds for read in readings) or (_OR.search(masked) and keys):
            return Reading(keys, at_odds=True)
        if not readings or not all(read.keys for read in readings):
            return NOTHING
    more, behind = others(rest, keys, asked), next(iter(rest.lstrip("\n").splitlines()), "")
    is_cut = TEXT in asked.masked(claim) and is_unread_item(behind, asked)
    return Reading(keys | more, repaired, at_odds=bool(more) or is_cut, listed=True)


def _items(claim: str, asked: Asked) -> list[str]:
    """The items of a list, without what leads to one and without remarks in brackets, as in "A (the oldest)"."""
    masked = asked.masked(claim)
    for remark in re.finditer(rf"\s\((?=\w\w)(?![^()]*(?:\b{asked.letter}\b|{TEXT}))[^()]*\)", masked):
        claim = claim[: remark.start()] + " " * len(remark[0]) + claim[remark.end() :]
    masked = asked.masked(claim)
    places = [0, *(place for part in _PARTS.finditer(masked) for place in part.span()), len(claim)]
    items = [claim[start:end].strip() for start, end in zip(places[::2], places[1::2], strict=True)]
    return [_LEAD.sub("", item).strip(" .:") for item in items if item.strip(" .:-")]


def _list_of(tail: str, asked: Asked) -> tuple[str, str]:
    """A list and what comes behind it: over the lines that are one option each, or to the first line's clause's end."""
    lines = tail.splitlines()
    told = [line for line in lines if line.strip()]
    listed = list[str]()
    for line in told:
        item = _LEAD.sub("", line.strip()).rstrip(" .,;")
        if not item_reading(item, asked).keys or is_unread_item(item, asked):
            break
        listed.append(item)
    if len(listed) > 1:
        return "\n".join(listed), "\n".join(told[len(listed) :])
    first = next(iter(told), "")
    end = list_end(first, asked)
    return first[:end], "\n".join([first[end:], *told[1:]])


def _run_on(text: str, asked: Asked) -> frozenset[str]:
    """The keys of a list without signs between them, as "ACE", "A C E" or "(A)(C)(E)"; none where it is a text."""
    letter, text = asked.letter, text.strip(" .")
    if not re.fullmatch(rf"(?:{letter}){{2,}}|{letter}(?:\s+{letter})+|(?:[(\[]{letter}[)\]]\s*){{2,}}", text):
        return frozenset()
    found = re.findall(letter, text)
    if len(set(found)) < len(found) or any(option.text == text for option in asked.options):
        return frozenset()
    return frozenset(found)
