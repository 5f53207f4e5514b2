"""How often models are right, over all the questions that a benchmark has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from med_small_lm.benchmarks.statistics import accuracy_interval, holm, is_whole, mcnemar_p
from med_small_lm.schemas.rows import Prediction, Question, Score

READ = ("parsed", "repaired")
"""States in which an answer was read. In any other the question counts as wrong and as unparsed."""

Run = tuple[str, str, str, str]
"""Model, benchmark, mode, variant."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same questions: ``only_a`` are right with the first alone.

    ``difference`` is the accuracy of the first less that of the second; ``p`` is McNemar's exact, two-sided,
    ``p_holm`` the same corrected for all comparisons made together.
    """

    model_a: str
    model_b: str
    benchmark: str
    mode: str
    variant: str
    n: int
    only_a: int
    only_b: int
    difference: float
    p: float
    p_holm: float


def is_right(prediction: Prediction, question: Question) -> bool:
    """Returns whether the answer was read and names exactly the right keys."""
    return prediction.state in READ and set(prediction.answer_keys) == set(question.answer_keys)


def score(
    predictions: Iterable[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns the accuracy of each model, benchmark, mode and variant: subset ``all``, then each kind and language.

    ``n`` is the benchmark's number of questions, also where predictions are missing: those count as wrong and as
    unparsed. A subset other than ``all`` is given only where the benchmark has two of its sort.

    Args:
        predictions: of any models and benchmarks, in any order.
        benchmarks: the questions that were put, by the benchmark's name.
        samples: resamples behind an interval.
        seed: of the resamples.

    Raises:
        ValueError: a prediction's benchmark or question is unknown, or a question was answered twice in one run.
    """
    scores = []
    for run, answers in _runs(predictions, benchmarks).items():
        for subset, questions in subsets(benchmarks[run[1]]).items():
            scores.append(_accuracy(run, subset, questions, answers, samples, seed))
    return scores


def subsets(questions: Sequence[Question]) -> dict[str, list[Question]]:
    """Returns the questions by subset: ``all``, then "kind=multi" and "language=fr" where kinds or languages differ."""
    parts = {"all": list(questions)}
    for field in ("kind", "language"):
        values = sorted({str(getattr(question, field)) for question in questions})
        if len(values) > 1:
            for value in values:
                parts[f"{field}={value}"] = [q for q in questions if getattr(q, field) == value]
    return {name: part for name, part in parts.items() if part}


def chance(questions: Sequence[Question]) -> float:
    """Returns the accuracy of drawing one option of each question by lot."""
    shares = [1 / len(q.options) if len(q.answer_keys) == 1 and q.options else 0.0 for q in questions]
    return sum(shares) / len(shares) if shares else 0.0


def compare(
    predictions: Iterable[Prediction],
    benchmarks: Mapping[str, Sequence[Question]],
    pairs: Sequence[tuple[str, str]],
) -> list[Comparison]:
    """Returns the paired comparison of each pair of models in each benchmark, mode and variant that both have.

    The p-values are corrected together, over all that is returned. Controls ("stem_hidden") are left out: whether
    one guess beats another is no question.
    """
    runs = _runs(predictions, benchmarks)
    found: list[Comparison] = []
    for model_a, model_b in pairs:
        for (model, *rest), answers in runs.items():
            other = runs.get((model_b, rest[0], rest[1], rest[2]))
            if model == model_a and other is not None and not rest[2].startswith("stem_hidden"):
                found.append(_compared((model_a, model_b), rest, benchmarks[rest[0]], answers, other))
    corrected = holm([entry.p for entry in found])
    return [replace(entry, p_holm=value) for entry, value in zip(found, corrected, strict=True)]


def _runs(
    predictions: Iterable[Prediction], benchmarks: Mapping[str, Sequence[Question]]
) -> dict[Run, dict[str, Prediction]]:
    """The predictions of each run by question, in the order in which runs come up."""
    known = {name: {question.question_id for question in questions} for name, questions in benchmarks.items()}
    runs: dict[Run, dict[str, Prediction]] = {}
    for made in predictions:
        if made.question_id not in known.get(made.benchmark, set()):
            raise ValueError(f"{made.model} answers {made.question_id}, which is no question of {made.benchmark!r}")
        run = runs.setdefault((made.model, made.benchmark, made.mode, made.variant), {})
        if made.question_id in run:
            raise ValueError(f"{made.model} answers {made.question_id} twice as {made.mode} {made.variant}")
        run[made.question_id] = made
    return runs


def _accuracy(
    run: Run,
    subset: str,
    questions: Sequence[Question],
    answers: Mapping[str, Prediction],
    samples: int,
    seed: int,
) -> Score:
    """The score of one run on one subset."""
    given = [(question, answers.get(question.question_id)) for question in questions]
    n_right = sum(made is not None and is_right(made, question) for question, made in given)
    n_unparsed = sum(made is None or made.state not in READ for _, made in given)
    value = n_right / len(given)
    if not is_whole(value, len(given)):
        raise ValueError(f"{value} of {len(given)} questions is no whole number of right answers")
    low, high = accuracy_interval(n_right, len(given), samples=samples, seed=seed)
    model, benchmark, mode, variant = run
    return Score(model, benchmark, subset, mode, variant, "accuracy", value, len(given), n_unparsed, low, high)


def _compared(
    models: tuple[str, str],
    rest: Sequence[str],
    questions: Sequence[Question],
    answers_a: Mapping[str, Prediction],
    answers_b: Mapping[str, Prediction],
) -> Comparison:
    """One comparison, not corrected yet."""
    pairs = [(_right(answers_a, question), _right(answers_b, question)) for question in questions]
    only_a, only_b = (sum(pair == side for pair in pairs) for side in ((True, False), (False, True)))
    benchmark, mode, variant = rest
    p = mcnemar_p(only_a, only_b)
    difference = (only_a - only_b) / len(pairs)
    return Comparison(*models, benchmark, mode, variant, len(pairs), only_a, only_b, difference, p, p)


def _right(answers: Mapping[str, Prediction], question: Question) -> bool:
    made = answers.get(question.question_id)
    return made is not None and is_right(made, question)
