"""The rules of relations.yml, compiled: a sentence goes in, the fact that it states comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

import yaml

from med_small_lm.teacher.builtin import naming
from med_small_lm.teacher.builtin.sentences import plain

_MACROS = (
    # A filler after the subject has to open with a word that no name holds, or it would take the name's last words.
    (
        re.compile(r"(?<=<S> )\*"),
        r"(?:(?=(?:is|are|can|may|should|must|will|there|gives|goes|to|for|in|from|at|one|aims|as|targets|will)\\b)"
        r"(?:[\\w'’-]+,? ){1,7}?)?",
    ),
    (re.compile(r",:"), r"(?:,? namely |, |: )"),
    (re.compile(r"(?<![\])])\*"), r"(?:[\\w'’-]+,? ){0,6}?"),
    (re.compile(r"\bBE\b"), r"(?:is|are|was|were)"),
    (re.compile(r"HOW"), r"(?:(?:most |more )?(?:\\w+ly|often|first|best|above all|in turn) ){0,2}"),
    (re.compile(r"\bWHO\b"), r"(?:the )?(?:[\\w'’-]+ ){0,2}?[\\w'’-]+"),
)
_NOT_FIRST = (
    "of|for|to|in|by|with|from|at|on|the|a|an|its|their|his|her|our|this|that|these|those|it|they|he|she|we|you|which|"
    "who|what|there|one|such|each|some|many|most|all|any|both|other|another|watch|remember|associate|expect|learn|"
    "look|write|recommend|order|request|offer|and|or|but|as|if|when|while|because|not|no|also|infection|infections|"
    "extra|low|first|deficient|too|excess|damage|lack|deficiency|release"
)
_NEVER = "is|are|was|were|be|been|has|have|had|may|can|could|should|must|will|would|that|which|who|when|if|because"
_SUBJECT = rf"(?:the )?(?P<s>(?!(?:{_NOT_FIRST})\b)[A-Za-z0-9][\w'’+/.-]*(?: (?!(?:{_NEVER})\b)[\w'’+/.-]+){{0,5}}?)"
_VALUE = r"(?:(?:the|a|an) )?(?P<v>(?!(?:the|a|an|which|that|what|to|not|this|these|it|them)\b)[^,;:]+?)"
_LEAD = re.compile(r"^(?P<lead>[A-Z][\w'’-]*(?: [\w'’-]+){0,6}), (?P<rest>.+)$", re.DOTALL)
_GROUPS = re.compile(r"\((?:[^()]|\([^()]*\))*\)(?:[?+]|\{[\d,]+\})?|<[SV][^>]*>|\[[^\]]*\]\S?|\\w\S?|.\?")
_MAX_VALUE_WORDS = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """What one sentence states: ``value`` is what ``relation`` says about ``subject``.

    ``article`` tells whether the book writes "the" before the subject; ``kind`` is what sort of thing the subject is
    (disease, drug, organism, …), empty if that cannot be told.
    """

    subject: str
    relation: str
    value: str
    sentence: str
    article: bool = False
    kind: str = ""

    @property
    def name(self) -> str:
        """Return the subject as it stands inside a sentence, with its article."""
        return f"the {self.subject}" if self.article else self.subject


@dataclass(frozen=True, slots=True)
class _Rule:
    relation: str
    kinds: tuple[str, ...]
    pattern: re.Pattern[str]
    cue: str
    weight: int


@lru_cache(maxsize=1)
def relation_kinds() -> Mapping[str, tuple[str, ...]]:
    """Return, for each relation, the kinds of subject that it is said of."""
    return {name: tuple(entry["kinds"]) for name, entry in _source().items()}


@lru_cache(maxsize=50_000)
def parse(sentence: str) -> Fact | None:
    """Return the fact that a sentence states, or None if no rule reads it.

    Rules are tried from the most wordy to the least; the first whose relation suits the subject wins.
    """
    text = plain(sentence)
    if not 3 <= text.count(" ") + 1 <= 40:
        return None
    fallback: Fact | None = None
    for reading in _readings(text):
        for rule, found in _matches(reading):
            fact = _fact(rule, found, reading, sentence)
            if fact is None:
                continue
            if not fact.kind or fact.kind in rule.kinds:
                return fact if fact.kind else replace(fact, kind=_only(rule.kinds))
            fallback = fallback or replace(fact, kind="")
    return fallback


def _matches(text: str) -> Iterator[tuple[_Rule, re.Match[str]]]:
    lower = text.lower()
    for rule in _rules():
        if rule.cue in lower:
            found = rule.pattern.match(text)
            if found is not None:
                yield rule, found


def _readings(text: str) -> Iterator[str]:
    """Yield the text, and the text without its leading adverbial, which may be part of the frame or not."""
    yield text
    lead = _LEAD.match(text)
    if lead is not None:
        yield lead["rest"]


def _fact(rule: _Rule, found: re.Match[str], text: str, sentence: str) -> Fact | None:
    """Return the fact of a match, or None if what stands in its places is no name or no value."""
    subject, value = found["s"].strip(), found["v"].strip()
    if len(value.split()) > _MAX_VALUE_WORDS or subject.lower() == value.lower():
        return None
    article = text[: found.start("s")].lower().endswith(("the ", "a damaged "))
    if found.start("s") == 0 and sentence.startswith(text[:10]):
        subject = naming.inside_sentence(subject, "")
    if found.start("v") == 0 and sentence.startswith(text[:10]):
        value = naming.inside_sentence(value, "")
    return Fact(subject, rule.relation, value, sentence, article, naming.kind_of(subject, article))


def _only(kinds: tuple[str, ...]) -> str:
    return kinds[0] if len(kinds) == 1 else ""


@lru_cache(maxsize=1)
def _rules() -> tuple[_Rule, ...]:
    """Return all rules, the most wordy first: what names its relation in full is read before what hints at it."""
    rules = [
        _compiled(name, tuple(entry["kinds"]), template)
        for name, entry in _source().items()
        for template in entry["patterns"]
    ]
    return tuple(sorted(rules, key=lambda rule: -rule.weight))


def _compiled(relation: str, kinds: tuple[str, ...], template: str) -> _Rule:
    """Return the rule of one template of relations.yml."""
    literals = [part.strip() for part in re.split(r"\x00", _literal_text(template))]
    cue = max(literals, key=len).lower()
    text = template
    for macro, regex in _MACROS:
        text = macro.sub(regex, text)
    text = text.replace("<S>", _SUBJECT)
    text = re.sub(r"<V:(.+?)>$", r"(?P<v>\1)", text) if "<V:" in text else text.replace("<V>", _VALUE)
    weight = len("".join(literals))
    return _Rule(relation, kinds, re.compile(f"{text}$", re.IGNORECASE), cue if len(cue) > 2 else "", weight)


def _literal_text(template: str) -> str:
    """Return a template with everything that is no fixed text replaced by breaks."""
    text = template
    for macro, _ in _MACROS:
        text = macro.sub("\x00", text)
    return _GROUPS.sub("\x00", text)


@lru_cache(maxsize=1)
def _source() -> dict[str, dict[str, list[str]]]:
    text = resources.files(__package__).joinpath("relations.yml").read_text(encoding="utf-8")
    source: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return source
