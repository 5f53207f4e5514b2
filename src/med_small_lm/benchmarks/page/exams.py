"""A section for each benchmark: what it is, every score, its parts, and each published figure with its source."""

from __future__ import annotations

from collections.abc import Iterator

from med_small_lm.benchmarks.literature import Published
from med_small_lm.benchmarks.page import pictures, words
from med_small_lm.benchmarks.page.blocks import Block, Picture, Section, Table, Text
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.schemas.rows import Score

OWN = {
    "pocket_exam": "The small exam that comes with this project to try it out: it asks what the pocket textbooks say.",
    "pocket_general": "Everyday questions, nothing medical: what a model forgets while it learns shows here.",
    "book_exam": "Questions made from sections of the books that were kept out of training: the books' own exam.",
    "book_exercises": "The exercises that the books themselves print.",
}
AGAINST = "against="
"""How the subset of a score begins that tells of a pair of models."""
PARTS = {
    "subject": "By subject. Exams have few questions of each, so the intervals are wide:",
    "book": "By the book that a question comes from:",
    "kind": "By kind of question:",
    "language": "By language:",
}


def exams(results: Results) -> list[Section]:
    """Returns a section for each benchmark that has a score."""
    return [Section(f"exam-{place}", name, _blocks(results, name)) for place, name in enumerate(results.benchmarks)]


def _blocks(results: Results, name: str) -> list[Block]:
    own = [score for score in results.scores if score.benchmark == name]
    main = [score for score in results.main if score.benchmark == name]
    blocks: list[Block] = [Text(_about(results, name))]
    if main:
        drawn = pictures.bars(main, results.chance(name), results.pass_mark(name))
        blocks += [Picture("By model; the thin lines are 95 % intervals:", drawn), _every(main)]
    return [*blocks, *_parts(results, name, own), *_measures(own, results.leading(name)), *_published(results, name)]


def _about(results: Results, name: str) -> str:
    """What a benchmark is."""
    questions, task = results.questions.get(name, ()), results.task(name)
    n = len(questions)
    if not n:
        return "Several exams together: the mean of their shares of right answers, as papers take it."
    told = f"{task.title} ({task.source}); licence: {task.licence}." if task else OWN.get(name, "")
    parts = [told, f"{n:,} questions are scored."]
    if task and task.n and task.n != n:
        parts.append(f"Published are {task.n:,}: the scores are not those of the whole exam.")
    if guess := results.chance(name):
        parts.append(f"Guessing is right in {words.percent(guess)}.")
    if task and task.pass_mark:
        mark, source = task.pass_mark
        parts.append(f"People pass at about {words.percent(mark)} ({source}).")
    cases = {question.case_id for question in questions if question.case_id}
    if cases:
        parts.append(f"They belong to {len(cases):,} cases, each told step by step; intervals are over whole cases.")
    return " ".join(part for part in parts if part)


def _every(scores: list[Score]) -> Table:
    """Every run with its counts."""
    rows = [
        [
            score.model,
            words.way(score.mode, score.variant),
            words.right_of(score),
            words.value_of(score),
            f"{score.n_unparsed:,}",
            f"{score.n_failed:,}",
        ]
        for score in scores
    ]
    said = (
        "Every run. “Unreadable” answers were given but name no option, and count as wrong; questions “not asked” (an "
        "endpoint did not answer) count neither way."
    )
    if any(is_control(score.variant) for score in scores):
        said += (
            " A control should be no better than guessing: there the question is hidden, and only the options shown."
        )
    return Table(said, ["model", "how it answers", "right", "share", "unreadable", "not asked"], rows)


def _parts(results: Results, name: str, scores: list[Score]) -> Iterator[Block]:
    """The scores by subject, book, kind and language, along progressive cases, and by the tags of a rubric."""
    metric = "accuracy" if results.leading(name) == "macro_accuracy" else results.leading(name)
    told = [score for score in scores if score.metric == metric and not is_control(score.variant)]
    for field, said in PARTS.items():
        own = [score for score in told if score.subset.startswith(f"{field}=")]
        if own:
            yield Picture(f"{said} (a click in the legend shows or hides a model)",
                          pictures.dots(own, results.ways(name)[0]))  # fmt: skip
    ranked = [score for score in told if score.subset.startswith("rank=")]
    if ranked:
        said = (
            "Along a case: questions build on each other, so a model that is told its own earlier answers may be led "
            "astray by them. The gap to the line of right earlier answers is what its own mistakes cost; it stands "
            "with its interval under “Which model is better?”."
        )
        yield Picture(said, pictures.ranks(ranked))
    yield from _tagged([score for score in told if score.metric == "rubric"])


def _tagged(scores: list[Score]) -> Iterator[Table]:
    """The rubric's scores by its criteria's tags."""
    rows = [
        [score.subset.replace("=", ": ", 1), score.model, words.way(score.mode, score.variant), words.value_of(score),
         f"{score.n:,}"]
        for score in sorted(scores, key=lambda one: one.subset)
        if score.subset != "all" and score.subset.partition("=")[0] not in PARTS
    ]  # fmt: skip
    if rows:
        said = "The same by what the rubric's criteria are about (their tags): points on these criteria alone."
        head = ["criteria", "model", "how it answers", words.metric("rubric"), "questions"]
        yield Table(said, head, rows, folded=f"By the rubric's tags ({len(rows)})")


def _measures(scores: list[Score], leading: str) -> Iterator[Table]:
    """All other metrics of the whole benchmark."""
    whole = [one for one in scores if one.subset == "all" or one.subset.startswith(AGAINST)]
    own = [one for one in whole if one.metric != leading]
    rows = [
        [_measure(one), one.model, words.way(one.mode, one.variant), words.value_of(one), f"{one.n:,}",
         f"{one.n_unparsed:,}"]
        for one in sorted(own, key=lambda one: one.metric)
    ]  # fmt: skip
    if rows:
        said = "Other measures; what each means stands under “How to read this page”."
        head = ["measure", "model", "how it answers", "value", "of", "unreadable"]
        yield Table(said, head, rows, folded=f"Other measures ({len(rows)})")


def _measure(score: Score) -> str:
    """The name of a measure, with the other model of a pair."""
    other = score.subset.removeprefix(AGAINST)
    return words.metric(score.metric) + ("" if other == "all" else f", against {other}")


def _published(results: Results, name: str) -> Iterator[Table]:
    """Each published figure with its source."""
    rows = [
        [
            f"{one.system}, {one.generation}",
            one.model,
            f"{one.value} %",
            _questions(one),
            one.mode,
            one.aggregation,
            one.check,
            "; ".join(part for part in (one.source, "" if one.told == "read" else one.told, one.note) if part),
        ]
        for one in results.published(name)
    ]
    if rows:
        said = (
            "Figures that others published for this exam. “Check” is ours: a share of n questions must be a whole "
            "number of right answers, and a mean that of its cells. Where it is not, questions were left out, several "
            "runs averaged, other exams are in the mean, or a digit is wrong."
        )
        head = ["publication", "model", "share", "questions", "how it answers", "runs", "check", "source"]
        yield Table(said, head, rows, folded=f"Published by others ({len(rows)})")


def _questions(one: Published) -> str:
    """Which questions a published figure is of, and how many."""
    part = "" if one.subset == "all" else f"{words.subset(one.subset)}, "
    return f"{part}{one.split}: {one.n:,}" if one.n else f"{part}{one.split}: n not told"
