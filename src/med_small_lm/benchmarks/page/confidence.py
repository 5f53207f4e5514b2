"""Whether the models are as often right as they are sure, and what they would get wrong if they could abstain."""

from __future__ import annotations

from collections.abc import Iterator

from med_small_lm.benchmarks.calibration import SureAnswers, reliability, risk_coverage
from med_small_lm.benchmarks.page import pictures, words
from med_small_lm.benchmarks.page.blocks import Block, Picture, Section, Table
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.benchmarks.parts import Part, answers_by_run
from med_small_lm.benchmarks.scoring import sureness
from med_small_lm.schemas.rows import Score

POINTS = 200
"""Of a curve in a picture: more cannot be told apart."""
FLIPS = ("flip_rate", "sample_accuracy")


def confidence(results: Results) -> Section:
    """Returns the pictures of each benchmark that has a probability for each option, and the table of flips."""
    blocks: list[Block] = [*_flips(results)]
    for name in results.benchmarks:
        curves = _sure(results, name)
        if curves:
            blocks += _pictures(name, curves)
    return Section("confidence", "Does it know what it does not know?", blocks)


def _sure(results: Results, name: str) -> dict[str, SureAnswers]:
    """How sure the answers of each run were."""
    questions = [question for question in results.questions.get(name, ()) if question.options]
    own = [made for made in results.predictions if made.benchmark == name and not is_control(made.variant)]
    found: dict[str, SureAnswers] = {}
    for run, answers in answers_by_run(own, {name: questions}).items() if questions else ():
        asked, sure = sureness(Part(run, "all", questions, answers))
        if asked:
            found[f"{run[0]}: {words.way(run[2], run[3])}"] = sure
    return found


def _pictures(name: str, curves: dict[str, SureAnswers]) -> Iterator[Block]:
    yield Picture(
        f"{name}: how often an answer was right, among answers of which the model was as sure as the scale below says "
        "(by the probability that it gives its option, or the share of its replies that agree). On the dotted line a "
        "model is as right as it is sure; below it, it is too sure of itself.",
        pictures.reliability({key: reliability(sure) for key, sure in curves.items()}),
    )
    yield Picture(
        f"{name}: if a model answered only what it is surest of: the share of wrong answers among those given. A line "
        "that rises to the right belongs to a model that could leave its worst answers to a person.",
        pictures.risks({key: _thinned(sure) for key, sure in curves.items()}),
    )


def _thinned(sure: SureAnswers) -> tuple[list[float], list[float]]:
    """The curve of risk, at most so many points of it, the last among them."""
    answered, wrong = risk_coverage(sure)
    step = -(-len(answered) // POINTS)
    kept = sorted({*range(0, len(answered), step), len(answered) - 1})
    return [float(answered[n]) for n in kept], [float(wrong[n]) for n in kept]


def _flips(results: Results) -> Iterator[Table]:
    """How often a model changes its answer when it is asked again."""
    own = [score for score in results.scores if score.metric == "flip_rate" and score.subset == "all"]
    if own:
        said = (
            "How many questions got different answers when they were asked several times, with other draws or with the "
            "options in another order. Who knows an answer gives the same one again."
        )
        rows = [
            [one.model, one.benchmark, words.way(one.mode, one.variant), words.value_of(one), _of(one)] for one in own
        ]
        yield Table(said, ["model", "exam", "how it answers", "changed", "questions"], rows)


def _of(score: Score) -> str:
    return f"{score.n:,}"
