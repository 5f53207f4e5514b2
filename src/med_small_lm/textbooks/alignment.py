"""What stands below what: columns of cells that white parts, and whether a line goes on with the one above it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from med_small_lm.textbooks.pages import Line

NEAR = 3.0  # points within which two rulings meet, or two edges are aligned
TEXT_LINES = 12  # in each of the columns between two rulings, at least, that make them columns of running text

_EVEN_LINES = 5  # the same where the columns are equally wide and full

Cells = dict[int, Line]
"""The pieces that stand on one baseline, by column."""


def distinct(values: Iterable[float]) -> list[float]:
    """The values, growing, without those that lie near the one before."""
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > NEAR:
            kept.append(value)
    return kept


def white(lines: list[Line]) -> list[float]:
    """Where the columns start that white parts: the middle of each strip that only spanning lines cross."""
    if not lines:
        return []
    size = sorted(n.size for n in lines)[len(lines) // 2]
    few = max(1, len(distinct([n.base for n in lines])) // 5)
    together = _together(sorted(lines, key=lambda n: n.base))
    coarse = _strips(together or lines, few, size)
    bridging = {id(n) for n in lines for a, b in coarse if n.x0 < a - 0.5 and n.x1 > b + 0.5}
    clear = _strips([n for n in lines if id(n) not in bridging], 0, size)
    return [min(n.x0 for n in lines), *((a + b) / 2 for a, b in clear)]


def _together(lines: list[Line]) -> list[Line]:
    """Those of the lines, sorted by their baselines, that do not stand on theirs alone."""
    near = [two.base - one.base < 2 for one, two in pairwise(lines)]
    return [line for line, before, after in zip(lines, [False, *near], [*near, False], strict=True) if before or after]


def _strips(lines: list[Line], most: int, size: float) -> list[tuple[float, float]]:
    """The strips of white, from left to right, that at most so many of the lines cross."""
    events = sorted([(n.x0, 1) for n in lines] + [(n.x1, -1) for n in lines])
    strips: list[tuple[float, float]] = []
    cover, since = 0, None
    for x, step in events:
        before, cover = cover, cover + step
        if before > most >= cover:
            since = x
        elif before <= most < cover and since is not None:
            strips.append((since, x))
            since = None
    return [(a, b) for a, b in strips if b - a > 0.5 * size]


def column_of(line: Line, starts: list[float]) -> int:
    """The number of the column that a line begins in."""
    return max(0, bisect_right(starts, line.x0 + 1.5) - 1)


def is_text(lines: list[Line], bound: bool) -> bool:
    """Whether the lines are columns of running text, side by side; ``bound`` if a vertical ruling runs along them."""
    if len(lines) < 2 * _EVEN_LINES:
        return False
    starts = white(lines)
    return len(starts) > 1 and (prose(lines, starts, TEXT_LINES) or (not bound and _even(lines, starts)))


def prose(lines: list[Line], starts: list[float], least: int) -> bool:
    """Whether the columns are columns of text: so many lines at least, most of them broken for want of room.

    Where no ruling speaks for a table (``least`` is 0) it is enough that no column holds short entries.
    """
    columns = _columns(lines, starts)
    if not least:
        return all(sum(len(n.text.split()) for n in column) >= 4 * len(column) for column in columns)
    return all(len(column) >= least and _broken(column) >= 0.5 for column in columns)


def _even(lines: list[Line], starts: list[float]) -> bool:
    """Whether fewer lines are columns of text too: equally wide ones, nearly every line full, hardly any white."""
    columns = _columns(lines, starts)
    for column in columns:
        steps = sorted(two.base - one.base for one, two in pairwise(column))
        if len(column) < _EVEN_LINES or _broken(column) < 0.7 or steps[-2] > 1.2 * steps[0]:
            return False
    widths = [max(n.x1 for n in column) - min(n.x0 for n in column) for column in columns]
    return len(widths) > 1 and max(widths) < 1.03 * min(widths)


def _columns(lines: list[Line], starts: list[float]) -> list[list[Line]]:
    """The lines of each column from top to bottom, without those that reach over the next one."""
    ends = [*starts[1:], float("inf")]
    columns: list[list[Line]] = [[] for _ in starts]
    for line in sorted(lines, key=lambda n: n.base):
        number = column_of(line, starts)
        if line.x1 < ends[number] + 1:
            columns[number].append(line)
    return [column for column in columns if column]


def _broken(column: list[Line]) -> float:
    """The share of a column's lines that end for want of room; 0 where the lines are short."""
    if sum(n.width for n in column) <= 12 * column[0].size * len(column):
        return 0.0
    right = max(n.x1 for n in column)
    broken = sum(wraps({0: one}, {0: two}, [right]) for one, two in pairwise(column))
    return broken / max(1, len(column) - 1)


def wraps(above: Cells, below: Cells, edges: list[float]) -> int:
    """How many cells of the upper line were broken for want of room: the next word would not have fitted."""
    wrapped = 0
    for column in above.keys() & below.keys():
        one, two = above[column], below[column]
        words = two.text.split()
        if one is two or not words or (len(one.text.split()) < 2 and not words[0][0].islower()):
            continue
        letter = one.width / max(1, len(one.text.strip()))
        wrapped += one.x1 + letter * (len(words[0]) + 1) > edges[column] - 2
    return wrapped
