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
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from med_small_lm.params.ingest_textbooks import Reading
from med_small_lm.textbooks.cleaning import Speller
from med_small_lm.textbooks.pages import Line, Page
from med_small_lm.textbooks.tables import fold_aligned

_FOLIO = re.compile(r"(?:[\W_]*(?:page|p\.)?[\W_]*(?:\d{1,4}|[ivxlcdm]{1,7})[\W_]*(?:of \d+)?[\W_]*)", re.IGNORECASE)
_ENDS_IN_NUMBER = re.compile(r"(?:^|[\s.\u2060])(\d{1,4}|[ivxlc]{1,6})\s*$")
_LEFTWARDS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_BIN = 2.0  # points: the grain in which white between columns is looked for
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


def body_type(pages: list[Page]) -> Type:
    """The type most characters of the book are set in."""
    styles: Counter[tuple[float, str]] = Counter()
    for page in pages:
        for line in page.lines:
            styles[line.size, line.face] += len(line.text)
    sizes: Counter[float] = Counter()
    for (size, _), weight in styles.items():
        sizes[size] += weight
    size = max(sizes, key=lambda key: (sizes[key], key), default=10.0)
    faces = {face: weight for (other, face), weight in styles.items() if other == size and face}
    face = max(faces, key=lambda key: faces[key], default="")
    leadings: Counter[float] = Counter()
    widths: list[float] = []
    for page in pages:
        before: Line | None = None
        for line in page.lines:
            if abs(line.size - size) > 0.3:
                before = None
                continue
            widths.append(line.width)
            if before and abs(line.x0 - before.x0) < 2 and 0 < line.base - before.base < 3 * size:
                leadings[round(line.base - before.base, 1)] += 1
            before = line
    widths.sort()
    usual = widths[int(0.8 * len(widths))] if widths else 0.0
    leading = max(leadings, key=lambda key: leadings[key], default=1.2 * size)
    middle = sorted(page.width for page in pages)[len(pages) // 2] if pages else 0.0
    return Type(face, size, leading, usual, usual < 0.5 * middle)


def strip_furniture(pages: list[Page], reading: Reading) -> Counter[tuple[str, int]]:
    """How many words of running heads and folios were taken off the pages, in place, by reason and page.

    From a page only lines are taken that white sets apart from the text, so that the first line of a column that
    happens to stand where other pages have their running head stays.
    """
    leading = body_type(pages).leading
    marks = _furniture(pages, leading, reading)
    words: Counter[tuple[str, int]] = Counter()
    for page in pages:
        inwards = sorted(page.lines, key=lambda line: line.base)
        gone = _set_apart(inwards, marks, 1.3 * leading) | _set_apart(inwards[::-1], marks, 1.3 * leading)
        taken = sum(len(line.text.split()) for line in inwards if id(line) in gone)
        if taken:
            words["running heads and folios", page.number] += taken
        page.lines = [line for line in page.lines if id(line) not in gone]
    return words


def _furniture(pages: list[Page], leading: float, reading: Reading) -> set[int]:
    """The ids of lines that stand in a slot of running heads or folios.

    A slot is a height near the head or foot of pages. It is furniture where many of its lines are page numbers or say,
    digits aside, what the same slot says on another page.
    """
    slots: dict[tuple[bool, int], list[tuple[Line, str]]] = defaultdict(list)
    for page in pages:
        first = min((line.base for line in page.lines), default=0.0)
        last = max((line.base for line in page.lines), default=0.0)
        for line in page.lines:
            head = line.base - first < reading.margin * leading
            if head or last - line.base < reading.margin * leading:
                key = re.sub(r"\d+|\b[ivxlc]+\b", "#", "".join(line.text.lower().split()))
                slots[head, round(line.base / 3)].append((line, key))
    marks: set[int] = set()
    for members in slots.values():
        repeats = Counter(key for _, key in members)
        folios = [_FOLIO.fullmatch(line.text.strip()) is not None for line, _ in members]
        found = sum(folio or repeats[key] > 1 for folio, (_, key) in zip(folios, members, strict=True))
        if found >= 0.4 * len(members) and (all(folios) or len(members) >= reading.margin_pages * len(pages)):
            marks.update(id(line) for line, _ in members)
    return marks


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
    rows = list(_rows(page.lines))
    named = [row for row in rows if any(letter.isalpha() for line in row for letter in line.text)]
    numbers = [found.group(1) for row in named if (found := _ENDS_IN_NUMBER.search(row[-1].text))]
    if len(numbers) < 4 or len(numbers) < 0.5 * len(rows):
        return False
    values = [int(number) for number in numbers if number.isdigit()]
    grows = sum(one <= other for one, other in zip(values, values[1:], strict=False))
    return grows >= 0.8 * (len(values) - 1)


def columns(page: Page, body: Type, speller: Speller, reading: Reading) -> list[Column]:
    """The page's columns in reading order."""
    result = []
    for lines in _cut(_without_drop_caps(page.lines, body), body, reading, _COLUMNS_DEEP):
        merged = [_merge(row) for row in fold_aligned(list(_rows(lines)), speller)]
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


def _cut(lines: list[Line], body: Type, reading: Reading, depth: int) -> list[list[Line]]:
    gutter = _gutter(lines, body, reading) if depth else None
    if gutter is None:
        return [lines] if lines else []
    crossing = sorted((x for x in lines if x.x0 < gutter - 1 and x.x1 > gutter + 1), key=lambda x: x.base)
    rest = [x for x in lines if x.x1 <= gutter + 1 or x.x0 >= gutter - 1]
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


def _rows(lines: list[Line]) -> Iterator[list[Line]]:
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
