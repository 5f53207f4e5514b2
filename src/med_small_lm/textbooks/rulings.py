"""The rulings of a page: lines, thin and framed rectangles, and the edges of shaded rows."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

VECTOR = 3  # the type of a block of MuPDF's text that is no text but a drawing
# A page with more drawings than this holds an illustration, and reading its paths costs more than a table is worth.
_DRAWINGS_MAX = 3000

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Rule:
    """A ruling: horizontal from ``a`` to ``b`` at height ``at``, or vertical from ``a`` to ``b`` at abscissa ``at``."""

    at: float
    a: float
    b: float


def rules_of(blocks: list[dict[str, Any]], upright: Callable[[Box], Box]) -> tuple[list[Rule], list[Rule]]:
    """The horizontal and the vertical rulings among the blocks of a page; ``upright`` turns a turned page's boxes."""
    across: list[Rule] = []
    down: list[Rule] = []
    drawings = [block for block in blocks if block["type"] == VECTOR]
    if len(drawings) > _DRAWINGS_MAX:
        return across, down
    for drawing in drawings:
        for x0, y0, x1, y1 in _edges(drawing, upright):
            if y1 - y0 < 2 and x1 - x0 > 8:
                across.append(Rule((y0 + y1) / 2, x0, x1))
            elif x1 - x0 < 2 and y1 - y0 > 4:
                down.append(Rule((x0 + x1) / 2, y0, y1))
    text = [upright(block["bbox"]) for block in blocks if block.get("lines")]
    across.extend(_shaded(drawings, text, upright))
    return across, down


def _edges(drawing: dict[str, Any], upright: Callable[[Box], Box]) -> Iterator[Box]:
    """The straight edges of a drawing. A thin one counts as a ruling, a wide rectangle by its four sides if stroked."""
    x0, y0, x1, y1 = upright(drawing["bbox"])
    if min(x1 - x0, y1 - y0) < 2:
        yield x0, y0, x1, y1
    elif drawing["stroked"] and drawing["isrect"]:
        yield from ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1))


def _shaded(drawings: list[dict[str, Any]], text: list[Box], upright: Callable[[Box], Box]) -> Iterator[Rule]:
    """The upper and lower edges of shaded rows: filled rectangles with text, several below each other, equally wide."""
    boxes = [upright(drawing["bbox"]) for drawing in drawings if drawing["isrect"] and not drawing["stroked"]]
    rows: list[Box] = []
    for x0, y0, x1, y1 in sorted(boxes, key=lambda box: (round(box[1]), round(box[3]), box[0])):
        if min(x1 - x0, y1 - y0) < 6:
            continue
        a, top, b, bottom = rows[-1] if rows else (x0, y0, x0, y0)
        if rows and abs(y0 - top) < 1 and abs(y1 - bottom) < 1 and x0 - b < 3:  # cells may be shaded one by one
            rows[-1] = (a, top, max(b, x1), bottom)
        else:
            rows.append((x0, y0, x1, y1))
    rows = [row for row in rows if any(_overlap(row, box) for box in text)]  # others stand for pictures
    widths = Counter((round(x0), round(x1)) for x0, _, x1, _ in rows)
    for x0, y0, x1, y1 in rows:
        if widths[round(x0), round(x1)] > 1:
            yield Rule(y0, x0, x1)
            yield Rule(y1, x0, x1)


def _overlap(one: Box, other: Box) -> bool:
    x0, y0, x1, y1 = other
    return one[0] < x1 and x0 < one[2] and one[1] + 2 < y1 and y0 < one[3] - 2


def crossing(box: Box, down: list[Rule]) -> list[float]:
    """Where vertical rulings run through a box."""
    x0, y0, x1, y1 = box
    return sorted(r.at for r in down if x0 + 1 < r.at < x1 - 1 and r.a < (y0 + y1) / 2 < r.b)


def pieces(words: list[Any], box: Box, bars: list[float]) -> list[tuple[str, float, float]]:
    """The text of a line between the rulings that run through it, with its left and right edge; none if they cut words.

    MuPDF takes cells that stand close for one line. ``words`` are the page's, as MuPDF gives them.
    """
    x0, y0, x1, y1 = box
    inside = (w for w in words if x0 - 1 < w[0] and w[2] < x1 + 1 and y0 < (w[1] + w[3]) / 2 < y1)
    found = sorted((word[0], word[2], word[4]) for word in inside)
    if any(bar - 1 > word[0] and bar + 1 < word[1] for bar in bars for word in found):
        return []
    parts = [list(part) for _, part in groupby(found, key=lambda word: bisect_right(bars, (word[0] + word[1]) / 2))]
    return [(" ".join(word[2] for word in part), part[0][0], part[-1][1]) for part in parts]
