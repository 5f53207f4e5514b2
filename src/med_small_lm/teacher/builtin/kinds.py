"""What sort of thing a term names, as its form and the book's own lists and definitions tell.

Wrong options come from the sort of the right one: another gland for a gland, another sign for a sign.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from importlib import resources

import yaml

from med_small_lm.teacher.builtin.clauses import VERBS
from med_small_lm.teacher.builtin.sentences import plain, sentences, without_article
from med_small_lm.teacher.builtin.terms import is_term, singular

DEFINED = "defined"
_NEAR = (
    {"drug", "drug class"},
    {"messenger", "nutrient", "enzyme"},
    {"structure", "cell"},
)
_PLAIN_HEADS = frozenset(
    "drug medication therapy treatment agent effect level disease disorder process system product method form dose "
    "risk function action rate client patient people food diet body period factor state volume use unit type".split()
)
_BREAK = re.compile(
    r"[,;:.()\[\]“”\"|?!/—]|(?<![\w-])(?:the|a|an|of|in|by|to|and|or|with|for|from|on|at|as|that|which|who|whose|"
    r"when|where|while|if|because|since|but|not|than|into|onto|through|during|within|between|among|after|before|"
    r"via|per|upon|under|over|about|such|including|called|using|is|are|was|were|be|been|being|can|may|will|must|"
    r"should|could|would|might|has|have|had|do|does|did|also|often|usually|typically|its|their|this|these|those|"
    r"it|they|them|he|she|his|her|you|your|we|our|both|either|each|more|most|less|some|other|another|all|any|no)"
    r"(?![\w-])"
)
_LIST = re.compile(r"(?:[\w'’-]+(?: [\w'’-]+){0,3}, )+(?:and |or )[\w'’-]+(?: [\w'’-]+){0,2}")
_ITEMS = re.compile(r", (?:and |or )?")
_NAME = (
    r"(?P<term>[a-z][\w-]{3,}(?: [a-z][\w-]{3,})?)"
    r"(?= (?:is|are|can|may|should|to|in|and|or|with|for|has|have|was|by|on)\b|[.,;:)])"
)
_FRAMES = tuple(
    (kind, re.compile(frame))
    for kind, frame in (
        (
            "drug",
            rf"\b(?:doses? of|administration of|treatment with|therapy with|receiving|taking|use of|"
            rf"effects of) {_NAME}",
        ),
        (
            "condition",
            rf"\b(?:treatment of|management of|symptoms of|signs of|risk of|risk for|history of|development of|"
            rf"diagnosed with|diagnosis of|clients with|patients with|episodes of|prevention of|prevents?|"
            rf"cause) {_NAME}",
        ),
        ("messenger", rf"\b(?:secretion of|release of|secretes?|releases?|levels of|production of) {_NAME}"),
        ("nutrient", rf"\b(?:sources of|intake of|rich in|high in|low in|amounts of|deficiency of) {_NAME}"),
    )
)
_GENUS = re.compile(
    r"^(?:(?:is|are|refers? to) )?(?:an?|the|one of the)? ?(?P<genus>[\w'’-]+(?: [\w'’-]+){0,4}?)"
    r"(?: (?:that|which|who|in|of|for|to|used|with|by|from|on|made|found|produced|caused|where|when|at|located|"
    r"containing|involving|characterized|responsible|between|surrounding|secreted|released|formed)\b|$)"
)


@lru_cache(maxsize=100_000)
def forms_of(term: str) -> frozenset[str]:
    """Return the sorts that a term's own form tells: by its ending, and by its last word where that says enough."""
    last = term.rsplit(" ", 1)[-1]
    found = {kind for kind, form in _forms() if form.search(last)}
    head = singular(last.lower())
    if " " in term and head not in _PLAIN_HEADS:
        found.add(f"head {head}")
    return frozenset(found)


