"""The order in which a book's lines are read, and what each stretch of them is.

A page is first freed of running heads and folios, then its ruled tables are folded into single lines, and what is left
is cut into columns. A line that crosses the gutter parts the page into bands::

    +-----------------+
    |      title      |   band 1
    +--------+--------+
    |   1    |   2    |   band 2, column by column
    +--------+--------+
    |  wide caption   |   band 3
    +-----------------+
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller
from med_small_lm.textbooks.pages import Line, Page
from med_small_lm.textbooks.tables import fold_aligned

_LEFTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_BIN = 1.0  # points: the grain in which white between columns is looked for
_TITLE = 1.5  # least size of a chapter's title, in body type sizes
_COLUMNS_DEEP = 3  # a page is cut at most this often: eight columns


@dataclass(frozen=True, slots=True)
class Type:
    """The book's body type: face, and size, leading and usual width of a full line in points.

    ``columns`` says that full lines fill no more than half of a page.
    """

    face: str
    size: float
    leading: float
    width: float
    columns: bool


@dataclass(slots=True)
class Column:
    """Lines from top to bottom that are read as one run, and their left and right edge in points."""

    page: int
    left: float
    right: float
    lines: list[Line]


@dataclass(slots=True)
class Styles:
    """What lines say of the book's type, in counts that add up over ranges of pages.

    ``characters`` by size and face, ``steps`` by the sizes of two lines below each other and their distance, ``widths``
    of lines by their size, ``pages`` the widths of pages. Lengths in points.
    """

    characters: Counter[tuple[float, str]] = field(default_factory=Counter)
    steps: Counter[tuple[float, float, float]] = field(default_factory=Counter)
    widths: dict[float, list[float]] = field(default_factory=dict)
    pages: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, pages: list[Page]) -> Styles:
        """The styles of some pages."""
        styles = cls(pages=[page.width for page in pages])
        for page in pages:
            before: Line | None = None
            for line in page.lines:
                styles.characters[line.size, line.face] += len(line.text)
                styles.widths.setdefault(line.size, []).append(line.width)
                if before and abs(line.x0 - before.x0) < 2 and 0 < line.base - before.base < 3 * line.size:
                    styles.steps[before.size, line.size, round(line.base - before.base, 1)] += 1
                before = line
        return styles

    def add(self, other: Styles) -> None:
        """Takes in the styles of more pages."""
        self.characters.update(other.characters)
        self.steps.update(other.steps)
        self.pages += other.pages
        for size, widths in other.widths.items():
            self.widths.setdefault(size, []).extend(widths)


def body_type(styles: Styles) -> Type:
    """The type most characters of the book are set in."""
    sizes: Counter[float] = Counter()
    for (size, _), weight in styles.characters.items():
        sizes[size] += weight
    size = max(sizes, key=lambda key: (sizes[key], key), default=10.0)
    faces = {face: weight for (other, face), weight in styles.characters.items() if other == size and face}
    face = max(faces, key=lambda key: (faces[key], key), default="")
    leadings: Counter[float] = Counter()
    for (above, below, step), number in styles.steps.items():
        if abs(above - size) <= 0.3 >= abs(below - size):
            leadings[step] += number
    leading = max(leadings, key=lambda key: (leadings[key], key), default=1.2 * size)
    widths = sorted(width for other, some in styles.widths.items() if abs(other - size) <= 0.3 for width in some)
    usual = widths[int(0.8 * len(widths))] if widths else 0.0
    middle = sorted(styles.pages)[len(styles.pages) // 2] if styles.pages else 0.0
    return Type(face, size, leading, usual, usual < 0.5 * middle)


def columns(page: Page, body: Type, speller: Speller, reading: Reading) -> list[Column]:
    """The page's columns in reading order."""
    lines = _without_drop_caps(page.lines, body)
    beside = _beside_text(lines, body, reading)
    text = [line for line in lines if id(line) not in beside] if beside else lines
    notes = [[line for line in lines if id(line) in beside]] if beside else []
    result = []
    for lines in [*_cut(text, body, reading, _COLUMNS_DEEP), *notes]:
        merged = [_merge(row) for row in fold_aligned(list(rows(lines)), speller)]
        result.append(Column(page.number, min(x.x0 for x in merged), max(x.x1 for x in merged), merged))
    return result


