"""Whether the exams stand in what the models were trained on, and what the scores are with and without that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from med_small_lm.benchmarks.exposure import BANDS, CLEAN, DIRTY, band, best_of, by_unit, distribution
from med_small_lm.benchmarks.page import pictures, words
from med_small_lm.benchmarks.page.blocks import Block, Picture, Section, Table, Text
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.schemas.rows import Exposure, Score

SHOWN = 10
"""Questions of a benchmark that stand furthest in a training document, and are shown with it."""


def seen(results: Results) -> Section:
    """Returns the distribution of coverage, the split scores, the worst items, and what the gates stopped."""
    blocks: list[Block] = []
    if results.exposures:
        said = (
            "A question that was trained on tests memory, not knowledge. For each question we looked for the one "
            "training text that holds most of its wording: the share of its runs of eight words (of its whole text "
            "where it is shorter). Wording that an exam's questions share is not counted. This finds copies; the "
            "same question in quite other words it does not find. What a model from elsewhere was trained on is not "
            "known, and not here."
        )
        asked = [one for own in results.questions.values() for one in own]
        counted = by_unit(results.exposures, asked)
        blocks += [Picture(said, pictures.coverage(distribution(counted))), _by_source(counted)]
        blocks += [*_split(results), *_worst(results)]
    return Section("seen", "Had it seen the questions?", [*blocks, *_stopped(results)])


def _by_source(exposures: Sequence[Exposure]) -> Table:
    """How many questions of each benchmark stand how far in each source."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in exposures:
        counts[one.benchmark, one.source][band(one.coverage)] += 1
    rows = [[*key, *(f"{own[name]:,}" for name in BANDS)] for key, own in sorted(counts.items())]
    said = (
        "Questions by the share found in the best document of each training source: “corpus” is text that was read "
        "(books, papers, general text, rephrasings), “conversations” are practice questions and talks, by their sort. "
        "Exams that ask the same questions stand in one row, and a question that is asked twice counts once."
    )
    return Table(said, ["exam", "training source", *BANDS], rows, folded="By training source")


def _split(results: Results) -> Iterator[Block]:
    """Each run's score on clean and on dirty questions."""
    told: dict[tuple[str, str, str, str], dict[str, Score]] = defaultdict(dict)
    for one in results.scores:
        if one.metric == "accuracy" and one.subset in (CLEAN, DIRTY) and not is_control(one.variant):
            told[one.model, one.benchmark, one.mode, one.variant][one.subset] = one
    rows = [
        [model, benchmark, words.way(mode, variant), *(_with_n(own.get(side)) for side in (CLEAN, DIRTY))]
        for (model, benchmark, mode, variant), own in told.items()
    ]
    at = f"{results.threshold:.0%}".replace("%", " %")
    if not rows:
        yield Text(f"No exam has both questions that stand to {at} or more in a training text and others that do not.")
        return
    said = (
        f"Right answers on questions under {at} (clean) and from {at} on (dirty). If a trained model gains more on the "
        "dirty ones than a model that was not trained, the clean column is the score to believe."
    )
    yield Table(said, ["model", "exam", "how it answers", "clean", "dirty"], rows)


def _with_n(score: Score | None) -> str:
    return f"{words.value_of(score)}, {words.right_of(score)}" if score else "–"


def _worst(results: Results) -> Iterator[Table]:
    """The questions that stand furthest in a training document."""
    stems = {(name, one.question_id): one.stem for name, questions in results.questions.items() for one in questions}
    by_exam: dict[str, list[Exposure]] = defaultdict(list)
    for one in best_of(results.exposures).values():
        if one.coverage >= results.threshold:
            by_exam[one.benchmark].append(one)
    rows = [
        [one.benchmark, words.percent(one.coverage), stems.get((one.benchmark, one.question_id), "")[:300],
         one.source, one.document_id]
        for found in by_exam.values()
        for one in sorted(found, key=lambda one: -one.coverage)[:SHOWN]
    ]  # fmt: skip
    if rows:
        said = (
            f"The questions that stand furthest in a training text, at most {SHOWN} of an exam; all are in “exposures”."
        )
        head = ["exam", "found", "question", "training source", "document"]
        yield Table(said, head, rows, folded=f"The questions found furthest ({len(rows)})")


def _stopped(results: Results) -> Iterator[Table]:
    """What the gates kept out."""
    rows = [
        [one.benchmark, one.source, one.rule.replace("_", " "), f"{one.n_records:,}", f"{one.n_flagged:,}",
         f"{one.n_items_hit:,}"]
        for one in results.stopped
        if one.n_flagged
    ]  # fmt: skip
    if rows:
        said = (
            "Training records that held an exam's question (its wording, its fact, or the same in other words), and "
            "were stopped before training:"
        )
        head = ["exam", "training source", "rule", "records looked at", "stopped", "questions they held"]
        yield Table(
            said, head, rows, folded=f"What was kept out of training ({sum(o.n_flagged for o in results.stopped):,})"
        )
