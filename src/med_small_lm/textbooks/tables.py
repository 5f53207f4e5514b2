"""Tables as rows of cells, read from their rulings or from how the cells are aligned.

PyMuPDF's ``find_tables`` does this for 6 to 20 pages a second; the rulings of a textbook's table say the same at once.
Columns are parted by vertical rulings, or where there are none by the white between the cells.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from med_small_lm.textbooks.cleaning import Speller, tidy
from med_small_lm.textbooks.pages import Line, Page, Rule

_NEAR = 3.0  # points within which two rulings meet


def fold_tables(page: Page, speller: Speller) -> None:
    """Replaces the lines of every ruled table of the page, in place, by one line that holds the table's rows."""
    if len(page.across) < 2 or len(page.across) + len(page.down) < 3:
        return
    across = _collinear(page.across)
    down = _collinear(page.down)
    for group in _groups(across, down, page.lines):
        x0, x1 = min(r.a for r in group), max(r.b for r in group)
        y0, y1 = group[0].at, group[-1].at
        inside = [n for n in page.lines if x0 - 2 < n.x0 and n.x1 < x1 + 4 and y0 - 1 < (n.y0 + n.y1) / 2 < y1 + 1]
        bars = [r for r in down if x0 - _NEAR < r.at < x1 + _NEAR and r.a < y1 - 2 and r.b > y0 + 2]
        rows = _read(inside, group, bars, speller)
        if len(rows) < 2 or not any(" | " in row for row in rows):
            continue
        size = inside[0].size
        table = Line(" ".join(rows), x0, y0, x1, y1, y0 + size, size, False, False, "", rows)
        first = page.lines.index(inside[0])
        gone = {id(line) for line in inside}
        page.lines.insert(first, table)
        page.lines = [line for line in page.lines if id(line) not in gone]


def _collinear(rules: list[Rule]) -> list[Rule]:
    """Rulings with the pieces that continue each other joined, by position."""
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda r: (round(r.at / 1.5), r.a)):
        last = joined[-1] if joined else None
        if last and abs(last.at - rule.at) < 2 and rule.a <= last.b + _NEAR:
            joined[-1] = Rule(last.at, last.a, max(last.b, rule.b))
        else:
            joined.append(rule)
    return sorted(joined, key=lambda r: r.at)


def _groups(across: list[Rule], down: list[Rule], lines: list[Line]) -> list[list[Rule]]:
    """The horizontal rulings of each table, top to bottom."""
    groups: list[list[Rule]] = []
    for rule in across:
        home = next((g for g in reversed(groups) if _linked(g, rule, down, lines)), None)
        if home is None:
            groups.append([rule])
        else:
            home.append(rule)
    return [group for group in groups if len(group) > 1]


def _linked(group: list[Rule], rule: Rule, down: list[Rule], lines: list[Line]) -> bool:
    """Whether a ruling goes on with the table above it: a vertical ruling binds them, or cells stand between."""
    x0, x1, last = min(r.a for r in group), max(r.b for r in group), group[-1]
    if min(x1, rule.b) - max(x0, rule.a) < 0.9 * min(x1 - x0, rule.b - rule.a):
        return False
    if rule.at - last.at < _NEAR:
        return True
    for bar in down:
        bound = bar.a <= last.at + _NEAR and bar.b >= rule.at - _NEAR
        if bound and x0 - _NEAR < bar.at < x1 + _NEAR:
            return True
    if abs(x0 - rule.a) > _NEAR or abs(x1 - rule.b) > _NEAR:
        return False
    between = [n for n in lines if last.at < (n.y0 + n.y1) / 2 < rule.at and n.x0 > x0 - 2 and n.x1 < x1 + 4]
    beside = any(abs(m.base - n.base) < 2 for m, n in pairwise(sorted(between, key=lambda n: n.base)))
    return beside and sum(n.width > 0.75 * (x1 - x0) for n in between) <= 0.2 * len(between)


def _read(lines: list[Line], across: list[Rule], down: list[Rule], speller: Speller) -> list[str]:
    """The rows of a table, cells joined by `` | ``."""
    if not lines:
        return []
    x0, x1 = min(r.a for r in across), max(r.b for r in across)
    inner = _distinct([r.at for r in down if x0 + _NEAR < r.at < x1 - _NEAR])
    starts = [x0, *inner] if inner else _white(lines)
    if len(starts) < 2:
        return []
    heights = [_distinct([r.at for r in across if r.a - 2 <= start + 4 <= r.b + 2]) for start in starts]
    by_line = not inner and len(_distinct([r.at for r in across])) < 4  # rules at head, neck and foot only
    cells: dict[tuple[float, int], str] = {}
    for line in sorted(lines, key=lambda n: (n.base, n.x0)):
        column = max(0, bisect_right(starts, line.x0 + 1.5) - 1)
        ys = heights[column] or [across[0].at]
        row = ys[max(0, bisect_right(ys, (line.y0 + line.y1) / 2) - 1)]
        key = (round(line.base) if by_line else round(row), column)
        cells[key] = speller.join(cells[key], line.text) if key in cells else line.text
    tops = sorted({top for top, _ in cells})
    rows = [[tidy(cells.get((top, column), "")) for column in range(len(starts))] for top in tops]
    return [" | ".join(row).rstrip(" |") for row in (_close_up(tops, rows, across, speller) if by_line else rows)]


