"""Whether one model is better than another: paired over the same questions, with what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence

from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.page.blocks import Section, Table
from med_small_lm.benchmarks.page.results import Results
from med_small_lm.benchmarks.report import p_text
from med_small_lm.benchmarks.statistics import LEVEL, power_note
from med_small_lm.schemas.rows import Comparison

HEAD = ["first", "second", "exam", "how they answer", "difference", "only first"]
HEAD += ["only second", "questions", "p", "says"]


def differences(results: Results) -> Section:
    """Returns the comparisons: those among the run's own models, open books among them, and apart all others."""
    opened = {name for name, told in results.models.items() if "books open" in told}
    own = {*words.MODELS, *opened}
    first, rest = list[Comparison](), list[Comparison]()
    for one in results.comparisons:
        (first if {_model(one.model_a), _model(one.model_b)} <= own else rest).append(one)
    said = (
        "Two models on the same questions. “Difference” is the first model's share of right answers less the "
        "second's, in points of a hundred, with its 95 % interval. “Only first” are questions that the first answers "
        "rightly and the second does not. The p-value says how often chance alone would part two equally good models "
        "so far; it is corrected for the number of all comparisons on this page (Holm), and below 0.05 it counts as a "
        "difference shown. The intervals are each pair's own and not corrected, so that one may leave out 0 where the "
        "p-value shows nothing."
    )
    if any(one.model_a in opened or one.model_b in opened for one in results.comparisons):
        said += " Against a model with the books open, it says what training bought over looking it up."
    shown = [Table(said, HEAD, _rows(first))] if first else []
    if rest:
        beside = "The same with models from elsewhere, and among them." if first else said
        shown.append(Table(beside, HEAD, _rows(rest), folded=f"Models from elsewhere ({len(rest)})" if first else ""))
    return Section("differences", "Which model is better?", [*shown])


def _model(name: str) -> str:
    """The model of a name that may say, behind a slash, what it was shown."""
    return name.partition("/")[0]


def _rows(comparisons: Sequence[Comparison]) -> list[list[str]]:
    """A line for each comparison."""
    return [
        [
            one.model_a,
            one.model_b,
            one.benchmark,
            words.way(one.mode, one.variant),
            f"{words.points(one.difference)}" + (
                f" ({words.points(one.ci_low)} to {words.points(one.ci_high)})" if one.ci_low == one.ci_low else ""),
            f"{one.only_a:,}",
            f"{one.only_b:,}",
            f"{one.n:,}",
            p_text(one.p_holm),
            _verdict(one),
        ]
        for one in comparisons
    ]  # fmt: skip


def _verdict(one: Comparison) -> str:
    """What a comparison shows, in words."""
    if one.p_holm < LEVEL:
        return f"{one.model_a if one.difference > 0 else one.model_b} is better"
    return f"no difference shown: {power_note(one.difference, one.p_holm, one.detectable, one.n)}"
