"""Where a reply states its answer, and what its statements come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from med_small_lm.answers.asked import BE, NOUN, Asked, Reading
from med_small_lm.answers.claims import claim_reading, is_asked
from med_small_lm.answers.nearest import TEXT, spans


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement from its first sign to the last of its phrase, and what it names."""

    start: int
    end: int
    reading: Reading
    is_verdict: bool = False


_BETWEEN = "|".join(
    "choice option letter key to for of in the this that question case here now therefore thus then most likely "
    "correcte correctes juste justes bonne exacte exactes finale à la cette question".split()
)
_ADJECTIVE = r"(?:correct|right|true|best|final|chosen|selected|most appropriate|my|bonnes?|vraies?|justes?)"
_ABOUT = (
    r"(?!\s*(?:also\s+)?(?:supported|consistent|based|because|explained|given (?:by|in|the)|justified|confirmed|"
    r"derived|in line|due|correct(?=\W*(?:$|[,;]))|as follows)\b)"
)
"""What a sentence about the answer goes on with, which states none."""
_PHRASE = (
    rf"\b(?:answer|réponse)s?(?:\s+(?:{_BETWEEN})\b){{0,6}}(?:,?\s*{BE}(?:\(\w+\))?(?!\w)\s*[:=]?{_ABOUT}|\s*(?:[:=]|->|→))|"
    rf"\b{_ADJECTIVE}\s+(?:{NOUN}|selection|propositions?)(?:\s*[:=]|\s+(?:here\s+)?{BE}(?!\w)\s*:?{_ABOUT})|"
    rf"(?:^|(?<=\n))\W*(?:{NOUN}|selection)\s*[:=]|"
    r"(?:^|(?<=\n))\W*(?:(?:the )?(?:final|correct|best)\s+)?(?:answer|réponse(?: finale)?)s?\s*(?=\n)"
)
_SURELY = (
    r"(?:\s*(?:most likely|likely|probably|therefore|clearly|definitely|certainly|indeed|simply|i (?:think|believe)|"
    r"donc|probablement|sans doute|je pense)\b,?)*"
)
"""What may stand between such a phrase and the answer."""
_CHOICE = (
    r"\b(?:i(?:'d| would| will|'ll)?\s+(?:choose|select|pick|go with|opt for|answer with)|"
    r"je\s+(?:choisis|réponds|sélectionne|coche)|c'est|(?:my|final) (?:pick|choice|selection)\s+(?:is|:))(?!\w)"
)
"""Phrases that state an answer only where an option follows."""
_RIGHT = (
    r"(?:(?:the\s+|la\s+|les\s+|an?\s+)?(?:most\s+|only\s+|single\s+|plus\s+)?"
    r"(?:correct(?:es?)?|right|best|true|appropriate|vraie?s?|justes?|exactes?|bonnes?)|the\s+(?:final\s+)?answer|la\s+réponse)"
)
_ANSWER = r"\s+(?:answer|option|choice|réponse)\b"
_WRONG = r"(?:not\s+|in|un|pas\s+|wrong|false|fau(?:x|sse))"
_START = (
    "(?:"
    + "|".join(
        [
            "^",
            *(
                rf"(?<={sign})"
                for sign in (r"\n", r"[.!?:,]\s", r"\bso\s", r"\bhence\s", r"\bthus\s", r"\bboth\s", r"\bbut\s")
            ),
        ]
    )
    + ")"
)
"""Where a bare key may begin a sentence."""
_TURNS = re.compile(
    r"\b(?:no|wait|actually|hmm+|correction|but|however|rather|instead|reconsider\w*|mistake\w*|sorry|final(?:ly)?|"
    r"therefore|thus|so|hence|overall|in conclusion|in summary|on reflection|let me|non|en fait|pardon|mais|donc|"
    r"finalement|plutôt|en conclusion)\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|suppose|si)\b[^.!?\n]*$|"
    r"\b(?:might|may|could|pourrait|tempting|initially|at first|thought)\b(?:\s+\w+){0,4}\s*,?\s*$",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"(?:\b(?:wrong|incorrect|false|mauvaises?|fausses?|his|her|their|not (?:the|a)|"
    r"(?:student|candidate|patient|user|resident|colleague|friend|doctor)s?'s?)|n't (?:the|a))\s+$|"
    r"(?:(?:\bnot|n't|\bnever|\bne) (?:think|believe|say|mean|agree|pense|crois|dis)|\b(?:doubt|doute|whether|unlikely|"
    r"(?:wrong|false|incorrect|mistaken|tempting|faux) (?:to|that|de|que)|"
    r"(?:might|may|could|many|some)(?: \w+)? (?:think|say|believe)))\b"
    r"(?:(?!\b(?:so|but|and|hence|thus|therefore|donc|mais|et)\b)[^.!?\n,;:])*$|"
    r"\b(?:if|si)\b(?=[^.!?\n]*\b(?:were|had been|était|avait été)\b)[^.!?\n]*$",
    re.IGNORECASE,
)
"""What makes of a statement none: it is denied, another's, or of another case."""
_CORRECT = re.compile(r"\b(?:correct(?:es?)?|right|best)\Z", re.IGNORECASE)


