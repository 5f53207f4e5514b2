"""What a judge is asked about open answers, and its judgements.

::

    question ── must_have, nice_to_have ──► entails?  contradicts?   of each statement
             ── rubric ───────────────────► meets?                   each criterion
             ── rubric, tag false_premise ► accepts?                 each premise
    two models' answers ──────────────────► prefers?                 in both orders
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from med_small_lm.answers.thinking import without_thinking
from med_small_lm.benchmarks.judging.reading import verdict_of
from med_small_lm.schemas.rows import Judgement, Prediction, Question
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, Request

Ask = Callable[[Sequence[Request]], Sequence[Reply]]
"""What answers requests, in their order: ``Teacher.ask_all``."""

ENTAILS, CONTRADICTS, MEETS, ACCEPTS, PREFERS = "entails", "contradicts", "meets", "accepts", "prefers"
ASKED = (ENTAILS, CONTRADICTS, MEETS, ACCEPTS, PREFERS)
"""What is asked of an answer; the prompt of each is ``judge_`` and its name."""
MUST, NICE, CRITERION, PREMISE, PAIR = "must_have", "nice_to_have", "criterion", "premise", "pair"
FALSE_PREMISE = "false_premise"
"""The tag of a criterion whose text is what the question wrongly takes for true."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that is asked of one answer.

    ``shown`` is what the prompt sets against the answer, ``statement`` what the record says it was.
    """

    prediction: Prediction
    kind: str
    number: int
    asked: str
    statement: str
    question: str
    answer: str
    shown: str

    def request(self, prompts: Mapping[str, Prompt], sampling: Mapping[str, Any]) -> Request:
        """The request that asks it."""
        slots = {"question": self.question, "answer": self.answer, "statement": self.shown}
        return prompts[self.asked].request(slots, sampling)


def judge(
    benchmarks: Mapping[str, Sequence[Question]],
    predictions: Iterable[Prediction],
    prompts: Mapping[str, Prompt],
    ask: Ask,
    sampling: Mapping[str, Any] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> list[Judgement]:
    """Returns what the judge says of open answers, at every point that their questions are judged by.

    The first sample of each answer is judged, without its thinking. One that is not there, or empty, is not: it says
    nothing, and the scores count it so.

    Args:
        benchmarks: the questions by the benchmark's name; those that tell no point are passed over.
        predictions: the answers, of any models.
        prompts: by what is asked, see ``ASKED``.
        ask: answers the requests.
        sampling: the judge's parameters, a temperature of 0 for one.
        pairs: models whose answers are compared with each other as well.
    """
    points = points_to_ask(benchmarks, predictions, pairs)
    return judgements_from(points, ask([point.request(prompts, sampling or {}) for point in points]))


def points_to_ask(
    benchmarks: Mapping[str, Sequence[Question]],
    predictions: Iterable[Prediction],
    pairs: Sequence[tuple[str, str]] = (),
) -> list[Point]:
    """Returns everything that ``judge`` asks, for a caller that forecasts the cost before it asks."""
    answers = list(predictions)
    return [*_points(benchmarks, answers), *_pairs(benchmarks, answers, pairs)]


def judgements_from(points: Sequence[Point], replies: Sequence[Reply]) -> list[Judgement]:
    """Returns the judgement in the reply to each point."""
    return [_judgement(point, reply) for point, reply in zip(points, replies, strict=True)]


def answer_text(prediction: Prediction | None) -> str:
    """Returns what an answer says without its thinking; empty where there is none, or it was not asked."""
    return without_thinking(prediction.text)[0] if prediction is not None and prediction.state != "failed" else ""


def is_answered(prediction: Prediction | None) -> bool:
    """Returns whether an answer says something and is no refusal."""
    return prediction is not None and prediction.state != "refused" and bool(answer_text(prediction))


def points_of(question: Question) -> Iterator[tuple[str, int, str, str]]:
    """Yields what is asked of an answer to a question: its kind, its number, what is asked, and of what."""
    for kind, statements in ((MUST, question.must_have), (NICE, question.nice_to_have)):
        for number, statement in enumerate(statements):
            yield kind, number, ENTAILS, statement
            yield kind, number, CONTRADICTS, statement
    for number, criterion in enumerate(question.rubric):
        is_premise = FALSE_PREMISE in criterion.tags
        yield (PREMISE, number, ACCEPTS, criterion.text) if is_premise else (CRITERION, number, MEETS, criterion.text)


def shown_question(question: Question) -> str:
    """Returns a question as a judge reads it: the turns before it by who spoke, or its context, and its stem."""
    if question.turns:
        turns = [(turn.role, turn.content) for turn in question.turns]
        return "\n\n".join(f"{role}: {text}" for role, text in [*turns, ("user", question.stem)])
    return " ".join(part for part in (question.context, question.stem) if part)


def _points(benchmarks: Mapping[str, Sequence[Question]], answers: Sequence[Prediction]) -> Iterator[Point]:
    """The points of all answers that say something."""
    known = {(name, question.question_id): question for name, asked in benchmarks.items() for question in asked}
    for answer in answers:
        question = known.get((answer.benchmark, answer.question_id))
        text = answer_text(answer)
        if question is None or not text or answer.sample:
            continue
        for kind, number, asked, statement in points_of(question):
            yield Point(answer, kind, number, asked, statement, shown_question(question), text, statement)


def _pairs(
    benchmarks: Mapping[str, Sequence[Question]], answers: Sequence[Prediction], pairs: Sequence[tuple[str, str]]
) -> Iterator[Point]:
    """The answers of two models to one open question, each of them first once."""
    given = {(one.benchmark, one.question_id, one.variant, one.model): one for one in answers if not one.sample}
    known = {(name, q.question_id): q for name, asked in benchmarks.items() for q in asked if q.kind == "open"}
    for (benchmark, name, variant, model), own in given.items():
        question = known.get((benchmark, name))
        for other in [second for first, second in pairs if first == model]:
            texts = answer_text(own), answer_text(given.get((benchmark, name, variant, other)))
            if question is None or not all(texts):
                continue
            for number, (first, second) in enumerate((texts, texts[::-1])):
                yield Point(own, PAIR, number, PREFERS, other, shown_question(question), first, second)


def _judgement(point: Point, reply: Reply) -> Judgement:
    """The record of one reply."""
    label, state = verdict_of(reply, ("first", "second", "tie") if point.asked == PREFERS else ("true", "false"))
    made = point.prediction
    return Judgement(
        made.model, made.question_id, made.benchmark, made.variant, point.kind, point.number, point.asked,
        point.statement, reply.model, label, state, reply.call_id,
    )  # fmt: skip
