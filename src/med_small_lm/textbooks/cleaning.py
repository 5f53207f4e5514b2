"""Lines put back together into running text: ligatures, spaces, and hyphens as the book itself spells its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_CHARACTERS = str.maketrans(
    _LIGATURES | {"\u00a0": " ", "\u2060": "", "\u200b": "", "\ufeff": "", "\u00ad": "", "\u2010": "-", "\u2011": "-"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_HYPHENS = ("-", "\u2010", "\u2011")
_LEFT = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*(?=-$)")
_RIGHT = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SUSPENDED = re.compile(r"(?:and|or|to|nor|und|oder|et|ou)\b")  # short- and long-term
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Japanese and Chinese have no word spaces


def tidy(text: str) -> str:
    """The text with ligatures spelt out, invisible characters gone and single spaces."""
    return " ".join(_CONTROL.sub("", text.translate(_CHARACTERS)).split())


@dataclass(frozen=True, slots=True)
class Speller:
    """Joins lines by what the book's own words say about a hyphen at the end of a line.

    ``counts`` are the words inside the lines. ``own`` says that plain hyphens at line ends are the author's: the book
    is set without hyphenation, or marks the hyphens that it added as soft ones (U+00AD). ``ends`` are the first and
    last parts of its compounds (``high-``, ``-like``).
    """

    counts: Counter[str]
    own: bool
    ends: frozenset[str] = frozenset()

    @classmethod
    def of(cls, lines: Iterable[str]) -> Speller:
        """The speller of a book, from its lines in any order that keeps a line next to its successor."""
        counts: Counter[str] = Counter()
        pairs: list[tuple[str, str]] = []  # what stands before and after a plain hyphen at a line's end
        soft = 0
        tail = ""
        for line in lines:
            text = line.rstrip()
            words = _WORD.findall(text.lower())
            if words and tail.endswith(_HYPHENS):
                pairs.append((_last_word(tail), words[0]))
            ended = text.endswith(("\u00ad", *_HYPHENS))
            counts.update(words[bool(tail) : len(words) - ended])
            tail = text[-60:].lower() if ended else ""
            soft += text.endswith("\u00ad")
        kept = sum(counts[f"{first}-{second}"] > counts[first + second] for first, second in pairs)
        solid = sum(counts[first + second] > counts[f"{first}-{second}"] for first, second in pairs)
        compounds = [word.split("-") for word in counts if "-" in word]
        ends = frozenset(end for parts in compounds for end in (f"{parts[0]}-", f"-{parts[-1]}"))
        return cls(counts, soft > len(pairs) or kept > solid, ends)

    def join(self, left: str, right: str) -> str:
        """One text of two pieces that follow each other: without the hyphen that the line end brought."""
        tail, head = left.rstrip(), right.lstrip()
        if not tail or not head:
            return tail + head
        if tail.endswith("\u00ad"):
            return tail[:-1] + head
        if tail.endswith(_HYPHENS) and tail[-2:-1].isalnum():
            if _SUSPENDED.match(head):
                return f"{tail} {head}"
            return tail[:-1] + ("-" if self.keeps_hyphen(tail[-60:-1] + "-", head[:60]) else "") + head
        dash = left == tail and tail[-1] in "—–/" and tail[-2:-1] not in ("", " ")
        tight = dash or (_UNSPACED.match(tail[-1]) and _UNSPACED.match(head[0]))
        return tail + head if tight else f"{tail} {head}"

    def keeps_hyphen(self, left: str, right: str) -> bool:
        """Whether the hyphen that ends ``left`` is the word's own (``high-intensity``) and not the line end's."""
        first, after = _last_word(left.lower()), _RIGHT.match(right.lower())
        if self.own or not first or not after or not right[0].islower():
            return True
        second = after.group()
        kept, solid = self.counts[f"{first}-{second}"], self.counts[first + second]
        if kept or solid:
            return kept > solid
        last, next_ = first.rsplit("-", 1)[-1], second.split("-", 1)[0]
        if self.counts[last + next_]:
            return False
        usual = f"{last}-" in self.ends or f"-{next_}" in self.ends
        return usual and min(len(last), len(next_)) > 2 and bool(self.counts[last] and self.counts[next_])


def _last_word(text: str) -> str:
    found = _LEFT.search(text)
    return found.group() if found else ""
