"""Open answers judged over HTTP: scores worked by hand, verdicts that are none, pairs, false premises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.teacher.endpoint import Answer

from med_small_lm.benchmarks.judging.asking import judge, points_of
from med_small_lm.benchmarks.judging.pairs import outcome, pair_scores
from med_small_lm.benchmarks.judging.reading import verdict_of
from med_small_lm.benchmarks.judging.scores import judged_scores
from med_small_lm.schemas.frames import Judgements, Scores
from med_small_lm.schemas.rows import Criterion, Judgement, Prediction, Question, Score
from med_small_lm.schemas.tables import to_frame
from med_small_lm.teacher.requests import Reply

from . import worked
from .judges import judge_at, prompts, saying
from .worked import open_question, said


def judged_over_http(
    questions: list[Question], answers: list[Prediction], verdicts: Mapping[Any, Any], ledger: Path, **told: Any
) -> list[Judgement]:
    with judge_at(saying(verdicts), ledger) as (ask, _):
        return judge({answers[0].benchmark: questions}, answers, prompts(), ask, {"temperature": 0}, **told)


def values(scores: list[Score], subset: str = "all") -> dict[str, float]:
    return {score.metric: score.value for score in scores if score.subset == subset}


@pytest.mark.parametrize(
    ("more", "expected"), [({}, worked.CLAIM_SCORES), (worked.UNREAD, worked.UNREAD_SCORES)], ids=["all", "unread"]
)
def test_claims_as_worked_by_hand(more: dict[Any, Any], expected: dict[str, float], tmp_path: Path) -> None:
    made = judged_over_http(worked.CLAIMS, worked.ANSWERS, worked.VERDICTS | more, tmp_path / "l.sqlite")
    scores = judged_scores({"claims": worked.CLAIMS}, worked.ANSWERS, made)
    assert values(scores) == pytest.approx(expected, abs=1e-12)
    assert len(made) == 18 and {one.state for one in made} == ({"read", "unclear"} if more else {"read"})
    counts = {score.metric: (score.n, score.n_unparsed) for score in scores}
    assert counts["completeness"] == (3, 1) and counts["completeness_answered"] == (2, 0)
    assert not more or counts["judge_unread"] == (18, 2)
    Judgements.validate(to_frame(made, Judgement))
    Scores.validate(to_frame(scores, Score))


def test_rubrics_as_worked_by_hand(tmp_path: Path) -> None:
    made = judged_over_http(worked.RUBRICS, worked.RUBRIC_ANSWERS, worked.RUBRIC_VERDICTS, tmp_path / "l.sqlite")
    scores = judged_scores({"rubrics": worked.RUBRICS}, worked.RUBRIC_ANSWERS, made)
    assert {score.subset: score.value for score in scores} == pytest.approx(worked.RUBRIC_SCORES, abs=1e-12)
    assert all(0 <= score.ci_low <= score.value <= score.ci_high <= 1 for score in scores)


def test_criteria_that_were_not_read_have_bounds(tmp_path: Path) -> None:
    verdicts = {**worked.RUBRIC_VERDICTS, ("meets", "Says yes."): "so-so", ("meets", "Says that it heals."): "so-so"}
    made = judged_over_http(worked.RUBRICS, worked.RUBRIC_ANSWERS, verdicts, tmp_path / "l.sqlite")
    found = values(judged_scores({"rubrics": worked.RUBRICS}, worked.RUBRIC_ANSWERS, made))
    expected = {
        "rubric": (0.4 + 0 + 0.5) / 3,
        "rubric_least": (0.4 - 8 / 6 + 0.5) / 3,
        "rubric_most": (0.4 + 0 + 1) / 3,
    }
    expected["rubric_least"] = 0.0
    assert found == pytest.approx(expected | {"judge_unread": 2 / 7}, abs=1e-12)


def test_the_judge_sees_conversation_and_reply_without_thinking(tmp_path: Path) -> None:
    with judge_at(saying({}), tmp_path / "l.sqlite") as (ask, endpoint):
        judge(
            {"rubrics": worked.RUBRICS, "claims": worked.CLAIMS},
            [*worked.RUBRIC_ANSWERS, *worked.ANSWERS],
            prompts(),
            ask,
        )
    texts = [body["messages"][-1]["content"] for body, _ in endpoint.seen]
    assert any("user: Hello.\n\nassistant: What can I do?\n\nuser: My head aches." in text for text in texts)
    assert any("take antibiotics" in text for text in texts) and not any("think" in text for text in texts)


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    first = judged_over_http(worked.CLAIMS, worked.ANSWERS, worked.VERDICTS, tmp_path / "l.sqlite")
    with judge_at(lambda body, number: Answer(status=400), tmp_path / "l.sqlite") as (ask, endpoint):
        again = judge({"claims": worked.CLAIMS}, worked.ANSWERS, prompts(), ask, {"temperature": 0})
    assert again == first and not endpoint.seen


def test_a_withheld_verdict_is_a_failed_one(tmp_path: Path) -> None:
    withheld = Answer(finish="content_filter")
    made = judged_over_http(
        worked.CLAIMS, worked.ANSWERS, {**worked.VERDICTS, ("entails", "Rest helps."): withheld}, tmp_path / "l.sqlite"
    )
    assert [one.statement for one in made if one.state == "failed"] == ["Rest helps."]


def test_what_could_not_be_asked_is_in_no_denominator() -> None:
    answers = [*worked.ANSWERS[:2], said("q3", "", "failed")]
    (score,) = [s for s in judged_scores({"claims": worked.CLAIMS}, answers, []) if s.metric == "completeness"]
    assert (score.n, score.n_failed, score.value) == (2, 1, 0.0)
    (most,) = [s for s in judged_scores({"claims": worked.CLAIMS}, answers, []) if s.metric == "completeness_most"]
    assert most.value == 1  # no label at all: nothing is known


def test_a_question_without_a_prediction_is_unanswered() -> None:
    (score,) = [
        s for s in judged_scores({"claims": worked.CLAIMS}, worked.ANSWERS[:1], []) if s.metric == "hallucination"
    ]
    assert (score.n, score.n_unparsed) == (3, 2)


def reply(content: str, parsed: dict[str, Any] | None = None, status: str = "invalid") -> Reply:
    return Reply("id", status, content, parsed, False, "judge")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (reply("", {"verdict": True}, "ok"), ("true", "read")),
        (reply('{"why": "x", "verdict": "False"}'), ("false", "read")),
        (reply("It says so.\nTrue"), ("true", "read")),
        (reply("It says so.\n**Verdict: false.**"), ("false", "read")),
        (reply("<think>true</think>\nfalse"), ("false", "read")),
        (reply("It is true that it says so."), ("", "unclear")),
        (reply("true or false"), ("", "unclear")),
        (reply('{"verdict": "maybe"}', {"verdict": "maybe"}, "ok"), ("", "unclear")),
        (reply('{"verdict": true} {"verdict": false}'), ("", "unclear")),
        (reply("<think>The verdict is\ntrue"), ("", "unclear")),
        (reply(""), ("", "unclear")),
        (reply("true", status="error"), ("", "failed")),
        (reply("true", status="length"), ("", "failed")),
    ],
)
def test_a_verdict_is_read_and_never_guessed(given: Reply, expected: tuple[str, str]) -> None:
    assert verdict_of(given, ("true", "false")) == expected


PAIRED = [open_question(f"p{n}", f"Question {n}?") for n in range(6)]


def test_pairs_are_asked_in_both_orders(tmp_path: Path) -> None:
    texts = {
        "tuned": ["good", "bad", "same", "odd", "", "well"],
        "base": ["bad", "good", "same", "strange", "x", "mute"],
    }
    answers = [
        said(f"p{n}", text, "parsed" if text else "empty", model, "pairs")
        for model, told in texts.items()
        for n, text in enumerate(told)
    ]

    def decide(body: dict[str, Any], _: int) -> Answer:
        first, second = body["messages"][1]["content"].split("First reply:\n")[1].split("\n\nSecond reply:\n")
        if "mute" in (first, second):
            return Answer('{"why": "", "verdict": "both"}')
        told = {("good", "bad"): "first", ("bad", "good"): "second", ("same", "same"): "tie"}.get(
            (first, second), "first"
        )
        return Answer(f'{{"why": "", "verdict": "{told}"}}')

    with judge_at(decide, tmp_path / "l.sqlite") as (ask, endpoint):
        made = judge({"pairs": PAIRED}, answers, prompts(), ask, pairs=[("tuned", "base")])
    scores = pair_scores({"pairs": PAIRED}, answers, made, [("tuned", "base")])
    # won, lost, tied, decided by the order, lost for want of an answer; the sixth verdict is none
    assert values(scores, "against=base") == {"win_rate": 2 / 5, "ties": 1 / 5, "position_inconsistency": 1 / 5}
    assert {(score.n, score.n_unparsed, score.n_failed) for score in scores} == {(5, 1, 0)}
    # Equal replies in both orders are one prompt, so one call; the verdict that is none was asked for again.
    assert len(made) == 10 and len(endpoint.seen) == 2 + 2 + 1 + 2 + 4
    Judgements.validate(to_frame(made, Judgement))
    Scores.validate(to_frame(scores, Score))


@pytest.mark.parametrize(
    ("own_first", "own_second", "expected"),
    [
        ("first", "second", "win"), ("second", "first", "loss"), ("first", "first", "inconsistent"),
        ("second", "second", "inconsistent"), ("tie", "tie", "tie"), ("tie", "second", "tie"), ("", "second", "unread"),
    ],
)  # fmt: skip
def test_both_orders_make_one_outcome(own_first: str, own_second: str, expected: str) -> None:
    assert outcome(own_first, own_second) == expected


def test_false_premises(tmp_path: Path) -> None:
    questions = [
        open_question(
            f"f{n}", "Why do the kidneys make insulin?",
            rubric=[
                Criterion(f"The kidneys make insulin, {n}.", -1, ["false_premise"]), Criterion(f"Names it, {n}.", 2)
            ],
        )
        for n in range(4)
    ]  # fmt: skip
    answers = [said(f"f{n}", f"Because, {n}.", benchmark="premises") for n in range(3)] + [
        said("f3", "I cannot answer that.", "refused", benchmark="premises")
    ]
    verdicts = {
        ("accepts", "The kidneys make insulin, 0."): True,
        ("accepts", "The kidneys make insulin, 1."): "hm",
        ("meets", "Names it, 2."): True,
    }
    assert [point[2] for point in points_of(questions[0])] == ["accepts", "meets"]
    made = judged_over_http(questions, answers, verdicts, tmp_path / "l.sqlite")
    found = values(judged_scores({"premises": questions}, answers, made))
    assert found["premise_acceptance"] == 1 / 4 and found["premise_acceptance_most"] == 2 / 4
    assert found["rubric"] == pytest.approx((-1 / 2 + 0 + 2 / 2 + 0) / 4)
