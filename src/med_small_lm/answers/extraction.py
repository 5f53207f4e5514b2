"""Which option a reply names: read by fixed rules, without knowing which one is right.

A reply is read in this order, and the first kind of statement that it holds decides:

1. statements of the answer ("The answer is (C) text", "Answer: B", "OPTION D IS CORRECT"): the last one counts, for
   a reply ends with its answer, and only if it names one option;
2. lines that are an option and nothing else ("B: text", "B", "text"): all of them must name the same one.

Nothing is guessed from the rest: a rationale may well name every option.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from med_small_lm.answers.forms import Form
from med_small_lm.answers.nearest import nearest, spans, tokens
from med_small_lm.schemas.rows import Option


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was read from a reply.

    ``state`` is one of

    - ``parsed``: one option is named, by its key or word for word;
    - ``repaired``: the text named is no option's, and clearly nearest to one;
    - ``ambiguous``: no one option is named, be it two, key and text at odds, or none;
    - ``refused``: no option is named and the reply declines to answer;
    - ``truncated``: the reply was cut before its end, whatever it says until then;
    - ``empty``: nothing is left without the thinking.

    ``keys`` holds one key if parsed or repaired and none otherwise.
    """

    state: str
    keys: list[str]


def extract(text: str, options: Sequence[Option], form: Form, *, truncated: bool = False) -> Extraction:
    """Returns the state of a reply and the key that it names.

    Args:
        text: the reply, with or without thinking in ``<think>`` tags.
        options: the question's options.
        form: how the answer was asked for: its ending is looked for beside the common phrases.
        truncated: whether the reply was cut before its end.
    """
    reply = _plain(text)
    if truncated:
        return Extraction("truncated", [])
    if not reply:
        return Extraction("empty", [])
    read = _stated(reply, options, form)
    if read is None:
        read = _standing(reply, options, form)
    if len(read.keys) == 1:
        return Extraction("repaired" if read.repaired else "parsed", sorted(read.keys))
    return Extraction("refused" if not read.keys and _REFUSAL.search(reply) else "ambiguous", [])


def stated_keys(text: str, options: Sequence[Option], form: Form) -> frozenset[str] | None:
    """Returns the keys of the options that a text states to be the answer, all of them; None where it states none."""
    if not _STATES.search(text) and form.ending.strip().casefold() not in text.casefold():
        return None
    read = _stated(_plain(text), options, form)
    return None if read is None else read.keys


def declines(text: str) -> bool:
    """Returns whether who wrote a text says in it that they cannot answer: "I cannot", not "steroids cannot"."""
    return _DECLINES.search(text.replace("’", "'")) is not None


@dataclass(frozen=True, slots=True)
class _Reading:
    """The keys that a statement names: none, one, or several; ``repaired`` where the wording is only near."""

    keys: frozenset[str]
    repaired: bool = False


_NONE = _Reading(frozenset())
_WORDS_BETWEEN = (
    "choice option letter key to for of in the this that question case here now therefore thus then most likely "
    "correcte juste bonne exacte à la cette question"
)
_PHRASE = (
    r"\b(?:answer|réponse)s?(?:\s+(?:{between})\b){{0,6}}(?:,?\s*(?:is|are|est|sont)\b\s*[:=]?|\s*[:=])"
    r"(?:\s*(?:most likely|likely|probably|therefore|clearly)\b)*"
).format(between="|".join(_WORDS_BETWEEN.split()))
_NOUN = r"\b(?:option|choice|answer|statement|proposition|réponse)s?\s+"
_BE = r"\s+(?:is|are|est|sont)\s+"
_RIGHT = (
    r"(?:the\s+|la\s+)?(?:most\s+|only\s+|single\s+|plus\s+)?"
    r"(?:correcte?|right|best|true|appropriate|vraie|juste|exacte)"
)
_WRONG = r"(?:not\s+|in|un|pas\s+|wrong|false|fausse)"
_CLAUSE_END = re.compile(
    r"(?:[.!?](?=[\s)\"'*]|$)|[;\n])(?!\W*(?:or|and|ou|et)\s)|"
    r",?\s*\b(?:because|since|which|due to|given that|as it|as the|as this|unlike|but|"
    r"rather than|instead of|and not|not|car|parce que|et non|pas)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able|not sure)|(?:i )?(?:cannot|can't|can not|could not|won't|do not|don't)"
    r"(?: know| answer| determine| provide| give| choose| say| help)|as an ai|unable to (?:answer|determine)|"
    r"not enough information|insufficient information|consult (?:a|your) (?:doctor|physician)|"
    r"je ne (?:peux|sais) pas|impossible de répondre)\b",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are)? (?:sorry|unable|not able|not sure)\b|"
    r"\b(?:i|we) (?:cannot|can't|can not|could not|won't|do not|don't)"
    r" (?:know|answer|determine|provide|give|choose|say|help)\b|"
    r"\bas an ai\b|\A\W*(?:sorry|unable to|cannot|can't|not enough information|insufficient information)\b|"
    r"\bje ne (?:peux|sais) pas\b|\bimpossible de répondre\b",
    re.IGNORECASE,
)
_STATES = re.compile(r"answer|réponse|correct|right|best|true|appropriate|vraie|juste|exact|boxed", re.IGNORECASE)


