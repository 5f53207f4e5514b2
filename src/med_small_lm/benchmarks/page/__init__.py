"""The evaluation's report as one page of HTML that needs nothing else: no server, no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from med_small_lm.benchmarks.page.blocks import Section
from med_small_lm.benchmarks.page.confidence import confidence
from med_small_lm.benchmarks.page.differences import differences
from med_small_lm.benchmarks.page.exams import exams
from med_small_lm.benchmarks.page.overview import overview
from med_small_lm.benchmarks.page.reading import forgetting, origins, reading
from med_small_lm.benchmarks.page.results import Results
from med_small_lm.benchmarks.page.seen import seen
from med_small_lm.benchmarks.page.wrong import wrong

TEMPLATE = Path(__file__).with_name("page.html")
_PARTS: tuple[Callable[[Results], Section], ...] = (differences, confidence, seen, forgetting, wrong, reading, origins)


def report_page(results: Results) -> str:
    """Returns the page. What models and benchmarks say is escaped; the page forbids the browser to fetch anything."""
    from jinja2 import Environment
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    made = [overview(results), *exams(results), *(part(results) for part in _PARTS)]
    shown = [section for section in made if section.blocks]
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    drawn = any(block.kind == "picture" for section in shown for block in section.blocks)
    library = Markup(get_plotlyjs()) if drawn else ""
    return template.render(sections=shown, plotly=library, as_data=_as_data)


def _as_data(figure: go.Figure) -> Any:
    """A figure as plain data, which the template writes as JSON that no text can break out of."""
    return json.loads(figure.to_json())
