"""Pictures of scores and of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from med_small_lm.palette import COLOURS, LOOK
from med_small_lm.schemas.rows import Score

PATTERNS = ("", "/", ".", "x", "\\", "-", "+")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def scores_figure(
    scores: Sequence[Score], benchmark: str | None = None, *, metric: str = "accuracy", chance: float | None = None
) -> go.Figure:
    """Returns bars of a metric with their 95 % intervals, grouped by model, one colour and pattern a mode and variant.

    Args:
        scores: of any benchmarks; only those of subset ``all`` are drawn.
        benchmark: which one; the first among the scores unless it is said.
        metric: which one, a share.
        chance: what guessing gives, drawn as a line where it is more than 0.
    """
    name = benchmark or next((score.benchmark for score in scores), "")
    drawn = [score for score in scores if (score.benchmark, score.subset, score.metric) == (name, "all", metric)]
    figure = go.Figure()
    for place, run in enumerate(dict.fromkeys((score.mode, score.variant) for score in drawn)):
        figure.add_trace(_bars([score for score in drawn if (score.mode, score.variant) == run], place))
    if chance:
        figure.add_hline(y=chance, line_dash="dot", line_color="#444444", annotation_text=f"chance {chance:.2f}")
    counts, shown = sorted({score.n for score in drawn}), metric.replace("_", " ")
    over = f", n = {' or '.join(map(str, counts))}" if counts else ""
    figure.update_layout(
        title=f"{shown.capitalize()} on {name or 'no benchmark'}{over}; bars show 95 % intervals",
        xaxis_title="model",
        yaxis_title=f"{shown} (share of all questions)" if metric == "accuracy" else shown,
        yaxis_range=[0, 1],
        barmode="group",
        legend_title="mode and variant",
        **LOOK,
    )
    return figure


def losses_figure(history: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Returns the curves of training: loss over tokens for each stage, and perplexity on held-out text below it.

    Args:
        history: rows with ``stage`` and ``tokens``, and any of ``loss`` and ``perplexity``; a row without one of them,
            or with None, is no point of that curve.
    """
    measured = [row for row in history if row.get("perplexity") is not None]
    titles = ["training loss", "perplexity on held-out text"][: 2 if measured else 1]
    figure = make_subplots(rows=len(titles), cols=1, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.12)
    for place, stage in enumerate(dict.fromkeys(str(row["stage"]) for row in history)):
        for line, quantity in enumerate(("loss", "perplexity")[: len(titles)], start=1):
            points = [row for row in history if str(row["stage"]) == stage and row.get(quantity) is not None]
            if points:
                figure.add_trace(_curve(points, quantity, stage, place, legend=line == 1), row=line, col=1)
    figure.update_yaxes(title_text="loss (nats a token)", row=1, col=1)
    if measured:
        figure.update_yaxes(title_text="perplexity", row=2, col=1)
    figure.update_xaxes(title_text="tokens trained on in the stage", row=len(titles), col=1)
    figure.update_layout(title="Training: loss by tokens", legend_title="stage", **LOOK)
    return figure


def _bars(scores: Sequence[Score], place: int) -> go.Bar:
    """The bars of one mode and variant."""
    return go.Bar(
        name=f"{scores[0].mode} {scores[0].variant}",
        x=[score.model for score in scores],
        y=[score.value for score in scores],
        text=[f"{score.value:.3f}" for score in scores],
        textposition="inside",
        insidetextanchor="start",
        customdata=[[score.n, score.n_unparsed, score.ci_low, score.ci_high] for score in scores],
        hovertemplate=(
            "%{x}: %{y:.3f} (%{customdata[2]:.3f} to %{customdata[3]:.3f})<br>"
            "n = %{customdata[0]}, unparsed %{customdata[1]}<extra>%{fullData.name}</extra>"
        ),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [score.ci_high - score.value for score in scores],
            "arrayminus": [score.value - score.ci_low for score in scores],
        },
        marker={"color": COLOURS[place % len(COLOURS)], "pattern": {"shape": PATTERNS[place % len(PATTERNS)]}},
    )


def _curve(points: Sequence[Mapping[str, Any]], quantity: str, stage: str, place: int, *, legend: bool) -> go.Scatter:
    """One quantity of one stage over its tokens."""
    return go.Scatter(
        name=stage,
        legendgroup=stage,
        showlegend=legend,
        x=[row["tokens"] for row in points],
        y=[row[quantity] for row in points],
        mode="lines+markers" if len(points) < 30 else "lines",
        line={"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place % len(DASHES)]},
    )