def _plain(text: str) -> str:
    """The reply without thinking and mark-up, in composed characters and straight quotes."""
    text = re.sub(r"(?is)<think(?:ing)?>.*?</think(?:ing)?>", " ", text)
    text = re.sub(r"(?is)\A.*</think(?:ing)?>", " ", text)
    text = re.sub(r"(?is)<think(?:ing)?>.*\Z", " ", text)
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    text = re.sub(r"\\boxed\{(?:\\text\{)?([^{}]*)\}?\}", r" the answer is \1.\n", text)
    return re.sub(r"[*`#$]+|(?<!\w)_+|_+(?!\w)", "", text).strip()


def _letter(options: Sequence[Option]) -> str:
    """A pattern for one option's key."""
    keys = sorted((re.escape(option.key) for option in options), key=len, reverse=True)
    return f"(?:{'|'.join(keys)})"


def _stated(reply: str, options: Sequence[Option], form: Form) -> _Reading | None:
    """What the last statement of the answer names; None where there is no statement."""
    if not options:
        return None
    verdicts = list(_verdicts(reply, options))
    hidden = [span for *span, _ in verdicts]
    pattern = re.compile(rf"{_PHRASE}|\b{re.escape(form.ending.strip())}(?!\w)", re.IGNORECASE)
    phrases = [match for match in pattern.finditer(reply) if not any(s <= match.start() < e for s, e in hidden)]
    right = [verdict for verdict in verdicts if verdict[2]]
    if phrases and (not right or phrases[-1].start() > right[-1][0]):
        return _claimed(reply[phrases[-1].end() :], options, form)
    if right:
        return _Reading(frozenset().union(*(keys for _, _, keys in right)))
    return None


def _verdicts(reply: str, options: Sequence[Option]) -> list[tuple[int, int, frozenset[str]]]:
    """Where options are called right or wrong by their keys, as (start, end, keys called right)."""
    one = rf"[(\[]?{_letter(options)}[)\]]?"
    chain = rf"{one}(?:\s*(?:,|and|or|et|&)\s*{one})*"
    pattern = re.compile(
        rf"(?:{_NOUN}(?P<a>{chain})|(?<!\w)(?P<b>[(\[]{_letter(options)}[)\]])|(?m:^|(?<=[.!?]\s))(?P<c>(?-i:{chain})))"
        rf"{_BE}(?:(?P<wrong>{_WRONG})|{_RIGHT}\b)",
        re.IGNORECASE,
    )
    by_key = {option.key.casefold(): option.key for option in options}
    found = []
    for match in pattern.finditer(reply):
        named = match["a"] or match["b"] or match["c"]
        letters = re.findall(rf"(?<!\w){_letter(options)}(?!\w)", named, re.IGNORECASE)
        keys = frozenset() if match["wrong"] else frozenset(by_key[letter.casefold()] for letter in letters)
        found.append((*match.span(), keys))
    return found


def _claimed(tail: str, options: Sequence[Option], form: Form) -> _Reading:
    """What is named right behind a statement's phrase: by key, by text, or by both, which must agree."""
    tail = re.sub(r"^[\s:=\"'-]+", "", tail)
    keys, end = _keys_at_start(tail, options, form)
    if len(keys) > 1:
        return _Reading(keys)
    named = _named(re.sub(r"^[\s:.,\"'–—-]+", "", tail[end:]), options)
    return _Reading(keys | named.keys) if keys else named