@lru_cache(maxsize=20_000)
def chunks_of(passage: str) -> tuple[str, ...]:
    """Return the terms that stand between the function words of a passage and tell their sort by their form."""
    found: dict[str, None] = {}
    for sentence in sentences(passage):
        text = plain(sentence)
        for part in _BREAK.split(text):
            chunk = part.strip()
            if 4 <= len(chunk) <= 40 and not text.startswith(chunk) and is_term(chunk) and forms_of(chunk):
                parts = chunk.lower().split()
                if not any(word in VERBS or word.endswith("ly") for word in parts):
                    found[chunk] = None
    return tuple(found)


@lru_cache(maxsize=20_000)
def lists_of(passage: str) -> tuple[tuple[str, ...], ...]:
    """Return the enumerations of a passage: their terms are of one sort."""
    found = []
    for sentence in sentences(passage):
        for told in _LIST.finditer(plain(sentence)):
            items = [without_article(item) for item in _ITEMS.split(told.group())]
            # What stands before the first item may belong to the sentence, not to the list.
            good = tuple(item for item in items[1:] if is_term(item) and len(item.split()) <= 3)
            if len(good) >= 2:
                found.append(good)
    return tuple(found)


@lru_cache(maxsize=20_000)
def roles_of(passage: str) -> tuple[tuple[str, str], ...]:
    """Return the terms whose sort the words around them tell ("the dose of …"), with it."""
    text = plain(passage.replace("\n", " . "))
    return tuple(
        (found["term"], kind)
        for kind, frame in _FRAMES
        for found in frame.finditer(text)
        if is_term(found["term"]) and found["term"].lower() not in VERBS
    )


def genus_of(predicate: str) -> str:
    """Return what a definition counts its subject among ("is a hormone that …": hormone), or an empty string."""
    found = _GENUS.match(predicate)
    if found is None:
        return ""
    head = singular(found["genus"].split()[-1].lower())
    return "" if head in _PLAIN_HEADS or len(head) < 4 else head


def distance(one: Set[str], other: Set[str]) -> int | None:
    """Return how far apart two terms of these sorts are: 0 of one sort, 1 of near ones, 2 both only defined, or None.

    A term whose form tells nothing goes with whatever else the pages define.
    """
    if (one & other) - {DEFINED}:
        return 0
    if any(one & near and other & near for near in _NEAR):
        return 1
    told = any(not sort.startswith((DEFINED, "head ", "list ")) for sort in one)
    return 2 if DEFINED in other and not told else None


class Sorts:
    """The sorts of the terms in some passages, by their form, their lists and their definitions."""

    def __init__(self, texts: Sequence[str], defined: Mapping[str, str]) -> None:
        """Read the lists of ``texts``; ``defined`` holds the genus of each term that they define."""
        self._told: dict[str, set[str]] = defaultdict(set)
        for term, genus in defined.items():
            self._told[term.lower()].update((DEFINED, f"head {genus}") if genus else (DEFINED,))
        for term, kind in (told for text in texts for told in roles_of(text)):
            self._told[term.lower()].add(kind)
        for place, items in enumerate(told for text in texts for told in lists_of(text)):
            for item in items:
                self._told[item.lower()].add(f"list {place}")

    def of(self, term: str) -> set[str]:
        """Return the sorts of a term."""
        return {*forms_of(term), *self._told.get(term.lower(), ())}


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    text = resources.files(__package__).joinpath("kinds.yml").read_text(encoding="utf-8")
    source: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return tuple((kind, _form(entry["endings"].split(), entry["words"].split())) for kind, entry in source.items())


def _form(endings: Sequence[str], whole: Sequence[str]) -> re.Pattern[str]:
    ways = [rf"^(?:{'|'.join(map(re.escape, whole))})$"]
    if endings:
        ways.append(rf"[a-z](?:{'|'.join(map(re.escape, endings))})$")
    return re.compile("|".join(ways), re.IGNORECASE)
