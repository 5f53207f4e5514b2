"""Tables as rows of cells, found by their rulings, their shaded rows, or how their cells are aligned.

PyMuPDF's ``find_tables`` does this for 6 to 20 pages a second; the rulings of a textbook's table say the same at once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise

from med_small_lm.textbooks.alignment import NEAR, column_of, is_text, white
from med_small_lm.textbooks.cells import rows_of
from med_small_lm.textbooks.cleaning import Speller
from med_small_lm.textbooks.pages import Line, Page
from med_small_lm.textbooks.rulings import Rule

CAPTION = re.compile(r"(?:Figure|Fig\.?|FIGURE|Table|TABLE|Plate|Scheme|Chart|Box|Exhibit)\s+[A-Z]?\d")
_RECENT = 20  # tables that a ruling, and cells of a column that a further one, is compared with


def fold_tables(page: Page, speller: Speller) -> None:
    """Replaces the lines of every ruled table of the page, in place, by one line that holds the table's rows."""
    if len(page.across) < 2 and len(page.down) < 3:
        return
    down = _collinear(page.down)
    across = _closed(_collinear(page.across), down)
    for group in _groups(across, down, page.lines):
        x0, x1 = min(r.a for r in group), max(r.b for r in group)
        y0, y1 = group[0].at, group[-1].at
        rules = [r for r in across if y0 - 1 < r.at < y1 + 1 and x0 - NEAR < r.a and r.b < x1 + NEAR]
        inside = [n for n in page.lines if x0 - 2 < n.x0 and n.x1 < x1 + 4 and y0 - 1 < (n.y0 + n.y1) / 2 < y1 + 1]
        bars = [r for r in down if x0 - NEAR < r.at < x1 + NEAR and r.a < y1 - 2 and r.b > y0 + 2]
        if not bars:
            inside = [*_beyond(inside, page.lines, (x0, x1), -1), *inside, *_beyond(inside, page.lines, (x0, x1), 1)]
        rows = rows_of(inside, rules, bars, speller) if inside else []
        if not _is_table(rows, boxed=any(x0 + NEAR < r.at < x1 - NEAR for r in bars)):
            continue
        first = page.lines.index(inside[0])
        gone = {id(line) for line in inside}
        page.lines.insert(first, _table(inside, rows, (x0, y0, x1, y1)))
        page.lines = [line for line in page.lines if id(line) not in gone]


def _is_table(rows: list[list[str]], boxed: bool) -> bool:
    """Whether the rows are a table; in a grid one row is, also one with an empty first cell: a page break cut it."""
    filled = [sum(map(bool, row)) for row in rows]
    if len(rows) < 2:
        return boxed and bool(rows) and (filled[0] > 1 or (filled[0] == 1 and not rows[0][0]))
    return max(filled) > 1


def _table(lines: list[Line], rows: list[list[str]], box: tuple[float, float, float, float]) -> Line:
    x0, y0, x1, y1 = box
    y0, y1 = min(y0, *(n.y0 for n in lines)), max(y1, *(n.y1 for n in lines))
    size = lines[0].size
    return Line(table_text(rows).replace("\n", " "), x0, y0, x1, y1, y0 + size, size, False, False, "", rows)


def table_text(rows: list[list[str]]) -> str:
    """The table's text: one line a row, cells joined by `` | ``."""
    return "\n".join(" | ".join(cell.rstrip("\u00ad") for cell in row).rstrip(" |") for row in rows)


def continued(rows: list[list[str]], more: list[list[str]], speller: Speller) -> list[list[str]] | None:
    """The rows of a table and those of the one after it, if that goes on with it, else None.

    The head that a new page repeats is told once, and a row that the page break cut is joined.
    """
    if len(rows[0]) != len(more[0]):
        return None
    heads = 0
    while heads < min(len(rows), len(more)) and rows[heads] == more[heads] and (not heads or "" in rows[heads]):
        heads += 1  # further lines of a head have cells that lie under a wide one, and empty ones
    rest = more[heads:]
    if rest and _cut(rows, rest[0]):
        joined = [speller.join(above, below) for above, below in zip(rows[-1], rest[0], strict=True)]
        return [*rows[:-1], joined, *rest[1:]]
    return [*rows, *rest] if heads else None


