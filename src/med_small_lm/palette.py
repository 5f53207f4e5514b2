"""How all pictures look: colours that are told apart by all readers and in grey."""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
"""Okabe and Ito's palette, made for colour-blind readers (jfly.uni-koeln.de/color, 2008)."""
LOOK: dict[str, Any] = {"template": "plotly_white", "font": {"size": 14}, "margin": {"t": 80}}
