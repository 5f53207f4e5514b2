"""The page's pictures: shares in percent, each with its 95 % interval and the number of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from med_small_lm.benchmarks.calibration import Bin
from med_small_lm.benchmarks.exposure import BANDS
from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.pictures import DASHES, PATTERNS
from med_small_lm.palette import COLOURS, LOOK
from med_small_lm.schemas.rows import Score

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross")
_ROW = 26  # pixels of a line of a picture with many lines


def bars(scores: Sequence[Score], guess: float, pass_mark: float | None) -> go.Figure:
    """Returns a benchmark's scores by model, a colour and pattern a way of asking; lines of guessing and pass mark."""
    figure = go.Figure()
    for place, (mode, variant) in enumerate(dict.fromkeys((score.mode, score.variant) for score in scores)):
        own = [score for score in scores if (score.mode, score.variant) == (mode, variant)]
        figure.add_bar(
            name=words.way(mode, variant),
            x=[score.model for score in own],
            y=[100 * score.value for score in own],
            error_y=_interval(own),
            customdata=[[words.right_of(score), words.value_of(score)] for score in own],
            hovertemplate="%{x}: %{customdata[1]}<br>%{customdata[0]}<extra></extra>",
            marker={"color": _colour(place), "pattern": {"shape": PATTERNS[place % len(PATTERNS)], "fgcolor": "white"}},
        )
    _line(figure, guess, "guessing", "dot")
    _line(figure, pass_mark, "pass mark", "dash")
    figure.update_layout(barmode="group", yaxis={"title": f"{_shown(scores)}, %", "range": [0, 100]}, **_look(420))
    return figure


def dots(scores: Sequence[Score], first: tuple[str, str]) -> go.Figure:
    """Returns scores by subset (subjects, books), a symbol a model; ways of asking but the first show at a click."""
    figure = go.Figure()
    models = list(dict.fromkeys(score.model for score in scores))
    for mode, variant in dict.fromkeys((score.mode, score.variant) for score in scores):
        for place, model in enumerate(models):
            own = [one for one in scores if (one.model, one.mode, one.variant) == (model, mode, variant)]
            if not own:
                continue
            figure.add_scatter(
                name=f"{model}: {words.way(mode, variant)}",
                visible=True if (mode, variant) == first else "legendonly",
                x=[100 * score.value for score in own],
                y=[words.subset(score.subset) for score in own],
                error_x=_interval(own),
                customdata=[[words.right_of(score), words.value_of(score)] for score in own],
                hovertemplate="%{y}: %{customdata[1]}<br>%{customdata[0]}<extra>%{fullData.name}</extra>",
                mode="markers",
                orientation="h",
                cliponaxis=False,
                marker={"color": _colour(place), "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 9},
            )
    n = len({score.subset for score in scores})
    figure.update_xaxes(title=f"{_shown(scores)}, %", range=[0, 100])
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(scattermode="group", **_look(200 + n * max(_ROW, 14 * len(models))))
    return figure


def ranks(scores: Sequence[Score]) -> go.Figure:
    """Returns accuracy against a question's place in its case, a line a model and way of asking."""
    figure = go.Figure()
    for place, key in enumerate(dict.fromkeys((score.model, score.mode, score.variant) for score in scores)):
        own = [one for one in scores if (one.model, one.mode, one.variant) == key]
        own.sort(key=lambda score: _rank(score.subset))
        figure.add_scatter(
            name=f"{key[0]}: {words.way(*key[1:])}",
            x=[_rank(score.subset) for score in own],
            y=[100 * score.value for score in own],
            error_y=_interval(own),
            customdata=[[words.right_of(score), words.value_of(score)] for score in own],
            hovertemplate="step %{x}: %{customdata[1]}<br>%{customdata[0]}<extra>%{fullData.name}</extra>",
            mode="lines+markers",
            line={"color": _colour(place), "dash": DASHES[place % len(DASHES)]},
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)]},
        )
    figure.update_xaxes(title="place of the question in its case", dtick=1)
    figure.update_layout(yaxis={"title": "right answers, %", "range": [0, 100]}, **_look(420))
    return figure


