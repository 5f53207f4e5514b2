"""Two models' answers compared by a judge that reads them in both orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from med_small_lm.benchmarks.judging.asking import PAIR, answer_text
from med_small_lm.benchmarks.resampling import interval, units
from med_small_lm.schemas.rows import Judgement, Prediction, Question, Score

WIN, LOSS, TIE, TURNED, UNREAD = "win", "loss", "tie", "inconsistent", "unread"
WORTH = {WIN: 1.0, LOSS: 0.0, TIE: 0.5, TURNED: 0.5}


def outcome(own_first: str, own_second: str) -> str:
    """Returns what the verdicts of both orders come to for the model whose answer stands first in the first order.

    ========================  ======================  ==============
    own answer first          own answer second
    ========================  ======================  ==============
    first                     second                  win
    second                    first                   loss
    first                     first                   inconsistent
    second                    second                  inconsistent
    tie in one or in both                             tie
    a verdict is missing                              unread
    ========================  ======================  ==============
    """
    if not own_first or not own_second:
        return UNREAD
    if "tie" in (own_first, own_second):
        return TIE
    if own_first == own_second:
        return TURNED
    return WIN if own_first == "first" else LOSS


def pair_scores(
    benchmarks: Mapping[str, Sequence[Question]],
    predictions: Iterable[Prediction],
    judgements: Iterable[Judgement],
    pairs: Sequence[tuple[str, str]],
    *,
    samples: int = 2_000,
    seed: int = 0,
) -> list[Score]:
    """Returns for each pair of models the win rate of the first, the ties, and how often the order decided.

    A tie, and a pair in which the order decided, is worth half a win. Of two answers one of which says nothing the
    other wins. Where a verdict is missing there is no outcome: such pairs are ``n_unparsed`` and not in ``n``, and
    those of which an answer could not be asked are ``n_failed``.
    """
    given: dict[tuple[str, str], dict[tuple[str, str], Prediction]] = {}
    for made in predictions:
        if made.mode == "generation" and not made.sample:
            given.setdefault((made.benchmark, made.variant), {})[made.model, made.question_id] = made
    labels = {
        (one.benchmark, one.variant, one.model, one.statement, one.question_id, one.number): one.label
        for one in judgements
        if one.kind == PAIR
    }
    made_scores: list[Score] = []
    for (benchmark, variant), answers in given.items():
        for model, other in pairs:
            found = Counter(
                _outcome(
                    answers.get((model, name)),
                    answers.get((other, name)),
                    labels,
                    (benchmark, variant, model, other, name),
                )
                for question in benchmarks.get(benchmark, ())
                if question.kind == "open" and (name := question.question_id)
                if (model, name) in answers or (other, name) in answers
            )
            if any(found[name] for name in WORTH):
                made_scores += _scores(
                    (model, benchmark, f"against={other}", "generation", variant), found, samples, seed
                )
    return made_scores


def _outcome(
    own: Prediction | None,
    other: Prediction | None,
    labels: Mapping[tuple[str, str, str, str, str, int], str],
    place: tuple[str, str, str, str, str],
) -> str:
    """What became of one pair."""
    if any(one is None or one.state == "failed" for one in (own, other)):
        return "failed"
    says = bool(answer_text(own)), bool(answer_text(other))
    if not all(says):
        return {(True, False): WIN, (False, True): LOSS}.get(says, TIE)
    return outcome(labels.get((*place, 0), ""), labels.get((*place, 1), ""))


def _scores(run: tuple[str, str, str, str, str], found: Counter[str], samples: int, seed: int) -> list[Score]:
    outcomes = [name for name in WORTH for _ in range(found[name])]
    values = {
        "win_rate": [WORTH[name] for name in outcomes],
        "ties": [float(name == TIE) for name in outcomes],
        "position_inconsistency": [float(name == TURNED) for name in outcomes],
    }
    made = []
    for metric, each in values.items():
        drawn = units(each)
        low, high = interval(drawn, samples=samples, seed=seed)
        made.append(Score(*run, metric, drawn.value, len(each), found[UNREAD], low, high, found["failed"]))
    return made
