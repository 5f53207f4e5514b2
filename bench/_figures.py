"""What the benches print."""

from __future__ import annotations

import json
from typing import Any


def say(
    figure: str, value: Any, goal: Any, ok: bool | None, unit: str = "", peer: Any = None, ratio: float | None = None
) -> bool:
    """Print one figure as a JSON line; return whether it met its goal, or has none."""
    line = {"figure": figure, "value": value, "unit": unit, "goal": goal, "peer": peer, "ratio": ratio, "ok": ok}
    print(json.dumps(line), flush=True)
    return ok is not False
