"""Pictures of synthesis: holes in the coverage, records through the gates, and how the kept ones are distributed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from med_small_lm.palette import COLOURS, LOOK
from med_small_lm.schemas.rows import Coverage, Question
from med_small_lm.synthesis.accounts.coverage import KEPT, SKIPPED, WHOLE, Made
from med_small_lm.synthesis.accounts.distributions import (
    answer_places,
    five_numbers,
    gates_in_order,
    kept_by_step,
    lengths_of,
    records_by_step,
)
from med_small_lm.synthesis.accounts.reconciling import by_step
from med_small_lm.synthesis.gates.verdicts import passed

_GREY = "#d0d0d0"
_WIDE = 3  # funnels side by side
_SHAPES = ("", "/", "x")  # of the bars, one for each round of colours
_BETWEEN = 70  # pixels between rows of funnels
OTHERS = "others"
BOOKS = 40
"""Books in a picture: more are not legible. Those with the largest holes are drawn."""


def coverage_figure(lines: Sequence[Coverage]) -> go.Figure:
    """Returns a heat map of sections by book and step: the share of a section's passages with a kept record.

    A section is a column, in reading order. Grey are the sections about which a step asks nothing. The steps that ask
    about a share of the passages stand in one row together.
    """
    steps, sections = _sections(lines)
    holes = {
        book: sum(_share(cell) == 0 for told in own.values() for cell in told.values())
        for book, own in sections.items()
    }
    books = sorted(sorted(holes, key=lambda book: -holes[book])[:BOOKS], key=list(holes).index)
    rows = {
        f"{book} · {step}": {n: told[step] for n, told in sections[book].items()} for book in books for step in steps
    }
    figure = go.Figure(_heat(rows))
    left_out = f"; the {BOOKS} books of {len(holes)} with the most holes" if len(holes) > BOOKS else ""
    figure.update_layout(
        title=f"Coverage: dark cells are holes, grey ones are not asked about{left_out}",
        xaxis_title="section, in reading order",
        height=180 + 18 * max(len(rows), 6),
        **LOOK,
    )
    figure.update_layout(font_size=12)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed", automargin=True)
    return figure


def _heat(rows: Mapping[str, Mapping[str, Sequence[Coverage]]]) -> list[go.Heatmap]:
    """Return the shares of each row's sections, and the sections about which nothing is asked in grey."""
    width = max(map(len, rows.values()), default=0)
    cells = [list(row.items()) for row in rows.values()]
    shared: dict[str, Any] = {
        "x": list(range(1, width + 1)),
        "y": list(rows),
        "text": [[_note(*cell) for cell in row] + [""] * (width - len(row)) for row in cells],
        "hovertemplate": "%{y}<br>%{text}<extra></extra>",
        "hoverongaps": False,
        "xgap": 1 if width < 100 else 0,
        "ygap": 1,
    }
    shares = [[_share(cell) for _, cell in row] + [None] * (width - len(row)) for row in cells]
    skipped = [[1 if _share(cell) is None else None for _, cell in row] + [None] * (width - len(row)) for row in cells]
    legend = {"title": "share of<br>passages<br>with a kept<br>record"}
    return [
        go.Heatmap(z=shares, colorscale="Viridis", zmin=0, zmax=1, colorbar=legend, **shared),
        go.Heatmap(z=skipped, colorscale=[_GREY, _GREY], showscale=False, **shared),
    ]


def _sections(
    lines: Sequence[Coverage],
) -> tuple[list[str], dict[str, dict[str, dict[str, list[Coverage]]]]]:
    """Return the rows of a book, and the lines of every book by section and row."""
    row_of = {step: step if step in WHOLE else OTHERS for step in by_step(lines)}
    rows = list(dict.fromkeys(row_of.values()))
    found: dict[str, dict[str, dict[str, list[Coverage]]]] = {}
    for step, own in by_step(lines).items():
        for line in own:
            if line.book:
                place = found.setdefault(line.book, {}).setdefault(line.section, {name: [] for name in rows})
                place[row_of[step]].append(line)
    return rows, found


def _share(cell: Sequence[Coverage]) -> float | None:
    """Return the share of passages with a kept record, None where none was asked about."""
    asked = [line for line in cell if line.state != SKIPPED]
    return sum(line.state == KEPT for line in asked) / len(asked) if asked else None


def _note(section: str, cell: Sequence[Coverage]) -> str:
    """Return what a reader sees over a cell."""
    states = Counter(line.state for line in cell)
    pages = f"pages {min(line.page_first for line in cell)} to {max(line.page_last for line in cell)}" if cell else ""
    told = ", ".join(f"{n} {state}" for state, n in states.most_common())
    return f"{section}<br>{pages}; passages: {told}; records kept: {sum(line.kept for line in cell)}"


