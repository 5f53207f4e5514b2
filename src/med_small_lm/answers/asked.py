"""What is looked for in a reply, and what is read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from med_small_lm.answers.nearest import TEXT, spans
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

        An option whose whole text is a key ("A" among blood groups) stays as it is, and so does "(A) cells" where one
        is "A cells".
        """
        marked = re.compile(rf"(?<=[(\[]){self.letter}[)\]]")
        keys, signs = {option.key.casefold() for option in self.options}, list(text)
        for start, end, _ in spans(text, self.options):
            if text[start:end].casefold() not in keys and not marked.match(text, start):
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
