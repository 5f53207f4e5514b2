"""What stands on pages beside the text: running heads and folios, and whole pages of contents or index."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.layout import rows
from med_small_lm.textbooks.pages import Line, Page

_FOLIO = re.compile(r"(?:[\W_]*(?:page|p\.)?[\W_]*(?:\d{1,4}|[ivxlcdm]{1,7})[\W_]*(?:of \d+)?[\W_]*)", re.IGNORECASE)
_ENDS_IN_NUMBER = re.compile(r"(?:^|[\s.\u2060])(\d{1,4}|[ivxlc]{1,6})\s*$")
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b| ")
_NUMBER = re.compile(r"(?<![\d.,])\d{1,4}(?![\d.,]*\d)")
_TITLE = re.compile(r"\s*(?:table of )?contents\s*", re.IGNORECASE)
_LEADER = re.compile(r"(?:[.·…]\s?){4,}")
_PAGES = r"\d{1,4}(?:[-–]\d{1,4})?[a-z]?"
_INDEX_ENTRY = re.compile(rf"[^\W\d].{{0,60}}?,? {_PAGES}(?:, {_PAGES})*[,.;]?")

Slots = dict[tuple[bool, int], list[tuple[int, int, str, bool]]]
"""Lines near the head (true) or foot of pages by their height: page, index on it, wording, whether it is a folio."""


def margins(pages: list[Page], leading: float, reading: Reading) -> Slots:
    """The lines that may be running heads or folios, in slots: a slot is a height near the head or foot of pages."""
    slots: Slots = defaultdict(list)
    for page in pages:
        first = min((line.base for line in page.lines), default=0.0)
        last = max((line.base for line in page.lines), default=0.0)
        for index, line in enumerate(page.lines):
            head = line.base - first < reading.margin * leading
            if head or last - line.base < reading.margin * leading:
                wording = " ".join(line.text.lower().split())
                folio = _FOLIO.fullmatch(wording) is not None
                slots[head, round(line.base / 3)].append((page.number, index, wording, folio))
    return slots


def furniture(parts: Iterable[Slots], pages: int, reading: Reading) -> set[tuple[int, int]]:
    """Page and index of the lines that stand in a slot of running heads or folios.

    A slot is furniture where many of its lines are page numbers or say what the same slot says on another page. Digits
    may differ as far as they count the pages: what else they count are the rows of a table.
    """
    slots: Slots = defaultdict(list)
    for part in parts:
        for slot, members in part.items():
            slots[slot] += members
    told = {shift for shift, on in _shifts(slots).items() if len(on) > 1 or pages == 1}
    marks: set[tuple[int, int]] = set()
    for members in slots.values():
        repeats = Counter(wording for _, _, wording, _ in members)
        alike = Counter(_DIGITS.sub("#", wording) for _, _, wording, _ in members)
        found = 0
        for page, _, wording, folio in members:
            counts = not any(map(str.isdigit, wording)) or any(int(n) - page in told for n in _NUMBER.findall(wording))
            same = repeats[wording] > 1 and not folio
            found += same or (counts and (folio or alike[_DIGITS.sub("#", wording)] > 1))
        folios = all(folio for *_, folio in members)
        if found >= 0.4 * len(members) and (folios or len(members) >= reading.margin_pages * pages):
            marks.update((page, index) for page, index, _, _ in members)
    return marks


def _shifts(slots: Slots) -> dict[int, set[int]]:
    """The pages on which a number near the head or foot is so much more than the number of the page in the file."""
    shifts: dict[int, set[int]] = defaultdict(set)
    for members in slots.values():
        for page, _, wording, _ in members:
            for number in _NUMBER.findall(wording):
                shifts[int(number) - page].add(page)
    return shifts


def strip_furniture(pages: list[Page], marks: set[tuple[int, int]], leading: float) -> Counter[tuple[str, int]]:
    """How many words of running heads and folios were taken off the pages, in place, by reason and page.

    From a page only lines are taken that white sets apart from the text, so that the first line of a column that
    happens to stand where other pages have their running head stays.
    """
    words: Counter[tuple[str, int]] = Counter()
    for page in pages:
        marked = {id(line) for index, line in enumerate(page.lines) if (page.number, index) in marks}
        inwards = sorted(page.lines, key=lambda line: line.base)
        gone = _set_apart(inwards, marked, 1.3 * leading) | _set_apart(inwards[::-1], marked, 1.3 * leading)
        taken = sum(len(line.text.split()) for line in inwards if id(line) in gone)
        if taken:
            words["running heads and folios", page.number] += taken
        page.lines = [line for line in page.lines if id(line) not in gone]
    return words


def _set_apart(inwards: list[Line], marks: set[int], white: float) -> set[int]:
    """The marks at the page's edge up to the last that has white below it, in lines from the edge inwards."""
    end = 0
    for index, line in enumerate(inwards):
        if id(line) not in marks:
            break
        if index + 1 == len(inwards) or abs(inwards[index + 1].base - line.base) > white:
            end = index + 1
    return {id(line) for line in inwards[:end]}


def is_contents(page: Page, pages: int) -> bool:
    """Whether the page lists headings with their page numbers, which only grow, in the first fifth of the book."""
    if page.number > max(3, pages / 5) or pages < 3:
        return False
    listed = list(rows(page.lines))
    named = [row for row in listed if any(letter.isalpha() for line in row for letter in line.text)]
    numbers = [found.group(1) for row in named if (found := _ENDS_IN_NUMBER.search(row[-1].text))]
    if len(numbers) < 4 or len(numbers) < 0.5 * len(listed):
        return False
    values = [int(number) for number in numbers if number.isdigit()]
    grows = sum(one <= other for one, other in zip(values, values[1:], strict=False))
    if grows < 0.8 * (len(values) - 1):
        return False
    text = [" ".join(line.text for line in row) for row in listed]
    if sum(_LEADER.search(row) is not None for row in text) > 0.3 * len(text) or any(map(_TITLE.fullmatch, text)):
        return True
    return not values or max(values) - min(values) <= 1.3 * pages  # else it is a table of growing numbers


def is_index(page: Page, pages: int) -> bool:
    """Whether the page lists words with page numbers by the alphabet, in the second half of the book."""
    if 2 * page.number <= pages or len(page.lines) < 12:
        return False
    lines = sorted(page.lines, key=lambda line: (6 * line.x0 // page.width, line.base))  # column by column
    entries = [line.text.strip().casefold() for line in lines if _INDEX_ENTRY.fullmatch(line.text.strip())]
    grows = sum(one[0] <= other[0] for one, other in zip(entries, entries[1:], strict=False))
    return len(entries) >= 0.6 * len(page.lines) and grows >= 0.7 * (len(entries) - 1)
