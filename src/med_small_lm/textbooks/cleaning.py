"""Lines put back together into running text: ligatures, spaces, and hyphens as the book itself spells its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from spellchecker import SpellChecker

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_CHARACTERS = str.maketrans(
    _LIGATURES | {"\u00a0": " ", "\u2060": "", "\u200b": "", "\ufeff": "", "\u00ad": "", "\u2010": "-", "\u2011": "-"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_HYPHENS = ("-", "\u2010", "\u2011")
_LEFT = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*(?=-$)")
_RIGHT = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SUSPENDED = re.compile(r"(?:and|or|to|nor|und|oder|et|ou)(?=\s|$)")  # short- and long-term
_CAPITALS = re.compile(r"(?:^|[^\w-])[A-Z]{2,}-$")
_ADDRESS = re.compile(r"(?:https?://|www\.|doi\.org/)\S*$")
_PREFIXES = frozenset(
    "anti auto bi co counter cyto de di dys electro endo epi extra fibro gastro hemo hyper hypo immuno infra inter"
    " intra iso macro mega micro mid mono multi neo neuro non osteo over para peri phospho photo poly post pre pro"
    " pseudo psycho re semi sub super supra tele tetra thermo trans tri ultra un under uni".split()
)
_PARTICLES = frozenset(["up", "in", "off", "on"])
_COMPOUNDING = frozenset("da de et fi hu is nb nl nn no sv".split())  # there two words make one without a hyphen
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Japanese and Chinese have no word spaces


def tidy(text: str) -> str:
    """The text with ligatures spelt out, invisible characters gone and single spaces."""
    return " ".join(_CONTROL.sub("", text.translate(_CHARACTERS)).split())


@lru_cache
def _dictionary(language: str) -> Collection[str]:
    """The words of a language; empty where there is no dictionary of it."""
    known = SpellChecker.languages()
    return frozenset(SpellChecker(language, distance=1).word_frequency.dictionary) if language in known else frozenset()


@dataclass(slots=True)
class Spelling:
    """How lines spell their words, in counts that add up over ranges of pages.

    ``counts`` are the words inside the lines, ``pairs`` what stands before and after a plain hyphen at a line's end,
    ``ends`` the kinds of these hyphens, ``inner`` the Unicode hyphens that do not end a line. ``first`` is the first
    line, and ``tail`` the last one's end if it ends in a hyphen.
    """

    counts: Counter[str] = field(default_factory=Counter)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    inner: int = 0
    first: str | None = None
    tail: str = ""

    @classmethod
    def of(cls, lines: Iterable[str]) -> Spelling:
        """How the lines spell their words."""
        found, tail = cls(), ""
        counts, pairs, ends = found.counts, found.pairs, found.ends
        for line in lines:
            text = line.rstrip()
            if found.first is None:
                found.first = text
            words = _WORD.findall(text.lower())
            if words and tail.endswith(_HYPHENS):
                pairs.append((_last_word(tail), words[0]))
            ended = text.endswith(("\u00ad", *_HYPHENS))
            counts.update(words[bool(tail) : len(words) - ended])
            tail = text[-60:].lower() if ended else ""
            if ended:
                ends[text[-1:]] += 1
            found.inner += text.count("\u2010", 0, -1)
        found.tail = tail
        return found

    def add(self, other: Spelling) -> None:
        """Takes in the spelling of the lines that follow."""
        self.counts.update(other.counts)
        self.ends.update(other.ends)
        self.inner += other.inner
        if other.first is None:
            return
        words = _WORD.findall(other.first.lower()) if self.tail else []
        if words:  # the first word of the first line ends one that the line before began
            self.pairs += [(_last_word(self.tail), words[0])] * self.tail.endswith(_HYPHENS)
            if len(words) > other.first.endswith(("\u00ad", *_HYPHENS)):
                self.counts[words[0]] -= 1
        self.pairs += other.pairs
        self.first = other.first if self.first is None else self.first
        self.tail = other.tail


@dataclass(frozen=True, slots=True)
class Speller:
    """Joins lines by what the book's own words, then a dictionary, say about a hyphen at the end of a line.

    ``counts`` are the words inside the lines. ``own`` says that plain hyphens at line ends are the author's: the book
    is set without hyphenation, or marks the hyphens that it added as soft ones, which are the characters ``soft``.
    ``firsts`` are the first parts of the book's compounds (``high-``), ``language`` is the code of the dictionary's.
    """

    counts: Counter[str]
    own: bool
    language: str = ""
    soft: str = "\u00ad"
    firsts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, lines: Iterable[str], language: str = "") -> Speller:
        """The speller of a book, from its lines in any order that keeps a line next to its successor."""
        return cls.by(Spelling.of(lines), language)

    @classmethod
    def by(cls, found: Spelling, language: str = "") -> Speller:
        """The speller of a book, from how it spells its words."""
        if found.ends["\u2010"] > max(2, found.inner):  # the typesetter's hyphen, and the author's is another character
            return cls(found.counts, True, language, "\u00ad\u2010")
        pairs = [pair for pair in found.pairs if all(pair)]
        own = found.ends["\u00ad"] > len(pairs) or _unhyphenated(pairs, found.counts, language)
        firsts = frozenset(word[: word.index("-") + 1] for word in found.counts if "-" in word)
        return cls(found.counts, own, language, firsts=firsts)

    def join(self, left: str, right: str) -> str:
        """One text of two pieces that follow each other: without the hyphen that the line end brought."""
        tail, head = left.rstrip(), right.lstrip()
        if not tail or not head:
            return tail + head
        if tail[-1] in self.soft:
            return tail[:-1] + head
        if tail.endswith(_HYPHENS) and tail[-2:-1].isalnum():
            if _SUSPENDED.match(head) and not self._solid(tail, head):
                return f"{tail} {head}"
            return tail[:-1] + ("-" if self.keeps_hyphen(tail[-60:-1] + "-", head[:60]) else "") + head
        dash = left == tail and tail[-1] in "—–/" and tail[-2:-1] not in ("", " ")
        tight = dash or (_UNSPACED.match(tail[-1]) and _UNSPACED.match(head[0]))
        return tail + head if tight else f"{tail} {head}"

    def keeps_hyphen(self, left: str, right: str) -> bool:
        """Whether the hyphen that ends ``left`` is the word's own (``high-intensity``) and not the line end's."""
        first, after = _last_word(left.lower()), _RIGHT.match(right.lower())
        if self.own or not first or not after or _ADDRESS.search(left):
            return True
        capitals = _CAPITALS.search(left) is not None
        if not capitals and not right[0].islower():
            return True
        second = after.group()
        kept, solid = self.counts[f"{first}-{second}"], self.counts[first + second]
        if kept or solid:
            return kept > solid
        last, next_ = first.rsplit("-", 1)[-1], second.split("-", 1)[0]
        if capitals:  # an abbreviation, or a word in capitals
            return not right[: after.end()].isupper() or not self._knows(last + next_)
        if next_ in _PARTICLES and len(last) > 2 and self._knows(last):  # follow-up: no typesetter breaks so late
            return True
        if self._knows(last + next_):
            return False
        if self.language in _COMPOUNDING or (last in _PREFIXES and f"{last}-" not in self.firsts):
            return False
        long = min(len(last), len(next_)) > 2 or "-" in first + second  # a compound is hardly broken but at its hyphen
        return len(last) == 1 or (long and self._knows(last) and self._knows(next_))

    def _knows(self, word: str) -> bool:
        return self.counts[word] > 0 or word in _dictionary(self.language)

    def _solid(self, tail: str, head: str) -> bool:
        """Whether a word that ends in or, to, et is broken: ``recept-`` is no word, ``short-`` before *or* is one."""
        first = _last_word(tail[-60:].lower()).rsplit("-", 1)[-1]
        return not self.own and bool(first) and not self._knows(first) and self._knows(first + head.split()[0].lower())


def _unhyphenated(pairs: list[tuple[str, str]], counts: Counter[str], language: str) -> bool:
    """Whether hardly any pair is a word without its hyphen: then the book is set without hyphenation."""
    most = 0.1 * len(pairs)
    if not pairs or sum(counts[first + second] > counts[f"{first}-{second}"] for first, second in pairs) > most:
        return False
    words = _dictionary(language)
    solid = sum(first + second in words for first, second in pairs)
    whole = sum(
        (first in words or first in counts) and (second in words or second in counts) for first, second in pairs
    )
    return solid <= most and 2 * whole > len(pairs)


def _last_word(text: str) -> str:
    found = _LEFT.search(text)
    return found.group() if found else ""
