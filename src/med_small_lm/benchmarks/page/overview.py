"""The page's beginning: what to know first, all models on all benchmarks, and what the others published."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.page.blocks import Block, Section, Table, Text
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.schemas.rows import Score

UNREAD = 0.1
"""The share of unreadable answers from which on the page warns."""
NONE = "–"


def overview(results: Results) -> Section:
    """Returns the warnings and the table of models and benchmarks."""
    blocks: list[Block] = [*map(_warning, _warnings(results)), _models(results)]
    blocks += [_table(results), *_published(results)] if results.main else [Text("Nothing was scored.", warns=True)]
    return Section("overview", "At a glance", blocks)


def _warning(said: str) -> Text:
    return Text(said, warns=True)


def _warnings(results: Results) -> Iterator[str]:
    """What a reader has to know before any number."""
    plain = [score for score in results.main if not is_control(score.variant)]
    if failed := [score for score in results.main if score.n_failed]:
        said = (
            "This evaluation is incomplete. Questions that could not be asked count neither as right nor as wrong; run "
            "it again, and they are asked again: "
        )
        yield said + _listed(failed, lambda one: (one.n_failed, one.n + one.n_failed))
    if unread := [score for score in plain if score.n_unparsed > UNREAD * score.n]:
        said = (
            "Many answers could not be read, and count as wrong. Such a score says more about the form of the answers "
            "than about knowledge: "
        )
        yield said + _listed(unread, lambda one: (one.n_unparsed, one.n))
    for score in results.main:
        if is_control(score.variant) and score.ci_low > results.chance(score.benchmark) > 0:
            yield (
                f"{score.model} answers {score.benchmark} better than by guessing without seeing the questions "
                f"({words.value_of(score)}): its options may give something away, or it is one of the few such "
                "findings that chance makes."
            )


def _listed(scores: list[Score], counts: Callable[[Score], tuple[int, int]]) -> str:
    """Which runs a warning is about, with so many of how many questions."""
    named = []
    for one in scores:
        n, of = counts(one)
        named.append(f"{one.model} on {one.benchmark} ({words.way(one.mode, one.variant)}): {n:,} of {of:,}")
    return "; ".join(named) + "."


def _models(results: Results) -> Table:
    """What the models are."""
    named = dict.fromkeys(score.model for score in results.scores)
    return Table("The models:", ["model", "is"], [[name, results.models.get(name, "")] for name in named])


def _table(results: Results) -> Table:
    """Models by benchmarks."""
    by_key = {(score.model, score.mode, score.variant, score.benchmark): score for score in results.main}
    runs = dict.fromkeys(key[:3] for key in by_key if not is_control(key[2]))
    rows = [
        [model, words.way(mode, variant)]
        + [_cell(by_key.get((model, mode, variant, benchmark))) for benchmark in results.benchmarks]
        for model, mode, variant in runs
    ]
    guesses = [results.chance(name) for name in results.benchmarks]
    rows.append(["guessing", "draws an option by lot", *(words.percent(guess) if guess else NONE for guess in guesses)])
    marks = [results.pass_mark(name) for name in results.benchmarks]
    if any(marks):
        rows.append(["pass mark", "about what people need", *(words.percent(mark) if mark else NONE for mark in marks)])
    said = (
        "Right answers of each model on each exam, in per cent of all its questions. The brackets hold the 95 % "
        "interval: where the value is to be expected with other questions of the same sort. A model whose interval "
        "holds the value of guessing has shown nothing."
    )
    return Table(said, ["model", "how it answers", *(_column(results, name) for name in results.benchmarks)], rows)


def _column(results: Results, benchmark: str) -> str:
    """The head of an exam's column: its name, and what stands there if that is no share of right answers."""
    metric = results.leading(benchmark)
    return benchmark if metric in ("accuracy", "macro_accuracy") else f"{benchmark}: {words.metric(metric)}"


def _cell(score: Score | None) -> str:
    return words.value_of(score) + (" incomplete" if score.n_failed else "") if score else NONE


def _published(results: Results) -> Iterator[Table]:
    """The published figures in the same columns."""
    columns = [name for name in results.benchmarks if results.published(name)]
    rows: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for name in columns:
        for one in results.published(name):
            if one.subset == "all":
                key = (f"{one.system}, {one.generation}", one.model, one.mode, one.aggregation)
                rows.setdefault(key, {})[name] = f"{one.value} %" + ("" if one.is_possible else " *")
    if not rows:
        return
    said = (
        "What others published on the same exams. These are their own figures, with other prompts and other ways to "
        "read answers: they show an order of size, and no difference of a few points. Publications of one system are "
        "kept apart. A cell with * is no whole number of right answers of the number of questions that is told."
    )
    lines = [[*key, *(own.get(name, NONE) for name in columns)] for key, own in rows.items()]
    yield Table(said, ["publication", "model", "how it answers", "of how many runs", *columns], lines)