def _cut(rows: list[list[str]], row: list[str]) -> bool:
    """Whether a row at the head of a page goes on with the last row of the page before."""
    if not row[0]:
        return any(row)
    pairs = [(above, below) for above, below in zip(rows[-1], row, strict=True) if above and below]
    small = [below[0].islower() and above[-1] not in ".!?:;" for above, below in pairs]
    usual = [sum(cells[n][:1].islower() for cells in rows) for n in range(len(row))]
    open_ = small and all(small) and max(usual) <= 0.2 * len(rows)
    return bool(open_) and bool(rows[-1][0])


def _beyond(inside: list[Line], lines: list[Line], edges: tuple[float, float], step: int) -> list[Line]:
    """The rows above (step -1) or below (step 1) the outermost rulings that go on with the columns between them.

    Tables that are ruled under each row have their head above the first ruling; a page break cuts off the last one.
    """
    starts = white(inside)
    if len(starts) < 2:
        return []
    columns: list[list[Line]] = [[] for _ in starts]
    for line in inside:
        columns[column_of(line, starts)].append(line)
    last = max(inside, key=lambda n: step * n.base)
    taken = {id(line) for line in inside}
    near = [n for n in lines if edges[0] - 2 < n.x0 and n.x1 < edges[1] + 4 and step * (n.base - last.base) > 0]
    found: list[Line] = []
    waiting: list[Line] = []
    for row in _rows([n for n in near if id(n) not in taken and not n.rows], step):
        far = abs(row[0].base - last.base) > 2.5 * last.size
        if far or _titled(row) or not _fits(row, columns):
            break
        last = row[0]
        waiting += row
        if len(row) > 1 or (step > 0 and _place(row[0], columns) != 0):
            found, waiting = found + waiting, []
        for piece in row:
            columns[_place(piece, columns) or 0].append(piece)
    return found


def _rows(lines: list[Line], step: int) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda n: step * n.base):
        if rows and abs(rows[-1][0].base - line.base) < 0.45 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _titled(row: list[Line]) -> bool:
    """Whether the row is a caption: ``Table 1.2`` and its title, set apart."""
    return CAPTION.match(min(row, key=lambda n: n.x0).text.strip()) is not None


def _fits(row: list[Line], columns: list[list[Line]]) -> bool:
    """Whether the pieces of a row stand in columns of their own."""
    places = [_place(piece, columns) for piece in row]
    return None not in places and len(set(places)) == len(places)


def _closed_up(row: list[Line], columns: list[list[Line]]) -> list[Line]:
    """The row with the pieces between one column's start and the next one's as one: justified cells have wide gaps."""
    starts = [min(n.x0 for n in column[-_RECENT:]) - NEAR for column in columns]
    closed: list[Line] = []
    for piece in sorted(row, key=lambda n: n.x0):
        column = bisect_right(starts, piece.x0)
        if closed and column < len(starts) and column == bisect_right(starts, closed[-1].x0):
            before = closed[-1]
            closed[-1] = replace(before, text=f"{before.text} {piece.text}", x1=max(before.x1, piece.x1))
        else:
            closed.append(piece)
    return closed


def _place(piece: Line, columns: list[list[Line]]) -> int | None:
    """The column that a piece is aligned with, on the left, on the right or by its middle, and does not leave."""
    columns = [column[-_RECENT:] for column in columns]
    for number, column in enumerate(columns):
        for cell in column:
            middles = piece.x0 + piece.x1 - cell.x0 - cell.x1
            if abs(piece.x0 - cell.x0) < NEAR or abs(piece.x1 - cell.x1) < NEAR or abs(middles) < NEAR:
                before = columns[number - 1] if number else []
                after = columns[number + 1] if number + 1 < len(columns) else []
                clear = all(n.x1 < piece.x0 for n in before) and all(piece.x1 < n.x0 for n in after)
                return number if clear else None
    return None


def _collinear(rules: list[Rule]) -> list[Rule]:
    """Rulings with the pieces that continue each other joined, by position."""
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda r: (round(r.at / 1.5), r.a)):
        last = joined[-1] if joined else None
        if last and abs(last.at - rule.at) < 2 and rule.a <= last.b + NEAR:
            joined[-1] = Rule(last.at, last.a, max(last.b, rule.b))
        else:
            joined.append(rule)
    return sorted(joined, key=lambda r: r.at)


