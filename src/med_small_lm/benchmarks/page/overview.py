"""The page's beginning: what to know first, all models on all benchmarks, and what the others published."""

from __future__ import annotations

from collections.abc import Iterator

from med_small_lm.benchmarks.literature import AVERAGES, Published
from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.page.blocks import Block, Section, Table, Text
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.benchmarks.parts import RunKey
from med_small_lm.schemas.rows import Score

UNREAD = 0.1
"""The share of unreadable answers from which on the page warns."""
NONE = "–"
WHOLE = "all"
"""The subset that is a whole exam."""

Column = tuple[str, str]
"""An exam and which part of it."""


def overview(results: Results) -> Section:
    """Returns the warnings and the table of models and benchmarks."""
    blocks: list[Block] = [*map(_warning, _warnings(results)), _models(results)]
    blocks += [_table(results), *_published(results)] if results.main else [Text("Nothing was scored.", warns=True)]
    return Section("overview", "At a glance", blocks)


def _warning(said: str) -> Text:
    return Text(said, warns=True)


def _warnings(results: Results) -> Iterator[str]:
    """What a reader has to know before any number."""
    if failed := [(run, one.n_failed, one.n) for run, one in results.asked.items() if one.n_failed]:
        said = (
            "This evaluation is incomplete. Questions that could not be asked count neither as right nor as wrong, and "
            "a model of which none could be asked has no score; run it again, and they are asked again. "
            "What could not be asked: "
        )
        yield said + _listed(failed)
    answered = (run[1] for run, one in results.unscored.items() if one.n_failed < one.n)
    if unjudged := dict.fromkeys(exam for exam in answered if exam not in results.benchmarks):
        yield f"Answered, and not scored (open answers are scored by a judge): {', '.join(unjudged)}."
    plain = [score for score in results.main if not is_control(score.variant)]
    if unread := [(_run(one), one.n_unparsed, one.n) for one in plain if one.n_unparsed > UNREAD * one.n]:
        said = (
            "Many answers could not be read, and count as wrong. Such a score says more about the form of the answers "
            "than about knowledge: "
        )
        yield said + _listed(unread)
    for score in results.main:
        if is_control(score.variant) and score.ci_low > results.chance(score.benchmark) > 0:
            yield (
                f"{score.model} answers {score.benchmark} better than by guessing without seeing the questions "
                f"({words.value_of(score)}): its options may give something away, or it is one of the few such "
                "findings that chance makes."
            )


def _run(score: Score) -> RunKey:
    return score.model, score.benchmark, score.mode, score.variant


def _listed(counts: list[tuple[RunKey, int, int]]) -> str:
    """Which runs a warning is about, with so many of how many questions."""
    return "; ".join(f"{model} on {exam} ({words.way(*way)}): {n:,} of {of:,}"
                     for (model, exam, *way), n, of in counts) + "."  # fmt: skip


def _models(results: Results) -> Table:
    """What the models are."""
    return Table("The models:", ["model", "is"], [[name, results.models.get(name, "")] for name in results.names])


def _table(results: Results) -> Table:
    """Models by benchmarks."""
    columns = list(_columns(results))
    by_key = _by_key(results, columns)
    runs = dict.fromkeys(key[:3] for key in by_key if not is_control(key[2]))
    rows = [
        [model, words.way(mode, variant)] + [_cell(by_key.get((model, mode, variant, *column))) for column in columns]
        for model, mode, variant in runs
    ]
    guesses = [results.chance(*column) for column in columns]
    rows.append(["guessing", "draws an option by lot", *(words.percent(guess) if guess else NONE for guess in guesses)])
    marks = [results.pass_mark(name) for name, _ in columns]
    if any(marks):
        rows.append(["pass mark", "about what people need", *(words.percent(mark) if mark else NONE for mark in marks)])
    said = (
        "Right answers of each model on each exam, in per cent of all its questions. The brackets hold the 95 % "
        "interval: where the value is to be expected with other questions of the same sort. A model whose interval "
        "holds the value of guessing has shown nothing."
    )
    return Table(said, ["model", "how it answers", *(_head(results, *column) for column in columns)], rows)


def _columns(results: Results) -> Iterator[Column]:
    """The exams, each followed by its parts of which somebody has published figures, and none of the whole."""
    for name in results.benchmarks:
        yield name, WHOLE
        told = results.published(name)
        wholes = {(one.system, one.generation) for one in told if one.subset == WHOLE}
        yield from dict.fromkeys(
            (name, one.subset) for one in told if one.subset != WHOLE and (one.system, one.generation) not in wholes
        )


def _by_key(results: Results, columns: list[Column]) -> dict[tuple[str, str, str, str, str], Score]:
    """Our own scores by model, mode, variant and column."""
    parts = [one for one in results.scores if one.metric == "accuracy" and one.subset != WHOLE]
    shown = [*results.main, *(one for one in parts if (one.benchmark, one.subset) in columns)]
    return {(one.model, one.mode, one.variant, one.benchmark, one.subset): one for one in shown}


def _head(results: Results, benchmark: str, subset: str) -> str:
    """The head of a column of ours: the exam, its part, and what stands there if that is no share of right answers."""
    metric = results.leading(benchmark)
    is_plain = metric == "accuracy" or benchmark in AVERAGES or subset != WHOLE
    return _name(benchmark, subset) if is_plain else f"{benchmark}: {words.metric(metric)}"


def _name(benchmark: str, subset: str) -> str:
    """An exam, or its part."""
    return benchmark if subset == WHOLE else f"{benchmark}, {words.subset(subset)}"


def _cell(score: Score | None) -> str:
    return words.value_of(score) + (" incomplete" if score.n_failed else "") if score else NONE


def _published(results: Results) -> Iterator[Table]:
    """The published figures in the same columns."""
    columns = list(_columns(results))
    rows: dict[tuple[str, str, str, str], dict[Column, str]] = {}
    for name in results.benchmarks:
        for one in results.published(name):
            if (name, one.subset) in columns:
                key = (f"{one.system}, {one.generation}", one.model, one.mode, one.runs)
                rows.setdefault(key, {})[name, one.subset] = f"{one.value} %{_mark(one)}"
    used = [column for column in columns if any(column in own for own in rows.values())]
    if not rows:
        return
    said = (
        "What others published on the same exams. These are their own figures, with other prompts and other ways to "
        "read answers: they show an order of size, and no difference of a few points. Publications of one system are "
        "kept apart. A cell with * is no whole number of right answers of the number of questions that is told; one "
        "with † is a mean, and not that of the cells that the same publication tells."
    )
    lines = [[*key, *(own.get(column, NONE) for column in used)] for key, own in rows.items()]
    head = ["publication", "model", "how it answers", "of how many runs", *(_name(*one) for one in used)]
    yield Table(said, head, lines)


def _mark(one: Published) -> str:
    """What is found of a published cell."""
    return ("" if one.is_possible else " *") + ("" if one.is_its_mean else " †")