def gates_figure(made: Made) -> go.Figure:
    """Returns a funnel for each step: how many records are left after each gate, in their order."""
    steps = records_by_step(made)
    n_rows, n_cols = max(-(-len(steps) // _WIDE), 1), max(min(len(steps), _WIDE), 1)
    height = 120 + 400 * n_rows
    figure = make_subplots(
        rows=n_rows,
        cols=n_cols,
        subplot_titles=list(steps),
        horizontal_spacing=0.14,
        vertical_spacing=_BETWEEN / height,
    )
    for place, records in enumerate(steps.values()):
        left, names, counts = len(records), ["all records"], [len(records)]
        for gate, said in gates_in_order(records):
            left -= said["fail"]
            names.append(f"past {gate}")
            counts.append(left)
        told = "%{value:,} (%{percentInitial:.0%})"
        funnel = go.Funnel(y=names, x=counts, texttemplate=told, marker_color=COLOURS[0], showlegend=False)
        figure.add_trace(funnel, row=place // _WIDE + 1, col=place % _WIDE + 1)
    figure.update_layout(title="Records left after each gate", height=height, **LOOK)
    figure.update_layout(font_size=12)
    return figure


def books_figure(lines: Sequence[Coverage]) -> go.Figure:
    """Returns bars of kept records by book, one colour a step; of many books those with the fewest."""
    kept: dict[str, Counter[str]] = defaultdict(Counter)
    for step, own in by_step(lines).items():
        for line in own:
            if line.book:
                kept[line.book][step] += line.kept
    books = sorted(kept, key=lambda book: kept[book].total())[:BOOKS][::-1]
    figure = go.Figure()
    for place, step in enumerate(by_step(lines)):
        figure.add_bar(
            name=step,
            x=[kept[book][step] for book in books],
            y=books,
            orientation="h",
            marker={
                "color": COLOURS[place % len(COLOURS)],
                "pattern": {"shape": _SHAPES[place // len(COLOURS) % len(_SHAPES)]},
            },
        )
    left_out = f", the {BOOKS} of {len(kept)} books with the fewest" if len(kept) > BOOKS else ""
    figure.update_layout(
        title=f"Kept records by book{left_out}",
        xaxis_title="records",
        barmode="stack",
        legend_title="step",
        height=220 + 22 * len(books),
        **LOOK,
    )
    figure.update_yaxes(automargin=True)
    return figure


def answers_figure(questions: Sequence[Question]) -> go.Figure:
    """Returns bars of the places of the right answers of kept questions, by kind, with a line at an even share."""
    figure = go.Figure()
    kept = [question for question in questions if passed(question) and question.options]
    for place, kind in enumerate(dict.fromkeys(question.kind for question in kept)):
        own = answer_places(question for question in kept if question.kind == kind)
        total = max(sum(own.values()), 1)
        figure.add_bar(
            name=kind,
            x=list(own),
            y=[n / total for n in own.values()],
            text=[f"{n:,}" for n in own.values()],
            marker_color=COLOURS[place % len(COLOURS)],
        )
    single = [len(question.options) for question in kept if question.kind == "single"]
    if single:
        even = 1 / max(single)
        figure.add_hline(y=even, line_dash="dot", annotation_text=f"even share {even:.2f}")
    figure.update_layout(
        title=f"Place of the right answer, {len(kept):,} kept questions",
        xaxis_title="option",
        yaxis_title="share of right answers",
        yaxis_rangemode="tozero",
        showlegend=True,
        legend_title="kind",
        **LOOK,
    )
    return figure


def lengths_figure(made: Made) -> go.Figure:
    """Returns boxes of the lengths of kept records in words: quartiles, the least and the greatest."""
    lengths = {name: values for name, values in lengths_of(kept_by_step(made)).items() if values}
    numbers = [five_numbers(values) for values in lengths.values()]
    quartiles: dict[str, Any] = {
        key: [one[place] for one in numbers]
        for place, key in enumerate(("lowerfence", "q1", "median", "q3", "upperfence"))
    }
    box = go.Box(
        y=list(lengths), orientation="h", marker_color=COLOURS[0], line_color=COLOURS[0], showlegend=False, **quartiles
    )
    figure = go.Figure(box)
    figure.update_layout(
        title="Lengths of kept records: quartiles, least and greatest",
        xaxis_title="words",
        height=220 + 50 * len(lengths),
        **LOOK,
    )
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure
