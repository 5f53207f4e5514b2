"""Passages: stretches of a section that hold at most a budget of words and end where a paragraph or sentence does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from med_small_lm.params.ingest_textbooks import PassageBudget
from med_small_lm.schemas.rows import Passage
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.paragraphs import Paragraph
from med_small_lm.textbooks.sections import Placed

# A sentence ends before a capital; not after an initial, a title or a label that is followed by a name or number.
_SENTENCE = re.compile(r"[.!?][\"'”’)\]]*[\u2070-\u209f¹²³]*\s+(?=[\"'“‘(\[]?[A-Z0-9])|[。！？]")
_NO_END = re.compile(r"(?:\b(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|vs|Fig|Figs|No|Vol|cf|al|e\.g|i\.e|approx|Eq|ca)\.)$")


def words(text: str) -> int:
    """How many words a text has: the budget's unit unless another is passed in."""
    return len(text.split())


@dataclass(frozen=True, slots=True)
class Unit:
    """The least that is never cut: a sentence, a row of a table, a heading. ``paragraph`` numbers its paragraph.

    ``glue`` stands before the unit where the one before is of the same paragraph.
    """

    text: str
    size: int
    paragraph: int
    heading: bool
    glue: str
    page_first: int
    page_last: int


def passages_of(
    placed: Iterable[Placed], file: SourceFile, budget: PassageBudget, count: Callable[[str], int] = words
) -> list[Passage]:
    """The passages of a book's kept paragraphs, in reading order, numbered from 0."""
    result: list[Passage] = []
    kept = (item for item in placed if not item.reason)
    for section, items in groupby(kept, key=lambda item: item.section):
        for units in split(list(_units([item.paragraph for item in items], budget.words, count)), budget):
            result.append(_passage(units, section, file, len(result)))
    return result


def split(units: list[Unit], budget: PassageBudget) -> list[list[Unit]]:
    """Runs of the units, in order and without loss, each of at most ``budget.words``.

    A run ends before a paragraph that does not fit as a whole, or before a heading, once it holds ``words_min``;
    a last run below ``words_min`` is evened out with the one before. A heading stays with what follows it.
    """
    runs: list[list[Unit]] = []
    run: list[Unit] = []
    filled = 0
    for index, unit in enumerate(units):
        starts = index == 0 or units[index - 1].paragraph != unit.paragraph
        turn = starts and filled >= budget.words_min and (unit.heading or filled + _rest(units, index) > budget.words)
        if run and (filled + unit.size > budget.words or turn):
            cut = _before_headings(run, budget.words - unit.size)
            room = budget.words - unit.size - sum(u.size for u in run[cut:])
            runs.append(run[:cut])
            run = [*_tail(run[:cut], min(room, budget.overlap)), *run[cut:]]
            filled = sum(u.size for u in run)
        run.append(unit)
        filled += unit.size
    return _even([*runs, run], budget) if run else runs


def _rest(units: list[Unit], index: int) -> int:
    """The size of the paragraph that begins at the index; a heading's is its own and the next paragraph's."""
    size, paragraph = 0, units[index].paragraph
    for unit in units[index:]:
        if unit.paragraph > paragraph + units[index].heading:
            break
        size += unit.size
    return size


def _before_headings(run: list[Unit], room: int) -> int:
    """How much of the run stays when the headings at its end go, where there is room, with what they head."""
    cut = len(run)
    while cut > 0 and run[cut - 1].heading:
        cut -= 1
    return cut if cut and sum(u.size for u in run[cut:]) <= room else len(run)


def _tail(run: list[Unit], room: int) -> list[Unit]:
    tail: list[Unit] = []
    for unit in reversed(run):
        if sum(u.size for u in tail) + unit.size > room:
            break
        tail.insert(0, unit)
    return tail


def _even(runs: list[list[Unit]], budget: PassageBudget) -> list[list[Unit]]:
    """The runs with a last one that is too short filled up from, or joined to, the one before."""
    if len(runs) < 2 or budget.overlap or sum(u.size for u in runs[-1]) >= budget.words_min:
        return runs
    pool = runs[-2] + runs[-1]
    total = sum(u.size for u in pool)
    if total <= budget.words:
        return [*runs[:-2], pool]
    best, filled = len(runs[-2]), 0
    for index, unit in enumerate(pool):
        if filled >= total / 2 or total - filled - unit.size < budget.words_min:
            break
        filled += unit.size
        if total - filled <= budget.words and not unit.heading:
            best = index + 1
            if filled >= budget.words_min and index + 1 < len(pool) and pool[index + 1].paragraph != unit.paragraph:
                break
    left, right = pool[:best], pool[best:]
    if max(sum(u.size for u in left), sum(u.size for u in right)) > budget.words:
        return runs
    return [*runs[:-2], left, right]


def _units(paragraphs: list[Paragraph], limit: int, count: Callable[[str], int]) -> Iterator[Unit]:
    for number, paragraph in enumerate(paragraphs):
        for start, end, size in _spans(paragraph, limit, count):
            text = paragraph.text[start:end]
            first, last = paragraph.page_at(start), paragraph.page_at(end - 1)
            glue = "\n" if paragraph.rows else " "
            yield Unit(text, size, number, paragraph.kind == "heading", glue, first, last)


def _spans(paragraph: Paragraph, limit: int, count: Callable[[str], int]) -> Iterator[tuple[int, int, int]]:
    """Where the paragraph's units begin and end, and their size; one above the limit is cut between words."""
    ends = [m.end() for m in re.finditer(r"\n", paragraph.text)] if paragraph.rows else _ends(paragraph.text)
    start = 0
    for end in [*ends, len(paragraph.text)]:
        yield from _cut(paragraph.text, start, end, limit, count)
        start = end


def _ends(text: str) -> list[int]:
    found = _SENTENCE.finditer(text)
    return [m.end() for m in found if not _NO_END.search(text[max(0, m.start() - 7) : m.start() + 1])]


def _cut(text: str, start: int, end: int, limit: int, count: Callable[[str], int]) -> Iterator[tuple[int, int, int]]:
    piece = text[start:end].strip()
    size = count(piece)
    if size <= limit:
        pieces = [(start, end)]
    else:
        pieces, begin, stop = [], start, start
        for word in re.finditer(r"\S+", text[start:end]):
            if stop > begin and count(text[begin : start + word.end()]) > limit:
                pieces.append((begin, stop))
                begin = start + word.start()
            stop = start + word.end()
        pieces.append((begin, stop))
    for first, last in pieces:
        lead = len(text[first:last]) - len(text[first:last].lstrip())
        stripped = text[first:last].strip()
        if stripped:
            at = first + lead
            yield at, at + len(stripped), size if stripped == piece else count(stripped)


def _passage(units: list[Unit], section: str, file: SourceFile, ordinal: int) -> Passage:
    text = units[0].text
    for before, unit in zip(units, units[1:], strict=False):
        text += (unit.glue if before.paragraph == unit.paragraph else "\n") + unit.text
    digest = sha256((section + text).encode()).hexdigest()
    return Passage(
        passage_id=f"{file.book}-{digest[:12]}",
        book=file.book,
        ordinal=ordinal,
        section=section,
        page_first=units[0].page_first,
        page_last=max(u.page_last for u in units),
        text=text,
        n_words=words(text),
        sha256=sha256(text.encode()).hexdigest(),
        licence=file.licence,
        source=file.source,
    )