def _without_drop_caps(lines: list[Line], body: Type) -> list[Line]:
    """The lines with each large initial put before the first line that it stands beside."""
    caps = [x for x in lines if x.size > 1.8 * body.size and len(x.text.strip()) == 1 and x.text.strip().isalpha()]
    for cap in caps:
        beside = [x for x in lines if 0 <= cap.base - x.base < cap.size and -2 < x.x0 - cap.x1 < 2 * body.size]
        if beside:
            first = min(beside, key=lambda x: x.base)
            first.text = cap.text.strip() + first.text.lstrip()
            lines = [x for x in lines if x is not cap]
    return lines


def _beside_text(lines: list[Line], body: Type, reading: Reading) -> set[int]:
    """The ids of small lines in the margin beside the text: side notes are read when the page's text is."""
    full = [x for x in lines if abs(x.size - body.size) < 0.3 and x.width > 0.6 * body.width]
    if len(full) < 3:
        return set()
    starts, ends = sorted(x.x0 for x in full), sorted(x.x1 for x in full)
    left, right = starts[len(full) // 10] - 0.5 * body.size, ends[-1 - len(full) // 10] + 0.5 * body.size
    small = reading.small_size * body.size
    return {id(x) for x in lines if x.size < small and not x.rows and (x.x0 > right or x.x1 < left)}


def _cut(lines: list[Line], body: Type, reading: Reading, depth: int) -> list[list[Line]]:
    gutter = _gutter(lines, body, reading) if depth else None
    if gutter is None:
        return [lines] if lines else []
    crossing = [x for x in lines if x.x0 < gutter - 1 and x.x1 > gutter + 1]
    crossing = sorted(crossing + _short_titles(lines, gutter, body, reading), key=lambda x: x.base)
    across = {id(x) for x in crossing}
    rest = [x for x in lines if id(x) not in across]
    result: list[list[Line]] = []
    wide: list[Line] = []
    top = float("-inf")
    for bound in [*crossing, None]:
        bottom = bound.base if bound else float("inf")
        band = [x for x in rest if top < x.base <= bottom]
        if band and wide:
            result.append(wide)
            wide = []
        sides = ([x for x in band if x.x1 <= gutter + 1], [x for x in band if x.x1 > gutter + 1])
        for side in reversed(sides) if _leftwards(band) else sides:
            result.extend(_cut(side, body, reading, depth - 1))
        if bound:
            wide.append(bound)
        top = bottom
    return result + ([wide] if wide else [])


def _short_titles(lines: list[Line], gutter: float, body: Type, reading: Reading) -> list[Line]:
    """The chapter titles that part the page although they are short: both columns end right above them."""
    titles = []
    small = reading.small_size * body.size
    for title in lines:
        if title.size < _TITLE * body.size or title.x1 > gutter + 1:
            continue
        above = [x for x in lines if x.base < title.base]
        sides = [[x.base for x in above if x.x1 <= gutter + 1], [x.base for x in above if x.x0 >= gutter - 1]]
        top, end = title.base - 1.2 * title.size, title.base + 0.5 * body.leading
        clear = not any(x.x0 >= gutter - 1 and top < x.base < end for x in lines)
        below = any(
            x.x0 >= gutter - 1 and x.size > small and end <= x.base < title.base + 4 * body.leading for x in lines
        )
        if clear and below and all(sides) and abs(max(sides[0]) - max(sides[1])) < 0.7 * body.leading:
            titles.append(title)
    return titles


def _gutter(lines: list[Line], body: Type, reading: Reading) -> float | None:
    """The abscissa that parts the lines into two columns, or None."""
    if len(lines) < 6:
        return None
    left, right = min(x.x0 for x in lines), max(x.x1 for x in lines)
    narrow = [x for x in lines if x.width < 0.6 * (right - left)]
    size = int((right - left) / _BIN) + 2
    steps = [0] * (size + 1)
    for line in narrow:
        steps[int((line.x0 - left) / _BIN)] += 1
        steps[int((line.x1 - left) / _BIN) + 1] -= 1
    cover, total = [], 0
    for step in steps:
        total += step
        cover.append(total)
    for floor in (0.0, 0.08 * len(narrow)):  # titles may lie over the white, but first a strip that is clear
        found = [(last - first, left + _BIN * (first + last) / 2) for first, last in _valleys(cover, floor)]
        for white, middle in sorted(found, reverse=True):
            if _BIN * white >= reading.gutter * body.size and _parts(narrow, middle, left, right, body):
                return middle
    return None


def _valleys(cover: list[int], floor: float) -> Iterator[tuple[int, int]]:
    """The stretches of bins that at most ``floor`` lines lie over, without the ones at the edges."""
    start: int | None = None
    for index, value in enumerate(cover):
        if value <= floor and start is None:
            start = index
        elif value > floor and start is not None:
            if start > 0:
                yield start, index
            start = None


def _parts(lines: list[Line], middle: float, left: float, right: float, body: Type) -> bool:
    """Whether both sides of a white strip are columns of text, and not bullets, labels or the cells of a table.

    In a book of columns a side that is as wide as the book's columns will do, and the last column may hold few lines.
    Anywhere else both sides must be filled with lines that reach across.
    """
    sides = (
        (sorted(x.width for x in lines if x.x1 <= middle + 1), middle - left),
        (sorted(x.width for x in lines if x.x0 >= middle - 1), right - middle),
    )
    if not all(widths for widths, _ in sides):
        return False
    full = [len(w) >= 8 and w[len(w) // 2] > 0.7 * width and width > 6 * body.size for w, width in sides]
    as_book = [w[-1] > 0.8 * body.width and width > 0.75 * body.width for w, width in sides]
    few = [len(w) < 3 or width < body.width for w, width in sides]
    return all(full) or all(as_book) or (body.columns and any(a and f for a, f in zip(as_book, few[::-1], strict=True)))


def rows(lines: list[Line]) -> Iterator[list[Line]]:
    """Pieces that stand on one baseline, left to right; rows from top to bottom."""
    row: list[Line] = []
    for line in sorted(lines, key=lambda x: (x.base, x.x0)):
        if row and not (line.rows or row[-1].rows) and _same_row(row, line):
            row.append(line)
            continue
        if row:
            yield sorted(row, key=lambda x: x.x0, reverse=_leftwards(row))
        row = [line]
    if row:
        yield sorted(row, key=lambda x: x.x0, reverse=_leftwards(row))


def _leftwards(lines: list[Line]) -> bool:
    """Whether the lines run from right to left: Hebrew, Arabic and their kin."""
    if len(lines) < 2:
        return False
    return 2 * sum(_LEFTWARDS.search(line.text) is not None for line in lines) > len(lines)


def _same_row(row: list[Line], line: Line) -> bool:
    tall = max(row, key=lambda x: x.size)
    apart = all(line.x0 >= x.x1 - 1 or line.x1 <= x.x0 + 1 for x in row)
    return apart and line.base - tall.base < 0.45 * max(tall.size, line.size)


def _merge(row: list[Line]) -> Line:
    if len(row) == 1:
        return row[0]
    main = max(row, key=lambda x: len(x.text))
    text = row[0].text
    for before, line in zip(row, row[1:], strict=False):
        gap = max(line.x0 - before.x1, before.x0 - line.x1)
        text += line.text if gap < 0.12 * main.size else f" {line.text}"
    return Line(
        text=text,
        x0=min(x.x0 for x in row),
        y0=min(x.y0 for x in row),
        x1=max(x.x1 for x in row),
        y1=max(x.y1 for x in row),
        base=main.base,
        size=main.size,
        bold=all(x.bold for x in row),
        lead_bold=row[0].lead_bold,
        face=main.face if all(x.face == main.face for x in row) else "",
    )