def stated(reply: str, asked: Asked) -> Reading | None:
    """Returns what the statements of the answer come to; None where there is none.

    The last one counts. What was stated before it has to agree, unless the reply turns from it or draws its conclusion
    in between. What is only supposed ("if it is small, the answer is …") counts where nothing else is stated, and so do
    verdicts over single options ("option A is true"), but for one behind the answer that calls another right.
    """
    if not asked.options:
        return None
    found = sorted(_statements(reply, asked), key=lambda one: one.start)
    stated_ones = [one for one in found if not one.is_verdict] or found
    firm = [one for one in stated_ones if not _SUPPOSED.search(reply[: one.start])] or stated_ones
    if not firm:
        return None
    last = firm[-1]
    earlier = [one for one in firm[:-1] if not _TURNS.search(reply[one.end : last.end])]
    behind = [one for one in found if one.is_verdict and one.start > last.end and _CORRECT.search(reply[: one.end])]
    behind = [one for one in behind if not _SUPPOSED.search(reply[: one.start])]
    others = [
        one.reading.keys for one in (*earlier, *behind) if one.reading.keys not in (frozenset(), last.reading.keys)
    ]
    if others and last.reading.keys:
        return Reading(last.reading.keys.union(*others), at_odds=True)
    return last.reading


def _statements(reply: str, asked: Asked) -> Iterator[_Statement]:
    """The statements of a reply: verdicts over options, taken together, and phrases with what they claim."""
    verdicts = [one for one in _verdicts(reply, asked) if not _is_not_this(reply, one.start)]
    yield from (one for one in verdicts if not one.is_verdict and one.reading.keys)
    right = [one for one in verdicts if one.is_verdict and one.reading.keys]
    if right:
        keys = frozenset[str]().union(*(one.reading.keys for one in right))
        at_odds = any(one.reading.at_odds for one in right)
        yield replace(right[-1], reading=Reading(keys, at_odds=at_odds, listed=asked.several))
    for one in _claims(reply, asked):
        if not any(verdict.start <= one.start < verdict.end for verdict in verdicts):
            yield one
    yield from _sentences(reply, asked) if asked.sentence else ()


def _claims(reply: str, asked: Asked) -> Iterator[_Statement]:
    """The phrases that lead to an answer with what follows them; a question ("The answer is B?") states nothing."""
    ending = rf"|(?<!\w){re.escape(asked.ending)}(?!\w)\s*[:=]?{_ABOUT}" if asked.ending else ""
    for phrase in (rf"(?:{_PHRASE}{ending}){_SURELY}", _CHOICE):
        for match in re.finditer(phrase, reply, re.IGNORECASE):
            tail = reply[match.end() :]
            if _is_not_this(reply, match.start()) or is_asked(tail, asked):
                continue
            reading = claim_reading(tail, asked)
            if reading.keys or phrase != _CHOICE:
                yield _Statement(*match.span(), reading)


def _is_not_this(reply: str, start: int) -> bool:
    """Whether the words before a statement make none of it."""
    return _NOT_THIS.search(reply[max(0, start - 300) : start]) is not None


def _verdicts(reply: str, asked: Asked) -> Iterator[_Statement]:
    """Where options are called right or wrong, by their keys or by their texts."""
    key, masked = asked.letter, asked.masked(reply)
    one = rf"[(\[]?{key}[)\]]?(?!\w)(?:[\s.:)–—-]*{TEXT}+)?"
    chain = rf"{one}(?:\s*(?:,\s*(?:and|et)|,|and|or|et|ou|&)\s*{one}){{0,9}}"
    named = rf"\b{NOUN}\s+(?P<a>{chain})|(?<!\w)(?P<b>[(\[]{key}[)\]](?:\s*{TEXT}+)?)|{_START}(?P<c>(?-i:{chain}))"
    be = rf"{BE}\s+(?:(?:also|equally|aussi)\s+)?"
    by_key = rf"(?:{named})\s+{be}(?:(?P<wrong>{_WRONG})|{_RIGHT}(?!\w)(?P<noun>{_ANSWER})?)"
    by_text = rf"(?P<text>{TEXT}+)\s+{BE}\s+(?P<not>not\s+|pas\s+)?{_RIGHT}{_ANSWER}"
    for match in re.finditer(by_key, masked, re.IGNORECASE):
        group = next(name for name in "abc" if match[name])
        said = _called(reply[slice(*match.span(group))], match[group], asked)
        is_verdict = match["noun"] is None and not match[0].casefold().endswith(("answer", "réponse"))
        yield _Statement(*match.span(), Reading() if match["wrong"] else said, is_verdict)
    for match in re.finditer(by_text, masked, re.IGNORECASE):
        keys = frozenset(key for *_, key in spans(reply[slice(*match.span("text"))], asked.options))
        yield _Statement(*match.span(), Reading() if match["not"] else Reading(keys))


def _sentences(reply: str, asked: Asked) -> Iterator[_Statement]:
    """Where the form's own closing sentence stands, and the option that it names by key, by text, or both."""
    pattern = re.escape(asked.sentence).replace(r"\{key\}", rf"[(\[]?(?P<key>{asked.letter})[)\]]?", 1)
    pattern = pattern.replace(r"\{text\}", rf"(?P<text>{TEXT}+)", 1)
    for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", asked.masked(reply), re.IGNORECASE):
        named = match.groupdict()
        keys = asked.keys_in(named["key"]) if "key" in named else frozenset[str]()
        shown = spans(reply[slice(*match.span("text"))], asked.options) if "text" in named else []
        yield _Statement(*match.span(), Reading(keys.union(key for *_, key in shown)))


def _called(said: str, masked: str, asked: Asked) -> Reading:
    """The options in a chain of keys, each with or without its text; key and text have to agree."""
    keys, at_odds = frozenset[str](), False
    one = rf"(?<!\w)[(\[]?({asked.letter})[)\]]?(?!\w)(?:[\s.:)–—-]*({TEXT}+))?"
    for match in re.finditer(one, masked, re.IGNORECASE):
        own = asked.keys_in(match[1])
        told = frozenset(key for *_, key in spans(said[slice(*match.span(2))], asked.options)) if match[2] else own
        keys, at_odds = keys | own | told, at_odds or not own <= told
    return Reading(keys, at_odds=at_odds)