def _keys_at_start(tail: str, options: Sequence[Option], form: Form) -> tuple[frozenset[str], int]:
    """The keys with which ``tail`` begins ("(C)", "C.", "option c", "A or B") and where they end.

    A bare capital counts only where something parts it from the words behind it, so that "A 45-year-old", "B cells"
    and "C. difficile" hold no key.
    """
    letter = _letter(options)
    texts = "|".join(re.escape(option.text) for option in options if option.text.strip()) or "(?!)"
    stop = rf"\.(?:\s*$|\s*\n|\s+[A-Z(]|\s+(?i:{texts}))"
    word = rf"\s+(?:[-–—(/&]|(?i:{texts})|(?:because|since|as|is|or|and|which|ou|et|car)\b)"
    parted = rf"(?=\s*$|\s*[):;,\]\n/]|\s*{stop}|{word})"
    noun = r"(?:l'option|la lettre|option|choice|letter)"
    one = rf"(?:[(\[]\s*(?i:{letter})\s*[)\]]|(?i:{noun}\s+{letter})(?!\w)|(?:{letter}){parted}\)?)"
    match = re.match(rf"(?i:{noun}\s+)?{one}(?:\s*(?:,\s*(?:and|or)|,|and|or|ou|et|&|/)\s*{one})*", tail)
    if not match:
        return frozenset(), 0
    by_key = {option.key.casefold(): option.key for option in options}
    keys = frozenset(by_key[found.casefold()] for found in re.findall(rf"(?<![\w'])(?i:{letter})(?!\w)", match[0]))
    covering = [(end, key) for start, end, key in spans(tail, options) if start == 0]
    if covering and not match[0].startswith(("(", "[")):
        # "The answer is A" or "E. coli" where that is an option's own text: it is the text unless letters were asked.
        end, key = max(covering)
        return (frozenset(), 0) if end > match.end() or not form.letters else (keys | {key}, match.end())
    return keys, match.end()


def _named(text: str, options: Sequence[Option]) -> _Reading:
    """The option whose text a claim names."""
    texts = spans(text, options)
    lists = any(";" in option.text for option in options)
    ends = [
        match.start()
        for match in _CLAUSE_END.finditer(text)
        if not any(start < match.end() and match.start() < end for start, end, _ in texts)
        and not (lists and match[0] == ";")
    ]
    claim = text[: ends[0]] if ends else text
    inside = [(start, end, key) for start, end, key in texts if end <= len(claim)]
    keys = frozenset(key for _, _, key in inside)
    if len(keys) > 1:
        return _Reading(keys)
    if keys and _whole(claim, inside[0]):
        return _Reading(keys)
    near = nearest(claim, options)
    if near is not None and keys <= {near}:
        return _Reading(frozenset({near}), repaired=True)
    return _NONE


def _whole(claim: str, span: tuple[int, int, str]) -> bool:
    """Whether a claim says nothing but the option: no word before it but an article, none behind but another name."""
    start, end, _ = span
    before, behind = tokens(claim[:start]), re.match(r"[^\w<>%+]*", claim[end:])
    assert behind is not None
    # Behind a comma only another name may follow ("the midbrain"); else the option is the first of a longer list.
    more = r"\s*(?:[:(–—]|,\s*(?:a|an|the|also|i\.e|that is|le|la|un|une)\b)"
    parted = behind.end() == len(claim) - end or re.match(more, claim[end:], re.IGNORECASE) is not None
    return set(before) <= {"a", "an", "the", "le", "la", "l", "les", "un", "une"} and parted


def _standing(reply: str, options: Sequence[Option], form: Form) -> _Reading:
    """What the lines name that are an option and nothing else."""
    if not options:
        return _NONE
    readings = [read for line in reply.splitlines() if (read := _line(line.strip(), options, form)).keys]
    keys = frozenset().union(*(read.keys for read in readings))
    return _Reading(keys, all(read.repaired for read in readings) and bool(readings))


def _line(line: str, options: Sequence[Option], form: Form) -> _Reading:
    """The option that one line is, if it is one: a key, a text, or both."""
    line = re.sub(r"^(?:[-•–]\s+)?(?i:option\s+)?", "", line)
    letter = _letter(options)
    marked = re.match(rf"(?:[(\[](?i:({letter}))[)\]]|({letter})\s*(?:[):\]]|\.|\s[-–—]\s|$))[\s.:]*", line)
    if marked is None or any(start == 0 and end > marked.end(2) > 0 for start, end, _ in spans(line, options)):
        return _alone(line, options)
    if marked.end() == len(line):
        return _claimed(line, options, form)
    key = next(option.key for option in options if option.key.casefold() == (marked[1] or marked[2]).casefold())
    behind = _named(line[marked.end() :], options)
    # "A. 45-year-old man" and "C. difficile" have a full stop behind a capital as well: only an option's text tells.
    if not behind.keys and marked[1] is None and "." in marked[0]:
        return _NONE
    return _Reading(behind.keys | {key})


def _alone(line: str, options: Sequence[Option]) -> _Reading:
    """The option whose text a line is, with no other words."""
    whole = [key for start, end, key in spans(line, options) if not tokens(line[:start]) and not tokens(line[end:])]
    if whole:
        return _Reading(frozenset(whole))
    near = nearest(line, options)
    return _NONE if near is None else _Reading(frozenset({near}), repaired=True)
