"""What the trainings gained and forgot on held-out text: a section of the report, and a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from med_small_lm.markdown import significant, table, with_interval
from med_small_lm.palette import COLOURS, LOOK
from med_small_lm.schemas.rows import Perplexity

TEXTS = {"book": "books", "paper": "papers", "general": "general text (forgetting)"}
DASHES = {"book": "solid", "paper": "dash", "general": "dot"}
BOOKS_MAX = 40  # books of the report's table, and lines of books in the picture
TEXTS_MIN = 5  # below it the bootstrap's interval is too narrow to say anything by


class Change(NamedTuple):
    """The first and the last measurement of a text in one training."""

    first: Perplexity
    last: Perplexity

    @property
    def key(self) -> tuple[str, str]:
        """Source and book."""
        return self.last.source, self.last.book


def changes(rows: Sequence[Perplexity], stage: str) -> list[Change]:
    """Returns what each source and book was before and after a training."""
    told: dict[tuple[str, str], list[Perplexity]] = {}
    for row in sorted((row for row in rows if row.stage == stage), key=lambda row: row.step):
        told.setdefault((row.source, row.book), []).append(row)
    return [Change(own[0], own[-1]) for own in told.values()]


def held_out_section(rows: Sequence[Perplexity]) -> list[str]:
    """Returns the report's paragraphs on held-out text: a table of the sources, and one of the books."""
    stages = list(dict.fromkeys(row.stage for row in rows))
    if not stages:
        return ["## Held-out text", "Not measured: no text is held out (`knowledge_injection.corpus.held_out_share`)."]
    said = (
        "Perplexity of text that no training saw, with 95 % intervals over its texts. The ratio is after to before, "
        "paired text by text: below 1 the model gained, above 1 it forgot. Perplexities of different tokenizers do not "
        "compare; ratios do."
    )
    head = ["training", "text", "texts", "tokens", "before", "after", "ratio", ""]
    lines = [
        [stage, TEXTS[one.last.source], f"{one.last.n_texts:,}", f"{one.last.tokens:,}", _value(one.first),
         _value(one.last), _ratio(one.last), verdict(one.last)]
        for stage in stages
        for one in changes(rows, stage)
        if not one.last.book
    ]  # fmt: skip
    return ["## Held-out text", said, table(head, lines), *_books(rows, stages)]


def perplexities_figure(rows: Sequence[Perplexity]) -> go.Figure:
    """Returns perplexity over the steps of each training with its intervals: sources, and books at a click."""
    stages = list(dict.fromkeys(row.stage for row in rows)) or ["no training"]
    figure = make_subplots(cols=len(stages), shared_yaxes=True, subplot_titles=stages, horizontal_spacing=0.04)
    keys = sorted(dict.fromkeys((row.source, row.book) for row in rows), key=lambda key: (bool(key[1]), key[1]))
    shown = [key for key in keys if not key[1]] + [key for key in keys if key[1]][:BOOKS_MAX]
    for place, key in enumerate(shown):
        for column, stage in enumerate(stages, start=1):
            own = [row for row in rows if row.stage == stage and (row.source, row.book) == key]
            if own:
                legend = stage == next(row.stage for row in rows if (row.source, row.book) == key)
                figure.add_trace(_line(sorted(own, key=lambda row: row.step), place, legend=legend), row=1, col=column)
    figure.update_xaxes(title_text="optimiser steps")
    figure.update_yaxes(type="log")
    figure.update_yaxes(title_text="perplexity (log)", col=1)
    title = "Perplexity on held-out text; bars show 95 % intervals"
    figure.update_layout(title=title, legend_title="text (a click shows a book)", **LOOK)
    return figure


def _books(rows: Sequence[Perplexity], stages: Sequence[str]) -> list[str]:
    """The table of the books, those that gained least first."""
    by_stage = {stage: {one.key: one for one in changes(rows, stage) if one.last.book} for stage in stages}
    found = by_stage[stages[0]]
    if not found:
        return []
    keys = sorted(found, key=lambda key: -found[key].last.ratio)
    lines = []
    for key in keys[:BOOKS_MAX]:
        after = [by_stage[stage][key].last for stage in stages if key in by_stage[stage]]
        figures = [told for last in after for told in (_value(last), _ratio(last))]
        lines.append([key[1], str(found[key].last.n_texts), _value(found[key].first), *figures])
    head = ["book", "texts", "before", *(name for stage in stages for name in (f"after {stage}", "ratio"))]
    more = [f"{len(keys) - BOOKS_MAX:,} more books are in `perplexities`."] if len(keys) > BOOKS_MAX else []
    return ["By book, those that gained least first:", table(head, lines), *more]


def _value(row: Perplexity) -> str:
    return with_interval(row.perplexity, row.ci_low, row.ci_high, "{:,.1f}".format)


def _ratio(row: Perplexity) -> str:
    return with_interval(row.ratio, row.ratio_low, row.ratio_high, significant)


def verdict(row: Perplexity) -> str:
    """What the interval of the ratio says."""
    if row.n_texts < TEXTS_MIN or math.isnan(row.ratio_low):
        return "too few texts"
    return "gained" if row.ratio_high < 1 else "forgot" if row.ratio_low > 1 else "no difference shown"


def _line(rows: Sequence[Perplexity], place: int, *, legend: bool) -> go.Scatter:
    """One source or book of one training; its interval where it has one."""
    first, known = rows[0], [row for row in rows if not math.isnan(row.ci_low)]
    bars = {"array": [r.ci_high - r.perplexity for r in rows], "arrayminus": [r.perplexity - r.ci_low for r in rows]}
    return go.Scatter(
        name=first.book or TEXTS[first.source],
        legendgroup=f"{first.source} {first.book}",
        showlegend=legend,
        visible="legendonly" if first.book else True,
        x=[row.step for row in rows],
        y=[row.perplexity for row in rows],
        customdata=[[row.n_texts, row.ratio, row.ratio_low, row.ratio_high] for row in rows],
        hovertemplate="step %{x}: %{y:.2f}<br>%{customdata[1]:.3r} times the start (%{customdata[2]:.3r} to "
        "%{customdata[3]:.3r}), n = %{customdata[0]}<extra>%{fullData.name}</extra>",
        error_y={"type": "data", "symmetric": False, **bars} if len(known) == len(rows) else None,
        mode="lines+markers",
        line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[first.source]},
    )
