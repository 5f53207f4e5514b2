"""The lines of a table's region as rows of cells.

Columns are parted by vertical rulings, or where there are none by white that lines do not cross::

    Nutrient      Intake a day      Sources        a line that bridges the white of other rows spans their columns
                 Men     Women
    Iron         8 mg    18 mg      Red meat
             ^        ^         ^

Rows are parted by rulings; where there are none, a line begins a row unless it goes on with the cells above it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise

from med_small_lm.textbooks.alignment import NEAR, TEXT_LINES, Cells, column_of, distinct, prose, white, wraps
from med_small_lm.textbooks.cleaning import Speller, tidy
from med_small_lm.textbooks.pages import Line
from med_small_lm.textbooks.rulings import Rule

_MARK = re.compile(r"\s*(?:[^\w\s()\[\]<>≤≥±+]|\(?\w{1,2}[.)])\s*")  # a bullet or number that stands by itself
_BULLET = re.compile(r"\s*[•◦▪▫■□●○‣⁃∙►➢✓·*–—-]\s+\S")
_LEADER = re.compile(r"[\s.·…]*(?:\.{3}|\. \.|…)[\s.·…]*$")  # the dots that lead the eye to the next column
_HEAD_LINES = 4  # more lines above a table's second ruling are no head


def rows_of(lines: list[Line], across: list[Rule], down: list[Rule], speller: Speller) -> list[list[str]]:
    """The rows of the table that the lines make up, each with a cell for every column; none if they make up no table.

    Args:
        lines: The lines inside the table.
        across: Its horizontal rulings.
        down: Its vertical rulings.
        speller: Joins the lines of a cell.
    """
    lines = _with_marks(_with_raised([_without_leader(line) for line in lines]))
    left, right = min(n.x0 for n in lines), max(n.x1 for n in lines)
    if across:
        left, right = min(r.a for r in across), max(r.b for r in across)
    inner = distinct([r.at for r in down if left + NEAR < r.at < right - NEAR])
    full = [r for r in across if inner or r.b - r.a > 0.9 * (right - left)]
    if len(full) < len(across):
        lines = [_over_rule(line, [r for r in across if r not in full]) for line in lines]
    starts = [left, *inner] if inner else white(lines)
    edges = [*starts[1:], right]
    heights = distinct([r.at for r in full])
    least = TEXT_LINES if inner else 3 if across else 0
    if len(starts) < 2 or (len(heights) < 4 and prose(lines, starts, least)):
        return []
    bands = _bands(lines, starts, edges, across)
    by_line = _many_rows(bands, edges, heights, bool(inner))
    rows: list[list[str]] = []
    for number, band in enumerate(bands):
        if not by_line or (number == 0 and len(heights) > 2 and len(_baselines(band, starts)) <= _HEAD_LINES):
            groups = _spanning(band, starts)
        else:
            groups = _line_rows(band, starts, edges)
        rows.extend(_texts(group, starts, speller) for group in groups)
    return rows


def _over_rule(line: Line, partial: list[Rule]) -> Line:
    """The line, as wide as the short ruling that it is the head over."""
    for rule in partial:
        if 0 < rule.at - line.base < line.size and abs(rule.a + rule.b - line.x0 - line.x1) < 2 * NEAR:
            return replace(line, x0=rule.a + 1, x1=rule.b - 1)
    return line


def _without_leader(line: Line) -> Line:
    text = _LEADER.sub("", line.text)
    if not text or text == line.text:
        return line
    return replace(line, text=text, x1=line.x0 + line.width * len(text) / len(line.text))


def _with_marks(lines: list[Line]) -> list[Line]:
    """The lines with bullets that stand by themselves put before what they mark."""
    marks = [n for n in lines if _MARK.fullmatch(n.text)]
    taken: dict[int, Line] = {}
    for mark in marks:
        beside = [n for n in lines if n not in marks and abs(n.base - mark.base) < 2 and n.x0 >= mark.x1]
        after = min(beside, key=lambda n: n.x0, default=None)
        if after and after.x0 - mark.x1 < 2 * after.size and not mark.text.strip().isalnum():
            taken[id(mark)] = after
    joined = {id(after): mark for mark, after in ((m, taken[id(m)]) for m in marks if id(m) in taken)}
    result = []
    for line in lines:
        if id(line) in joined:
            mark = joined[id(line)]
            line = replace(line, text=f"{mark.text.strip()} {line.text}", x0=mark.x0)
        if id(line) not in taken:
            result.append(line)
    return result


def _bands(lines: list[Line], starts: list[float], edges: list[float], across: list[Rule]) -> list[list[Line]]:
    """The lines between one ruling and the next, top to bottom; a ruling parts only the columns that it lies over."""
    middles = [(start + edge) / 2 for start, edge in zip(starts, edges, strict=True)]
    heights = [distinct([r.at for r in across if r.a < middle < r.b]) for middle in middles]
    bands: dict[float, list[Line]] = {}
    for line in lines:
        ys = heights[column_of(line, starts)]
        at = bisect_right(ys, (line.y0 + line.y1) / 2)
        bands.setdefault(round(ys[at - 1]) if at else float("-inf"), []).append(line)
    return [bands[top] for top in sorted(bands)]


def _baselines(lines: list[Line], starts: list[float]) -> list[Cells]:
    """The pieces of each baseline, top to bottom."""
    result: list[Cells] = []
    base = float("-inf")
    for line in sorted(lines, key=lambda n: (n.base, n.x0)):
        column = column_of(line, starts)
        if line.base - base > 0.45 * line.size:
            result.append({})
            base = line.base
        cells = result[-1]
        cells[column] = _beside(cells[column], line) if column in cells else line
    return result


def _with_raised(lines: list[Line]) -> list[Line]:
    """The lines with small type that is set right behind them, off their baseline, put into them."""
    behind: dict[int, Line] = {}
    largest = max(n.size for n in lines)
    for small in (n for n in lines if n.size < 0.9 * largest and len(n.text.strip()) < 4):
        for line in lines:
            close = -1 < small.x0 - line.x1 < 0.3 * line.size and abs(small.base - line.base) < 0.6 * line.size
            if small.size < 0.9 * line.size and close:
                behind[id(line)] = small
    gone = {id(small) for small in behind.values()}
    joined = [_beside(n, behind[id(n)]) if id(n) in behind else n for n in lines]
    return [line for line, old in zip(joined, lines, strict=True) if id(old) not in gone]


def _beside(one: Line, other: Line) -> Line:
    """Two pieces of a cell that stand on one baseline, as one."""
    first, second = sorted((one, other), key=lambda n: n.x0)
    glue = "" if second.x0 - first.x1 < 0.12 * first.size else " "
    main = max(one, other, key=lambda n: n.size)
    return replace(main, text=f"{first.text}{glue}{second.text}", x0=first.x0, x1=max(one.x1, other.x1))


def _many_rows(bands: list[list[Line]], edges: list[float], heights: list[float], barred: bool) -> bool:
    """Whether rulings part groups of rows only: at head, neck and foot, or above each group."""
    if not barred and len(heights) < 4:
        return True
    starts = [float("-inf"), *edges[:-1]]
    body = bands[1:] or bands
    alike = full = pairs = 0
    for band in body:
        rows = _baselines(band, starts)
        width = len(set().union(*rows))
        if sum(_BULLET.match(line.text) is not None for line in band) > 0.2 * len(band):
            return False
        for above, row in pairwise(rows):
            begins = len(row) > 1 and 2 * wraps(above, row, edges) < len(row)
            pairs += 1
            alike += begins and above.keys() <= row.keys()
            full += begins and len(row) >= max(4, width - 1)
    return (alike >= 0.7 * pairs and alike >= max(2, len(body))) or full >= 2 * len(body)


def _spanning(band: list[Line], starts: list[float]) -> list[list[Cells]]:
    """The one row of a band, or two if it begins with a line of heads that lie over several columns each."""
    rows = _baselines(band, starts)
    for number, row in enumerate(rows[:-1]):
        below = rows[number + 1]
        for column, line in row.items():
            over = sum(line.x0 - 1 < n.x1 and n.x0 < line.x1 + 1 for n in below.values())
            spans = column + 1 < len(starts) and line.x1 > starts[column + 1] + 1
            if spans and over > 1:
                return [rows[: number + 1], rows[number + 1 :]]
    return [rows]


def _line_rows(band: list[Line], starts: list[float], edges: list[float]) -> list[list[Cells]]:
    """The baselines of each row of a band in which no ruling parts rows."""
    baselines = _baselines(band, starts)
    gaps = [_base(two) - _base(one) for one, two in pairwise(baselines)]
    least = _row_gap(baselines, gaps, edges)
    rows = [[baselines[0]]]
    for above, below, gap in zip(baselines, baselines[1:], gaps, strict=False):
        if least:
            goes_on = gap < least or (0 not in below and len(below) < 2)
        elif 0 not in below:
            others = rows[-1][0].keys() - {0}
            goes_on = not others <= below.keys() or 2 * wraps(above, below, edges) >= len(others)
        else:
            goes_on = 0 in above and wraps({0: above[0]}, {0: below[0]}, edges) > 0 and not _proper(below[0].text)
        if goes_on:
            rows[-1].append(below)
        else:
            rows.append([below])
    return rows


def _row_gap(baselines: list[Cells], gaps: list[float], edges: list[float]) -> float:
    """The white that begins a row, where there are two kinds of white and the smaller lies inside rows; else 0."""
    if not gaps or max(gaps) <= 1.25 * min(gaps):
        return 0.0
    least = (min(gaps) + max(gaps)) / 2
    close = [pair for pair, gap in zip(pairwise(baselines), gaps, strict=True) if gap < least]
    rowlike = sum(one.keys() <= two.keys() and not wraps(one, two, edges) for one, two in close)
    return least if 2 * rowlike <= len(close) else 0.0


def _base(cells: Cells) -> float:
    return min(line.base for line in cells.values())


def _proper(text: str) -> bool:
    """Whether a cell that follows another reads like one of its own: it begins with a capital or a figure."""
    first = text.lstrip()[:1]
    return first.isupper() or first.isdigit()


def _texts(baselines: list[Cells], starts: list[float], speller: Speller) -> list[str]:
    cells = [""] * len(starts)
    for line in baselines:
        for column, piece in line.items():
            cells[column] = speller.join(cells[column], piece.text) if cells[column] else piece.text
    return [tidy(cell) + ("\u00ad" if cell.endswith("\u00ad") else "") for cell in cells]
