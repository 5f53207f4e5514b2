"""The teacher over HTTP: what is sent, what is tried again, what is written down."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import Reply, Request, TeacherError, call_id

from .endpoint import Answer, serving

KEY = "sk-planted-5b0f9c"
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n"],
    "properties": {"n": {"type": "integer"}},
}


def request(number: int = 0, sample: int = 0) -> Request:
    return Request("question", {"temperature": 0.5}, (Message("user", f"number {number}"),), SCHEMA, {}, sample)


def echo(body: dict[str, Any], number: int) -> Answer:
    return Answer(json.dumps({"n": int(body["messages"][0]["content"].split()[1])}))


def ask(url: str, path: Path, requests: list[Request], **params: Any) -> list[Reply]:
    given = {"model": "test-model", "base_url": url, "backoff": 0.0, "rest": 0.0, **params}
    teacher = open_teacher(TeacherParams(**given), path, KEY)
    try:
        return teacher.ask_all(requests)
    finally:
        teacher.close()


def test_replies_come_in_order_and_a_second_run_calls_nothing(ledger_path: Path) -> None:
    requests = [request(n) for n in range(40)]
    with serving(echo) as endpoint:
        first = ask(endpoint.url, ledger_path, requests, price_in=1.0, price_out=2.0)
        again = ask(endpoint.url, ledger_path, requests)
        assert len(endpoint.seen) == 40
    assert [reply.parsed for reply in first] == [{"n": n} for n in range(40)]
    assert [reply.parsed for reply in again] == [reply.parsed for reply in first]
    assert not any(reply.from_ledger for reply in first) and all(reply.from_ledger for reply in again)
    assert first[0].usage.tokens_in == 10 and first[0].usage.cost == pytest.approx(20e-6)
    assert again[0].usage == first[0].usage


def test_the_body_speaks_the_protocol(ledger_path: Path) -> None:
    with serving(echo) as endpoint:
        ask(endpoint.url, ledger_path, [request(3)])
    body, headers = endpoint.seen[0]
    assert body["model"] == "test-model" and body["temperature"] == 0.5
    assert body["messages"] == [{"role": "user", "content": "number 3"}]
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert headers["authorization"] == f"Bearer {KEY}"


def test_samples_of_one_prompt_are_calls_of_their_own_and_equal_requests_one(ledger_path: Path) -> None:
    with serving(echo) as endpoint:
        ask(endpoint.url, ledger_path, [request(1, sample) for sample in range(5)] + [request(1, 0)])
        assert len(endpoint.seen) == 5


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=429, headers={"Retry-After": "0"}),
        Answer(status=429),
        Answer(status=500),
        Answer(status=503),
        Answer(drop=True),
        Answer(raw=b'{"choices": [{"mess'),
        Answer(raw=b'{"choices": []}'),
    ],
    ids=["429 with Retry-After", "429", "500", "503", "drop", "truncated", "no choices"],
)
def test_passing_faults_are_tried_again(fault: Answer, ledger_path: Path) -> None:
    with serving(lambda body, number: fault if number <= 2 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(7)])
    assert reply.status == "ok" and reply.parsed == {"n": 7} and reply.attempts == 3
    ledger = Ledger(ledger_path)
    (call,) = ledger.calls()
    ledger.close()
    assert call.status == "ok" and len(call.tries) == 2 and call.attempts == 3


def test_retry_after_is_honoured(ledger_path: Path) -> None:
    wait = Answer(status=429, headers={"Retry-After": "0.3"})
    with serving(lambda body, number: wait if number == 1 else echo(body, number)) as endpoint:
        start = time.monotonic()
        ask(endpoint.url, ledger_path, [request(7)])
    assert time.monotonic() - start >= 0.3


def test_a_lost_call_says_why_and_is_made_again_by_the_next_run(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(status=500)) as endpoint:
        (lost,) = ask(endpoint.url, ledger_path, [request(1)], attempts=2)
    assert lost.status == "error" and "HTTP 500" in lost.reason and lost.parsed is None
    with serving(echo) as endpoint:
        (found,) = ask(endpoint.url, ledger_path, [request(1)])
    assert found.status == "ok" and found.call_id == lost.call_id


def test_a_slow_endpoint_is_given_up(ledger_path: Path) -> None:
    def slow(body: dict[str, Any], number: int) -> Answer:
        time.sleep(0.5)
        return echo(body, number)

    with serving(slow) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)], timeout=0.1, attempts=2)
    assert reply.status == "error" and "no reply within 0.1 s" in reply.reason


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer('{"n": 1', finish="length"), "length"),
        (Answer("", finish="content_filter"), "content_filter"),
        (Answer("", refusal="I cannot help with that."), "refusal"),
    ],
)
def test_finish_reasons_are_states_and_asked_again_as_often_as_allowed(
    answer: Answer, status: str, ledger_path: Path
) -> None:
    with serving(lambda body, number: answer) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)], repairs=2)
        (again,) = ask(endpoint.url, ledger_path, [request(1)], repairs=2)
        assert len(endpoint.seen) == 3
        assert endpoint.seen[2][0]["messages"] == endpoint.seen[0][0]["messages"]
    assert reply.status == again.status == status and reply.reason and reply.parsed is None
    with serving(echo) as endpoint:
        (found,) = ask(endpoint.url, ledger_path, [request(1)], repairs=3)
        assert len(endpoint.seen) == 1 and found.parsed == {"n": 1} and found.usage.tokens_in == 40


def test_a_reply_that_is_cut_is_asked_for_with_twice_the_room(ledger_path: Path) -> None:
    long = Request("question", {"max_tokens": 100}, (Message("user", "number 3"),), SCHEMA)
    cut = Answer('{"n": 1', finish="length")
    with serving(lambda body, number: cut if number <= 2 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [long], repairs=2)
        assert [body["max_tokens"] for body, _ in endpoint.seen] == [100, 200, 400]
    assert reply.parsed == {"n": 3}


@pytest.mark.parametrize("bad", ["not JSON", '{"n": "one"}', '{"m": 1}', "[1]"])
def test_a_reply_of_the_wrong_form_is_repaired_once(bad: str, ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(bad) if number == 1 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(4)])
        (again,) = ask(endpoint.url, ledger_path, [request(4)])
        assert len(endpoint.seen) == 2
    asked = endpoint.seen[1][0]["messages"]
    assert [m["role"] for m in asked] == ["user", "assistant", "user"] and asked[1]["content"] == bad
    assert reply.status == again.status == "ok" and reply.parsed == again.parsed == {"n": 4}
    assert reply.usage.tokens_in == 20 and reply.call_id == again.call_id != call_id("test-model", request(4))


def test_a_reply_that_stays_wrong_is_invalid(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer("no")) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(4)])
        (again,) = ask(endpoint.url, ledger_path, [request(4)])
        assert len(endpoint.seen) == 2
    assert reply.status == again.status == "invalid" and "no JSON" in reply.reason


def test_fenced_json_needs_no_repair(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer('```json\n{"n": 2}\n```')) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(2)])
    assert reply.parsed == {"n": 2} and len(endpoint.seen) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_fault_that_all_calls_would_meet_stops_at_once(status: int, ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(status=status)) as endpoint:
        with pytest.raises(TeacherError, match=f"HTTP {status}"):
            ask(endpoint.url, ledger_path, [request(n) for n in range(100)], concurrency=2)
        assert len(endpoint.seen) <= 4


def test_an_account_that_is_used_up_stops_at_once(ledger_path: Path) -> None:
    empty = Answer(status=429, error={"message": "quota", "code": "insufficient_quota"})
    with serving(lambda body, number: empty) as endpoint, pytest.raises(TeacherError, match="quota"):
        ask(endpoint.url, ledger_path, [request(1)])
    assert len(endpoint.seen) == 1


def test_an_endpoint_that_is_gone_stops_and_keeps_the_answers(ledger_path: Path) -> None:
    with serving(lambda body, number: echo(body, number) if number <= 10 else Answer(drop=True)) as endpoint:
        with pytest.raises(TeacherError, match="run again"):
            ask(endpoint.url, ledger_path, [request(n) for n in range(60)], attempts=1, concurrency=1)
    with serving(echo) as endpoint:
        replies = ask(endpoint.url, ledger_path, [request(n) for n in range(60)])
        assert len(endpoint.seen) == 50
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(60)]


def test_no_more_calls_are_in_flight_than_allowed(ledger_path: Path) -> None:
    def slow(body: dict[str, Any], number: int) -> Answer:
        time.sleep(0.01)
        return echo(body, number)

    with serving(slow) as endpoint:
        ask(endpoint.url, ledger_path, [request(n) for n in range(40)], concurrency=4)
    assert 2 <= endpoint.most_in_flight <= 4


def test_the_key_stands_nowhere(
    ledger_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    def gossip(body: dict[str, Any], number: int) -> Answer:
        if number == 1:
            return Answer(json.dumps({"n": 1, "key": KEY}))
        if number == 2:
            return Answer(status=500, error={"message": f"who uses {KEY}?", "code": None})
        return Answer(status=401, error={"message": f"wrong key {KEY}", "code": None})

    with serving(gossip) as endpoint, pytest.raises(TeacherError) as raised:
        ask(endpoint.url, ledger_path, [request(1)])
    assert len(endpoint.seen) == 3
    assert KEY not in str(raised.value) and KEY not in caplog.text and KEY not in "".join(capfd.readouterr())
    for file in ledger_path.parent.iterdir():
        assert KEY.encode() not in file.read_bytes(), file


def test_a_key_of_the_environment_is_not_used(ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(echo) as endpoint:
        teacher = open_teacher(TeacherParams(model="m", base_url=endpoint.url), ledger_path)
        teacher.ask_all([request(1)])
        teacher.close()
    assert KEY not in endpoint.seen[0][1]["authorization"]


def test_progress_counts_every_reply(ledger_path: Path) -> None:
    told: list[tuple[int, float]] = []
    with serving(echo) as endpoint:
        teacher = open_teacher(TeacherParams(model="m", base_url=endpoint.url, price_in=1e5, price_out=0), ledger_path)
        teacher.ask_all([request(n) for n in range(5)], progress=lambda done, spent: told.append((done, spent)))
        teacher.close()
    assert [done for done, _ in told] == [0, 1, 2, 3, 4, 5] and told[-1] == (5, pytest.approx(5))


async def _asked_inside_a_loop(url: str, path: Path) -> list[Reply]:
    return ask(url, path, [request(1)])


def test_it_works_inside_a_running_loop_as_a_notebook_has(ledger_path: Path) -> None:
    import asyncio

    with serving(echo) as endpoint:
        (reply,) = asyncio.run(_asked_inside_a_loop(endpoint.url, ledger_path))
    assert reply.status == "ok"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "m", "base_url": "http://models.example.com/v1"}, "plain HTTP"),
        ({"model": "m", "base_url": "https://models.example.com/v1"}, "price_in and price_out are missing"),
        ({"model": "m", "base_url": "https://models.example.com/v1", "on_premises": True}, "not in allow_hosts"),
        ({"model": "m", "base_url": ("http://localhost:1/v1", "http://localhost:1/v1")}, "twice"),
        ({"base_url": "https://user:secret@example.com/v1"}, "credentials"),
        ({"base_url": "ftp://example.com"}, "no http"),
        ({"temprature": 1}, "Extra inputs"),
        ({"temperature": 3}, "less than or equal"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TeacherParams(**given)


def test_plain_http_to_an_allowed_host_is_fine() -> None:
    assert TeacherParams(base_url="http://gpu-7:8000/v1", allow_hosts=("gpu-7",)).base_url