def reliability(curves: Mapping[str, Sequence[Bin]]) -> go.Figure:
    """Returns how often answers were right against how sure they were; the diagonal is a model that knows itself."""
    figure = go.Figure()
    figure.add_scatter(
        name="as right as it is sure", x=[0, 100], y=[0, 100], mode="lines", line={"color": "#444444", "dash": "dot"}
    )
    for place, (name, bins) in enumerate(curves.items()):
        figure.add_scatter(
            name=name,
            x=[100 * one.confidence for one in bins],
            y=[100 * one.accuracy for one in bins],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (one.ci_high - one.accuracy) for one in bins],
                "arrayminus": [100 * (one.accuracy - one.ci_low) for one in bins],
            },
            customdata=[[one.n] for one in bins],
            hovertemplate="sure %{x:.0f} %: right %{y:.0f} %<br>n = %{customdata[0]}<extra>%{fullData.name}</extra>",
            mode="lines+markers",
            line={"color": _colour(place), "dash": DASHES[place % len(DASHES)]},
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 8},
        )
    figure.update_xaxes(title="how sure it was, %", range=[0, 102])
    figure.update_layout(yaxis={"title": "how often it was right, %", "range": [0, 102]}, **_look(460))
    return figure


def risks(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> go.Figure:
    """Returns the share of wrong answers against the share of questions answered, the surest first."""
    figure = go.Figure()
    for place, (name, (answered, wrong)) in enumerate(curves.items()):
        figure.add_scatter(
            name=name,
            x=[100 * share for share in answered],
            y=[100 * share for share in wrong],
            hovertemplate="answers %{x:.0f} %: wrong %{y:.1f} %<extra>%{fullData.name}</extra>",
            mode="lines",
            line={"color": _colour(place), "dash": DASHES[place % len(DASHES)]},
        )
    figure.update_xaxes(title="questions answered, the surest first, %", range=[0, 101])
    figure.update_layout(yaxis={"title": "wrong among them, %", "range": [0, 101]}, **_look(420))
    return figure


def coverage(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Returns how many questions of each benchmark stand how far in a training document, in per cent of them."""
    figure = go.Figure()
    for place, name in enumerate(counts):
        own, n = counts[name], sum(counts[name].values())
        figure.add_bar(
            name=f"{name} ({n:,})",
            x=list(BANDS),
            y=[100 * own.get(band, 0) / n for band in BANDS],
            text=[f"{own.get(band, 0):,}" for band in BANDS],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{text} questions (%{y:.1f} %)<extra>%{fullData.name}</extra>",
            marker={"color": _colour(place), "pattern": {"shape": PATTERNS[place % len(PATTERNS)], "fgcolor": "white"}},
        )
    figure.update_xaxes(title="share of the question found in the best single training document")
    figure.update_layout(barmode="group", yaxis={"title": "questions, %", "range": [0, 108]}, **_look(420))
    return figure


def _shown(scores: Sequence[Score]) -> str:
    """What a share is of."""
    return "right answers" if not scores or scores[0].metric == "accuracy" else words.metric(scores[0].metric)


def _interval(scores: Sequence[Score]) -> dict[str, object]:
    """The arms of the scores' intervals, in per cent."""
    high, low = ([100 * (s.ci_high - s.value) for s in scores], [100 * (s.value - s.ci_low) for s in scores])
    return {"type": "data", "symmetric": False, "array": high, "arrayminus": low}


def _line(figure: go.Figure, at: float | None, name: str, dash: str) -> None:
    """A level line with its name."""
    if at:
        said = f"{name} {100 * at:.0f} %"
        figure.add_hline(
            y=100 * at, line_dash=dash, line_color="#444444", annotation_text=said, annotation_position="right"
        )


def _rank(subset: str) -> int:
    return int(subset.partition("=")[2])


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _look(height: int) -> dict[str, object]:
    """The look of all pictures, with the legend below."""
    legend = {"orientation": "h", "yanchor": "top", "y": -60 / (height - 130), "x": 0}
    return {**LOOK, "margin": {"t": 30, "r": 120}, "height": height, "legend": legend, "showlegend": True}
