"""Lines that are printed twice at nearly the same place, to look bold or to throw a shadow, as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from med_small_lm.textbooks.pages import Line

_OFFSET = 0.2  # most that the second print is off the first, in type sizes


def printed_once(lines: list[Line]) -> list[Line]:
    """The lines of a page, those that repeat another at its place left out and the other one bold."""
    seen: dict[str, list[Line]] = {}
    result: list[Line] = []
    for line in lines:
        same = seen.setdefault(line.text, [])
        twin = next((other for other in same if _at_its_place(line, other)), None)
        if twin:
            twin.bold = twin.lead_bold = True
            continue
        same.append(line)
        if result and (again := _printed_again(result[-1], line)):
            result[-1] = replace(result[-1], text=result[-1].text + line.text[again:], x1=max(result[-1].x1, line.x1))
            continue
        result.append(line)
    return result


def _at_its_place(one: Line, other: Line) -> bool:
    off = _OFFSET * one.size
    return abs(one.x0 - other.x0) < off and abs(one.base - other.base) < off and one.size == other.size


def _printed_again(before: Line, line: Line) -> int:
    """How many characters at the line's begin print the end of the one before once more: words in the midst of it."""
    over = before.x1 - line.x0
    if over < 0.5 * line.size or line.x0 <= before.x0 or abs(before.base - line.base) > _OFFSET * line.size:
        return 0
    text = line.text
    letter = line.width / max(1, len(text))
    about = range(min(len(text), round(1.5 * over / letter) + 1), 1, -1)
    return next((n for n in about if before.text.endswith(text[:n])), 0)
