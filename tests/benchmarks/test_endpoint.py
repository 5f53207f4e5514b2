"""Models behind a real local endpoint: what they answer, what fails, and that nothing is paid twice."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.teacher.endpoint import Answer, serving

from med_small_lm.benchmarks.answered import Reply
from med_small_lm.benchmarks.candidates import sources
from med_small_lm.benchmarks.endpoint import reply_of
from med_small_lm.benchmarks.predict import Exam, predict
from med_small_lm.benchmarks.scoring import score
from med_small_lm.datasets.teacher import EndpointsAccess
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.pipelines.evaluate.endpoints import asker_of
from med_small_lm.schemas.rows import Passage, Prediction
from med_small_lm.teacher import requests as teacher

LISTED = {"instruction": "Answer.", "options": "listed", "ending": "The answer is", "letters": True}
KEY = "sk-of-the-test"


def asked(url: str, folder: Path, exam: Exam, settings: Any = None, **changes: Any) -> list[Prediction]:
    """What a run with one endpoint predicts; the ledger and the shards lie in ``folder``."""
    endpoint = {
        "model": "test-model", "base_url": url, "attempts": 1, "backoff": 0, "price_in": 1, "price_out": 1,
        "give_up_after": 2, "rest": 0, "deadline": 5, **(settings or {}),
    }  # fmt: skip
    candidates = {"far": {"endpoint": endpoint}} | changes.pop("candidates", {})
    params = Evaluate(models=(), candidates=candidates, **changes)
    access = EndpointsAccess(folder / "ledger.sqlite", {"far": KEY})
    forms = Answers(direct=LISTED, explain=LISTED)  # type: ignore[arg-type]
    return predict(exam, sources(params, {}), forms, params, folder / "exam/shards", ask=asker_of(access))


def first_option(body: Any, number: int) -> Answer:
    """An endpoint that always takes the first option."""
    return Answer(
        f"So it is. The answer is ({'A'}) {body['messages'][-1]['content'].split('(A) ')[1].split(' (B)')[0]}."
    )


def test_answers_are_read_and_nothing_is_paid_twice(questions: Any, tmp_path: Path, caplog: Any) -> None:
    exam = Exam("exam", questions)
    with serving(first_option) as endpoint, caplog.at_level(logging.INFO, logger="med_small_lm"):
        made = asked(endpoint.url, tmp_path, exam, {"pilot": {"calls": 2, "share": 0}})
        assert [(one.mode, one.variant, one.state) for one in made] == [("generation", "explain/0-shot", "parsed")] * 4
        assert [one.answer_keys for one in made] == [["A"]] * 4 and made[0].n_tokens == 5
        assert "far: 4 calls, 0 of them in the ledger" in caplog.text and "forecast from 2 calls" in caplog.text
        body, headers = endpoint.seen[0]
        assert headers["authorization"] == f"Bearer {KEY}" and body["messages"][0]["content"] == "Answer."
        assert body["temperature"] == 0.0
        assert asked(endpoint.url, tmp_path, exam) == made and len(endpoint.seen) == 4
        for file in (tmp_path / "exam").rglob("*.jsonl"):
            file.unlink()
        assert asked(endpoint.url, tmp_path, exam) == made and len(endpoint.seen) == 4  # the ledger knows them
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_what_fails_is_no_wrong_answer_and_is_asked_again(questions: Any, tmp_path: Path, caplog: Any) -> None:
    exam, broken = Exam("exam", questions), {"Short?", "Where does"}

    def decide(body: Any, number: int) -> Answer:
        text = body["messages"][-1]["content"]
        return Answer(status=500) if any(one in text for one in broken) else first_option(body, number)

    with serving(decide) as endpoint:
        made = asked(endpoint.url, tmp_path, exam, {"concurrency": 1, "give_up_after": 20})
        assert Counter(one.state for one in made) == {"parsed": 2, "failed": 2}
        assert "exam: far: 2 of 4 questions, in 1 of 1 ways of asking, could not be asked: neither right" in caplog.text
        [accuracy] = [one for one in score(made, {"exam": questions}) if one.metric == "accuracy"]
        assert (accuracy.n, accuracy.n_failed) == (2, 2)
        broken.clear()
        before = len(endpoint.seen)
        whole = asked(endpoint.url, tmp_path, exam)
        assert {one.state for one in whole} == {"parsed"} and len(endpoint.seen) == before + 2


@pytest.mark.parametrize("answer", [Answer(status=401), Answer(drop=True)])
def test_an_endpoint_that_answers_nothing_fails_and_the_run_goes_on(
    answer: Answer, questions: Any, tmp_path: Path, caplog: Any
) -> None:
    with serving(lambda body, number: answer) as endpoint:
        made = asked(endpoint.url, tmp_path, Exam("exam", questions))
    assert {one.state for one in made} == {"failed"} and len(made) == 4
    assert "exam: far: 4 of 4 questions, in 1 of 1 ways of asking, could not be asked" in caplog.text


def test_questions_are_counted_however_often_they_are_asked(questions: Any, tmp_path: Path, caplog: Any) -> None:
    with serving(lambda body, number: Answer(status=401)) as endpoint:
        made = asked(endpoint.url, tmp_path, Exam("exam", questions), samples=3, written=("explain", "direct"))
    assert len(made) == 4 * (1 + 3) * 2
    assert "exam: far: 4 of 4 questions, in 4 of 4 ways of asking, could not be asked" in caplog.text


def test_two_servers_of_one_model_name_are_two_models(questions: Any, tmp_path: Path) -> None:
    exam = Exam("exam", questions)
    with serving(first_option) as full, serving(lambda body, number: Answer("The answer is (B).")) as quantised:
        other = {"near": {"endpoint": {"model": "test-model", "base_url": quantised.url}}}
        made = asked(full.url, tmp_path, exam, candidates=other)
        said = {(one.model, *one.answer_keys) for one in made}
        assert said == {("far", "A"), ("near", "B")} and len(full.seen) == len(quantised.seen) == 4
        moved = asked(quantised.url, tmp_path, exam)
        assert {(one.model, *one.answer_keys) for one in moved} == {("far", "B")}
        assert len(quantised.seen) == 4  # what its address answered is known


def test_the_longest_reply_is_the_runs(questions: Any, tmp_path: Path) -> None:
    with serving(first_option) as endpoint:
        asked(endpoint.url, tmp_path, Exam("exam", questions[:1]), max_new_tokens=33)
        asked(endpoint.url, tmp_path, Exam("exam", questions[:1]), {"max_tokens": 77}, max_new_tokens=33)
        assert [body["max_tokens"] for body, _ in endpoint.seen] == [33, 77]


def test_pages_that_an_endpoint_cannot_hold_are_left_out(questions: Any, tmp_path: Path, caplog: Any) -> None:
    pages = [Passage(f"p{n}", "book", n, "S", 1, 1, "Valproate treats. " * 20, 40, "", "CC0") for n in range(2)]
    exam = Exam("exam", questions[:1], passages=pages)
    reader = {"reader": {"open_book": {"of": "far"}}}
    with serving(first_option) as endpoint, caplog.at_level(logging.INFO, logger="med_small_lm"):
        asked(endpoint.url, tmp_path, exam, {"context": 250}, candidates=reader)
        longest = max(body["messages"][-1]["content"].count("treats. ") for body, _ in endpoint.seen)
    assert longest == 20 and "exam: reader: 1 of 2 passages found left out of prompts" in caplog.text


def test_a_budget_stops_the_calls(questions: Any, tmp_path: Path) -> None:
    with serving(first_option) as endpoint:
        made = asked(endpoint.url, tmp_path, Exam("exam", questions), {"budget": 1e-9, "concurrency": 1})
    assert "failed" in {one.state for one in made} and len(endpoint.seen) < 4


def test_samples_are_calls_of_their_own(questions: Any, tmp_path: Path) -> None:
    def decide(body: Any, number: int) -> Answer:
        return Answer(f"The answer is ({'AB'[number % 2]}).")

    with serving(decide) as endpoint:
        made = asked(endpoint.url, tmp_path, Exam("exam", questions[:1]), samples=3, permutations=2)
        assert Counter(one.variant for one in made) == {
            "explain/0-shot": 1, "explain/0-shot/sc3": 3, "explain/0-shot/permuted2": 2,
        }  # fmt: skip
        bodies = [body for body, _ in endpoint.seen]
    # The plain call, three draws, and one more order: the published order is asked already.
    assert len(bodies) == 5 and sum(body["temperature"] == 0.7 for body in bodies) == 3


def test_the_books_open_before_an_endpoint(questions: Any, tmp_path: Path) -> None:
    page = Passage("p", "book", 1, "S", 1, 1, "Valproate treats atonic seizures.", 4, "", "CC0")
    reader = {"reader": {"open_book": {"of": "far"}}}
    with serving(first_option) as endpoint:
        exam = Exam("exam", questions[:1], passages=[page])
        made = asked(endpoint.url, tmp_path, exam, {"allow_hosts": ("127.0.0.1",)}, candidates=reader)
        told = sorted(body["messages"][-1]["content"] for body, _ in endpoint.seen)
    assert [one.model for one in made] == ["far", "reader"]
    assert told[0].startswith("Valproate treats atonic seizures. Which drug") and told[1].startswith("Which drug")


def test_every_way_in_which_a_call_ends() -> None:
    given = teacher.Reply("c", "ok", "text", None, False, "m", teacher.Usage(tokens_out=7))
    assert reply_of(given) == Reply("text", 7, False)
    assert reply_of(replace(given, status="length")) == Reply("text", 7, True)
    assert reply_of(replace(given, status="content_filter")) == Reply("", 7, False, "refused")
    assert reply_of(replace(given, status="invalid", content="")) == Reply("", 7, False)
    assert reply_of(replace(given, status="error", reason="HTTP 500")).fault == "failed"
    long = replace(given, status="error", reason="HTTP 400: This model's maximum context length is 9 tokens")
    assert reply_of(long) == Reply("", 0, True)
    for said in ("HTTP 413: prompt is too long: 9 tokens", "HTTP 400: exceeds the context window of this model"):
        assert reply_of(replace(long, reason=said)) == Reply("", 0, True)
    for said in (
        "HTTP 504: the upstream took too long to respond", "HTTP 400: seed is too long",
        "HTTP 429: ThrottlingException: Too many tokens, please wait before trying again", "HTTP 500: context length",
    ):  # fmt: skip
        assert reply_of(replace(long, reason=said)).fault == "failed"
    assert reply_of(None) == Reply("", 0, False, "failed")
