"""Tables of Markdown, and the figures in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; bars and line breaks in a cell are written so that they stay inside it."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def with_interval(value: float, low: float, high: float, shown: Callable[[float], str]) -> str:
    """Returns a value and its interval in brackets; the value alone where there is no interval (NaN)."""
    return shown(value) + ("" if math.isnan(low) else f" ({shown(low)} to {shown(high)})")


def significant(value: float) -> str:
    """Returns a number with three significant digits, and no exponent: 1.30, 0.00123, 1,340."""
    if not value or not math.isfinite(value):
        return str(value)
    return f"{value:,.{max(2 - math.floor(math.log10(abs(value))), 0)}f}"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|")