def _closed(across: list[Rule], down: list[Rule]) -> list[Rule]:
    """The horizontal rulings, and one where three vertical ones end together: a page break cuts rows open."""
    ends: dict[int, list[Rule]] = {}
    for bar in down:
        for end in (bar.a, bar.b):
            ends.setdefault(round(end / NEAR), []).append(Rule(end, bar.at, bar.at))
    added = []
    for bars in ends.values():
        a, b, at = min(r.a for r in bars), max(r.b for r in bars), bars[0].at
        if len(bars) > 2 and not any(abs(r.at - at) < 2 * NEAR and r.a < b and r.b > a for r in across):
            added.append(Rule(at, a, b))
    return sorted([*across, *added], key=lambda r: r.at)


def _groups(across: list[Rule], down: list[Rule], lines: list[Line]) -> list[list[Rule]]:
    """The horizontal rulings of each table, top to bottom."""
    groups: list[list[Rule]] = []
    for rule in across:
        home = next((g for g in reversed(groups[-_RECENT:]) if _linked(g, rule, down, lines)), None)
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
    if rule.at - last.at < NEAR:
        return True
    bars = (r for r in down if x0 - NEAR < r.at < x1 + NEAR)
    bound = any(bar.a <= last.at + NEAR and bar.b >= rule.at - NEAR for bar in bars)
    if not bound and (abs(x0 - rule.a) > NEAR or abs(x1 - rule.b) > NEAR):
        return False
    between = [n for n in lines if last.at < (n.y0 + n.y1) / 2 < rule.at and n.x0 > x0 - 2 and n.x1 < x1 + 4]
    if is_text(between, bound):
        return False
    if bound:
        return True
    beside = any(_side_by_side(m, n) for m, n in pairwise(sorted(between, key=lambda n: n.base)))
    return beside and sum(n.width > 0.75 * (x1 - x0) for n in between) <= 0.2 * len(between)


def _side_by_side(one: Line, other: Line) -> bool:
    """Whether two lines stand beside each other, if not on one baseline: cells may be centred in their rows."""
    return other.base - one.base < 0.7 * one.size and (one.x1 < other.x0 or other.x1 < one.x0)


def fold_aligned(rows: list[list[Line]], speller: Speller) -> list[list[Line]]:
    """The rows of a column with every table that no ruling marks folded into one line.

    Three rows in which the pieces stand below each other, wide white between them, are a table.
    """
    folded: list[list[Line]] = []
    index = 0
    while index < len(rows):
        end = _aligned(rows, index)
        lines = [line for row in rows[index:end] for line in row]
        cells = rows_of(lines, [], [], speller) if lines else []
        if len(cells) > 2:
            box = (min(n.x0 for n in lines), lines[0].y0, max(n.x1 for n in lines), lines[-1].y1)
            folded.append([_table(lines, cells, box)])
            index = end
        else:
            folded.append(rows[index])
            index += 1
    return folded


def _aligned(rows: list[list[Line]], index: int) -> int:
    """Where the aligned table that begins at the row ends; the index itself if none does."""
    head = sorted(rows[index], key=lambda n: n.x0)
    size = head[0].size
    wide = all(two.x0 - one.x1 > 1.5 * size for one, two in pairwise(head))
    if len(head) < 2 or not wide or any(len(piece.text.strip()) < 3 or piece.rows for piece in head):
        return index
    columns = [[piece] for piece in head]
    end, full, at = index + 1, 1, index + 1
    while at < len(rows) and rows[at][0].base - rows[at - 1][0].base < 2.5 * size:
        row = rows[at]
        if any(piece.rows for piece in row):
            break
        if not _fits(row, columns):
            row = _closed_up(row, columns)
            if not _fits(row, columns):
                break
        at += 1
        full += len(row) > 1
        if len(row) > 1 or _place(row[0], columns) != 0:
            end = at
        for piece in row:
            columns[_place(piece, columns) or 0].append(piece)
    return end if full >= 3 else index
