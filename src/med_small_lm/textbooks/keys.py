"""Which key belongs to which questions: told by the chapter's name, by place, or by order, and never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

from med_small_lm.textbooks.labels import LETTERS, Answer, split_options, squeeze
from med_small_lm.textbooks.sections import Placed

NAMED = re.compile(
    r"(?:(?:chapter|unit|lesson|module|section|part|test|quiz)\s+)?(\d{1,3}(?:\.\d{1,3})*)\b", re.IGNORECASE
)
_TRUE_FALSE = {"t": "A", "true": "A", "f": "B", "false": "B"}
# Options that an answer names by number: "3", "1, 3", "2. Because …", but not "2.5 mg".
_COUNTED = re.compile(r"[(\[]?(\d(?:\s?(?:,|and|&)\s?\d)*)(?=[)\]]?(?:[.;,:–-]?\s|[.;]?$))")
_WORD = 6  # letters: an answer that is longer than `A, B` is told in words
_FITS = 0.8  # share of a key's letters that must be options of the questions it is for


@dataclass(slots=True)
class Asked:
    """A question as it stands in the book, with its key once that is found."""

    number: str
    stem: str
    options: list[str]
    items: list[Placed]
    section: str
    answer: str = ""
    context: str = ""

    @property
    def numbered(self) -> bool:
        """Whether the book counts the options instead of lettering them."""
        return bool(self.options) and not split_options([item.paragraph.text for item in self.items])[1]

    def keys(self, answer: str) -> list[str]:
        """The letters of the options that an answer names, by letter, by number or by its whole text."""
        if not self.options:
            return [key] if (key := _TRUE_FALSE.get(answer.strip(" .").casefold())) else []
        letters = LETTERS[: len(self.options)]
        if re.fullmatch(r"[A-Ja-j]{1,6}|[A-Ja-j](\s?(,|and|&|/)\s?[A-Ja-j])+", answer):
            named = [letter.upper() for letter in re.sub(r"and|\W", "", answer)]
            if set(named) <= set(letters) and sorted(set(named)) == named:
                return named
        if (counted := _COUNTED.match(answer)) and self.numbered:
            places = sorted({int(digit) for digit in re.findall(r"\d+", counted[1])})
            return [letters[place - 1] for place in places] if places[0] > 0 and places[-1] <= len(letters) else []
        said, texts = squeeze(answer), [squeeze(option) for option in self.options]
        said = {"t": "true", "f": "false"}.get(said, said) if said not in texts else said
        return [letter for letter, text in zip(letters, texts, strict=True) if text and text == said]


@dataclass(slots=True)
class Group:
    """Questions, or the answers of a key, that are counted through: where they stand, and the title over them."""

    section: str
    at: int
    title: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """What a key may call the group by: numbers and titles of its chapter and sections."""
        return {name for title in [*self.section.split(" > "), self.title] for name in _names(title)}


def assign(sets: list[Group], keys: list[Group]) -> None:
    """Gives the questions their keys: by a chapter's name over the key, by its place, or by their order."""
    for _, run in groupby(keys, key=lambda key: (key.section, _called(key, sets))):
        blocks = list(run)
        called = _called(blocks[0], sets)
        before = [group for group in sets if group.at <= blocks[0].at and _wanting(group)]
        near = [group for group in before if chapter(group.section) == chapter(blocks[0].section)]
        if called:
            _pair([group for group in sets if called & group.names and _wanting(group)], blocks)
        else:
            _pair(near, blocks) or _pair(before, blocks)


def _called(key: Group, sets: list[Group]) -> frozenset[str]:
    """The names in a key's title, or else of its chapter where only the key stands, that questions are known by."""
    titles = _names(key.title) & {name for group in sets for name in group.names if group.section != key.section}
    own = {chapter(group.section) for group in sets}
    alone = set() if chapter(key.section) in own else _names(chapter(key.section))
    return frozenset(titles or alone & {name for group in sets for name in group.names})


def _pair(sets: list[Group], blocks: list[Group]) -> bool:
    """Pairs sets and blocks one to one where they fit in their order, else each block with the only set it fits.

    Returns whether there was a pair.
    """
    if len(sets) == len(blocks) and all(_fits(*pair) for pair in zip(sets, blocks, strict=True)):
        pairs = list(zip(sets, blocks, strict=True))
    else:
        pairs = [
            (fits[0], block)
            for block in blocks
            if len(fits := [one for one in sets if _fits(one, block) and _covers(one, block)]) == 1
        ]
        taken = [id(group) for group, _ in pairs]
        pairs = [(group, block) for group, block in pairs if taken.count(id(group)) == 1]
    numbers = [one.number for group in sets for one in group.asked]
    if not pairs and len(blocks) == 1 and len(set(numbers)) == len(numbers):  # numbers that run through the book
        pairs = [(Group("", 0, asked=[one for group in sets for one in group.asked]), blocks[0])]
        pairs = pairs if _fits(*pairs[0]) else []
    for group, block in pairs:
        answers = {answer.number: answer.value for answer in block.answers}
        for one in group.asked:
            one.answer = one.answer or answers.get(one.number, "")
    return bool(pairs)


def _fits(group: Group, block: Group) -> bool:
    """Whether a key's answers name options of the questions of their numbers, and most of the questions have one."""
    asked = {one.number: one for one in group.asked}
    told = [bool(asked[answer.number].keys(answer.value)) for answer in block.answers if answer.number in asked]
    wanting = [one for one in group.asked if one.options]
    missing = sum(not asked[answer.number].options for answer in block.answers if answer.number in asked)
    return 0 < sum(told) >= _FITS * (len(told) - missing) and 2 * sum(told) >= len(wanting)


def _covers(group: Group, block: Group) -> bool:
    """Whether most letters of a key are for numbers that the questions have."""
    numbers = {one.number for one in group.asked}
    letters = [answer.number in numbers for answer in block.answers if len(answer.value) < _WORD]
    return sum(letters) >= _FITS * len(letters)


def _wanting(group: Group) -> bool:
    return any(not one.answer for one in group.asked)


def chapter(section: str) -> str:
    """The chapter of a section's path."""
    return section.split(" > ")[0]


def _names(title: str) -> set[str]:
    """What a title may be called by: its letters with and without its number, and its number."""
    found = NAMED.match(title)
    rest = title[found.end() :] if found else title
    return {name for name in (squeeze(title), squeeze(rest), found.group(1) if found else "") if name}