def _close_up(tops: list[float], rows: list[list[str]], across: list[Rule], speller: Speller) -> list[list[str]]:
    """The rows, with lines that only go on with the cells of the row above joined to it.

    Such a line has an empty first cell, or less white above it than rows have, where there are two kinds of white.
    """
    gaps = [0.0, *(below - above for above, below in pairwise(tops))]
    ruled = [any(tops[i] - gaps[i] < r.at < tops[i] - 1 for r in across) for i in range(len(tops))]
    white = [gap for gap, under_rule in zip(gaps[1:], ruled[1:], strict=True) if not under_rule]
    two_kinds = white and max(white) > 1.25 * min(white)
    least = (min(white) + max(white)) / 2 if two_kinds else 0.0
    closed: list[list[str]] = []
    for row, gap, under_rule in zip(rows, gaps, ruled, strict=True):
        if closed and not under_rule and (not row[0] or gap < least):
            closed[-1] = [speller.join(above, below) for above, below in zip(closed[-1], row, strict=True)]
        else:
            closed.append(row)
    return closed


def _distinct(values: list[float]) -> list[float]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > _NEAR:
            kept.append(value)
    return kept


def _white(lines: list[Line]) -> list[float]:
    """Where columns start that only white parts: left edges that several cells share and hardly a line crosses."""
    starts: list[float] = []
    for start in _distinct([line.x0 for line in lines]):
        shared = sum(abs(line.x0 - start) < _NEAR for line in lines)
        crossed = sum(line.x0 < start - _NEAR and line.x1 > start + _NEAR for line in lines)
        if shared > 1 and crossed <= 0.2 * len(lines):
            starts.append(start)
    return starts


def fold_aligned(rows: list[list[Line]], speller: Speller) -> list[list[Line]]:
    """The rows of a column with every table that no ruling marks folded into one line.

    Three rows in which the same abscissas begin or end pieces, wide white between them, are a table.
    """
    folded: list[list[Line]] = []
    index = 0
    while index < len(rows):
        end = _aligned(rows, index)
        if end > index:
            lines = [line for row in rows[index:end] for line in row]
            texts = _aligned_rows(rows[index:end], speller)
            x0, x1 = min(n.x0 for n in lines), max(n.x1 for n in lines)
            y0, base, size = lines[0].y0, lines[0].base, lines[0].size
            folded.append([Line(" ".join(texts), x0, y0, x1, lines[-1].y1, base, size, False, False, "", texts)])
            index = end
        else:
            folded.append(rows[index])
            index += 1
    return folded


def _aligned(rows: list[list[Line]], index: int) -> int:
    """Where the aligned table that begins at the row ends; the index itself if none does."""
    head = rows[index]
    size = head[0].size
    wide = all(two.x0 - one.x1 > 1.5 * size for one, two in pairwise(head))
    if len(head) < 2 or not wide or any(len(piece.text.strip()) < 3 or piece.rows for piece in head):
        return index
    end, full = index + 1, 1
    while end < len(rows) and rows[end][0].base - rows[end - 1][0].base < 2.5 * size:
        row = rows[end]
        fits = all(any(_same_column(piece, cell) for cell in head) for piece in row)
        if not fits or len(row) > len(head) or (len(row) == 1 and _same_column(row[0], head[0])):
            break
        full += len(row) > 1
        end += 1
    return end if full >= 3 else index


def _same_column(piece: Line, cell: Line) -> bool:
    return abs(piece.x0 - cell.x0) < _NEAR or abs(piece.x1 - cell.x1) < _NEAR


def _aligned_rows(rows: list[list[Line]], speller: Speller) -> list[str]:
    cells: list[list[str]] = []
    for row in rows:
        line = [next((tidy(p.text) for p in row if _same_column(p, cell)), "") for cell in rows[0]]
        if cells and not line[0]:  # the first cell is empty: the row above goes on
            cells[-1] = [speller.join(above, below) for above, below in zip(cells[-1], line, strict=True)]
        else:
            cells.append(line)
    return [" | ".join(line).rstrip(" |") for line in cells]
