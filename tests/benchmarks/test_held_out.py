"""What the report and the picture say of held-out text is what was measured, and no more."""

from __future__ import annotations

import math

from med_small_lm.benchmarks.held_out import BOOKS_MAX, changes, held_out_section, perplexities_figure
from med_small_lm.schemas.rows import Perplexity

NO = math.nan


def row(stage: str, step: int, source: str, book: str, value: float, ratio: float, n: int = 9) -> Perplexity:
    """A row whose intervals are a tenth to either side; none where there is one text."""
    ends = (value * 0.9, value * 1.1, ratio, ratio * 0.9, ratio * 1.1) if n > 1 else (NO, NO, ratio, NO, NO)
    return Perplexity(stage, step, source, book, n, 1_234, value, *ends)


ROWS = [
    row("injection", 90, "book", "", 20.0, 0.02),
    row("injection", 0, "book", "", 1000.0, 1.0),
    row("injection", 45, "book", "", 60.0, 0.06),
    row("injection", 0, "book", "anatomy", 900.0, 1.0, n=1),
    row("injection", 90, "book", "anatomy", 9.0, 0.01, n=1),
    row("injection", 0, "book", "surgery", 900.0, 1.0),
    row("injection", 90, "book", "surgery", 18.0, 0.02),
    row("injection", 0, "general", "", 50.0, 1.0),
    row("injection", 90, "general", "", 75.0, 1.5),
    row("tuning", 0, "book", "", 20.0, 1.0),
    row("tuning", 7, "book", "", 20.4, 1.02),
]


def test_before_is_the_first_step_and_after_the_last() -> None:
    [books, *_] = changes(ROWS, "injection")
    assert (books.first.step, books.last.step, books.first.perplexity, books.last.perplexity) == (0, 90, 1000, 20)


def test_the_section_says_gain_forgetting_and_doubt() -> None:
    _, said, sources, _, books = held_out_section(ROWS)
    lines = sources.splitlines()[2:]
    assert "above 1 it forgot" in said and len(lines) == 3
    assert "1,000.0 (900.0 to 1,100.0) | 20.0 (18.0 to 22.0) | 0.0200 (0.0180 to 0.0220) | gained" in lines[0]
    assert "general text (forgetting)" in lines[1] and lines[1].rstrip(" |").endswith("1.50 (1.35 to 1.65) | forgot")
    assert lines[2].startswith("| tuning") and "no difference shown" in lines[2]
    assert [line.split(" | ")[0] for line in books.splitlines()[2:]] == ["| surgery", "| anatomy"]
    assert "| 9.0 | 0.0100 |" in books, "a single text has no interval"


def test_a_small_ratio_keeps_its_digits() -> None:
    said = held_out_section([row("injection", 9, "book", "", 1.0, 0.00123)])[2]
    assert "0.00123 (0.00111 to 0.00135)" in said


def test_what_was_not_measured_is_said() -> None:
    assert "Not measured" in held_out_section([])[1]
    assert perplexities_figure([]).layout.title.text
    for few in (1, 4):
        said = held_out_section([row("injection", 0, "general", "", 5.0, 0.5, n=few)])
        assert "too few texts" in said[2] and len(said) == 3, "no book, so no table of books"


def test_a_large_library_is_cut_in_the_report() -> None:
    many = [row("injection", 0, "book", f"b{n}", 10.0, n / 100) for n in range(BOOKS_MAX + 5)]
    _, _, _, _, books, more = held_out_section(many)
    assert len(books.splitlines()) == BOOKS_MAX + 2 and more.startswith("5 more books")
    assert books.splitlines()[2].startswith(f"| b{BOOKS_MAX + 4} ")
    assert len(perplexities_figure(many).data) == BOOKS_MAX


def test_the_picture_holds_every_measurement_with_its_interval() -> None:
    figure = perplexities_figure(ROWS)
    drawn = {(line.name, line.xaxis): line for line in figure.data}
    books = drawn["books", "x"]
    assert list(books.x) == [0, 45, 90] and list(books.y) == [1000, 60, 20]
    assert [round(one, 6) for one in books.error_y.array] == [100, 6, 2]
    assert list(drawn["books", "x2"].x) == [0, 7] and not drawn["books", "x2"].showlegend
    assert drawn["anatomy", "x"].visible == "legendonly" and drawn["anatomy", "x"].error_y.array is None
    assert figure.layout.yaxis.type == "log"
