"""Ways to lose an answer, to pay for one twice, or to wait for ever, one test each."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.batch_service import result_of
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.connection import run_through
from med_small_lm.teacher.endpoints import Endpoint, Fault
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.limits import Window
from med_small_lm.teacher.replies import parse_content
from med_small_lm.teacher.requests import Request, TeacherError

from .endpoint import Answer, serving
from .test_client import SCHEMA, ask, echo, request
from .test_ledger import call
from .test_online import refusing

pytestmark = pytest.mark.timeout(30)
HALF = "half a pair: \ud83d"


def completion(**message: Any) -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return json.dumps({"choices": [{"finish_reason": "stop", "message": message}], "usage": usage}).encode()


# ---- replies that nobody foresees


@pytest.mark.parametrize(
    "raw",
    [
        b'{"choices": ["text"]}',
        b'{"choices": {"0": {}}}',
        b'{"choices": [{"message": "text"}]}',
        b'{"choices": [null]}',
        b"[" * 100_000,
    ],
)
def test_a_response_of_another_form_is_a_failed_try(raw: bytes, ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(raw=raw) if number == 1 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(7)])
    assert reply.parsed == {"n": 7} and reply.attempts == 2


@pytest.mark.parametrize(
    "message",
    [
        {"content": "[" * 5000},
        {"content": json.dumps({"n": HALF})},
        {"content": HALF},
        {"content": None, "refusal": HALF},
    ],
    ids=["nested", "half a pair escaped", "half a pair", "refused with half a pair"],
)
def test_a_paid_reply_that_cannot_be_read_is_kept_and_asked_again(message: dict[str, Any], ledger_path: Path) -> None:
    bad = Answer(raw=completion(**message))
    with serving(lambda body, number: bad if number == 1 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(7)])
        (again,) = ask(endpoint.url, ledger_path, [request(7)])
        assert len(endpoint.seen) == 2
    assert reply.parsed == again.parsed == {"n": 7} and reply.usage.tokens_in == 20
    ledger = Ledger(ledger_path)
    responses = [json.loads(one.response)["choices"][0]["message"] for one in ledger.calls()]
    ledger.close()
    assert any(one.get("content") == message["content"] for one in responses), "the raw response is another"


def test_a_text_that_cannot_be_written_is_no_reply() -> None:
    schema = {"type": "object"}
    assert parse_content('{"a": "\\ud83d\\ude00"}', schema)[0] == {"a": "\U0001f600"}
    assert "no JSON" in parse_content('{"a": "\\ud83d"}', schema)[1]


def test_a_line_of_a_batch_may_say_its_error_in_any_form() -> None:
    name, fault = result_of(b'{"custom_id": "a", "error": "broken"}', None)
    assert name == "a" and isinstance(fault, Fault) and "broken" in fault.cause
    name, fault = result_of(b'{"custom_id": "a", "response": {"status_code": 200, "body": {"choices": [1]}}}', None)
    assert name == "a" and isinstance(fault, Fault)


def test_a_page_of_html_is_one_line_of_a_cause(ledger_path: Path) -> None:
    page = Answer(status=502, error={"message": "<html>\n<h1>\nBad gateway\n</h1>", "code": None})
    with serving(lambda body, number: page) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)], attempts=1)
    assert reply.reason == "HTTP 502: <html> <h1> Bad gateway </h1>"


# ---- endpoints that go


def test_an_endpoint_that_is_gone_stops_those_who_wait_for_a_place_as_well(ledger_path: Path) -> None:
    with (
        serving(lambda body, n: echo(body, n) if n <= 10 else Answer(status=503)) as endpoint,
        pytest.raises(TeacherError, match="does not answer: HTTP 503"),
    ):
        ask(endpoint.url, ledger_path, [request(n) for n in range(60)], concurrency=8, give_up_after=3, rest=0.001)


def test_an_endpoint_that_is_left_stays_left(ledger_path: Path) -> None:
    with serving(lambda body, n: Answer(status=500)) as dead, serving(echo) as other:
        given = TeacherParams(
            model="m", base_url=(dead.url, other.url), concurrency=16, backoff=0, rest=0, give_up_after=3, attempts=9
        )
        teacher = open_teacher(given, ledger_path)
        replies = teacher.ask_all([request(n) for n in range(300)])
        teacher.close()
        assert len(dead.seen) <= 16 + 3
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(300)]


def test_an_endpoint_that_asks_for_a_day_is_left(ledger_path: Path) -> None:
    closed = Answer(status=429, headers={"Retry-After": "86400"})
    with serving(lambda body, number: closed) as endpoint:
        with pytest.raises(TeacherError, match="does not answer: HTTP 429"):
            ask(endpoint.url, ledger_path, [request(n) for n in range(3)], concurrency=2)
        assert len(endpoint.seen) <= 2


def test_an_endpoint_that_only_says_too_many_is_given_up(ledger_path: Path) -> None:
    with (
        serving(lambda body, number: Answer(status=429)) as endpoint,
        pytest.raises(TeacherError, match="does not answer: HTTP 429"),
    ):
        ask(endpoint.url, ledger_path, [request(n) for n in range(500)], concurrency=4, give_up_after=5)


def test_a_window_goes_on_shrinking_where_nothing_else_comes() -> None:
    window = Window(64)
    for _ in range(64 + 64 + 32 + 16 + 8 + 4 + 2):
        window.pushed_back()
    assert window.size == 1


def test_a_rest_that_ends_between_two_looks_is_no_reason_to_wait(
    ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    is_free: Any = Endpoint.is_free.fget  # type: ignore[attr-defined]

    def late(self: Endpoint) -> bool:
        nonlocal looks
        looks += 1
        return looks > 1 and is_free(self)

    monkeypatch.setattr(Endpoint, "is_free", property(late))
    with serving(echo) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)])
    assert reply.status == "ok"


def test_a_weaker_form_costs_no_try(ledger_path: Path) -> None:
    with serving(refusing("json_schema", "json_object")) as endpoint:
        replies = ask(endpoint.url, ledger_path, [request(n) for n in range(9)], attempts=1)
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(9)]


# ---- stops


def test_nothing_leaves_after_the_stop_though_it_waited_for_its_turn(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(status=401)) as endpoint:
        start = time.monotonic()
        with pytest.raises(TeacherError, match="HTTP 401"):
            ask(endpoint.url, ledger_path, [request(n) for n in range(9)], requests_per_minute=12)
        assert len(endpoint.seen) == 1 and time.monotonic() - start < 4
    ledger = Ledger(ledger_path)
    assert len(list(ledger.calls())) == 1
    ledger.close()


def test_an_interrupt_in_a_notebook_ends_the_work() -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(20)
        finally:
            ended.set()

    async def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            run_through(work())
        assert ended.is_set()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loop = asyncio.new_event_loop()
        start = time.monotonic()
        loop.run_until_complete(cell())
        assert time.monotonic() - start < 10
        loop.close()
    finally:
        signal.signal(signal.SIGINT, before)


# ---- money and ledger


def test_a_repair_waits_for_the_budget_and_is_not_left_out(ledger_path: Path) -> None:
    # A call costs 1 and may cost 6, so one after the other is let through; a repair has to wait for its turn as well.
    price = {"price_in": 0.0, "price_out": 2e5, "max_tokens": 30}
    asked = [Request("question", {"max_tokens": 30}, (Message("user", f"number {n}"),), SCHEMA) for n in range(5)]

    def slow_first(body: dict[str, Any], number: int) -> Answer:
        if len(body["messages"]) == 1 and body["messages"][0]["content"] == "number 0":
            return Answer("no JSON")
        time.sleep(0.1)
        return echo(body, number)

    with serving(slow_first) as endpoint:
        replies = ask(endpoint.url, ledger_path, asked, concurrency=4, budget=15, **price)
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(5)]


def test_a_repair_that_was_paid_for_is_used_where_none_is_allowed_now(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer("no") if number == 1 else echo(body, number)) as endpoint:
        ask(endpoint.url, ledger_path, [request(4)], repairs=1)
        (reply,) = ask(endpoint.url, ledger_path, [request(4)], repairs=0)
        assert len(endpoint.seen) == 2
    assert reply.parsed == {"n": 4} and reply.from_ledger


def test_a_second_process_does_not_ask_beside_the_first(ledger_path: Path) -> None:
    first = Ledger(ledger_path)
    with serving(echo) as endpoint:
        with first.alone(), pytest.raises(TeacherError, match="held by a run or notebook"):
            ask(endpoint.url, ledger_path, [request(1)])
        assert not endpoint.seen
        ask(endpoint.url, ledger_path, [request(1)])
    first.close()


def test_a_commit_that_fails_leaves_a_ledger_that_can_be_written(ledger_path: Path) -> None:
    ledger = Ledger(ledger_path, wait=0.0)
    real, failing = ledger._db, iter([True])

    class Failing:
        in_transaction = property(lambda self: real.in_transaction)
        executemany = real.executemany

        def execute(self, statement: str, *given: Any) -> Any:
            if statement == "COMMIT" and next(failing, False):
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(statement, *given)

    ledger._db = Failing()  # type: ignore[assignment]
    with pytest.raises(TeacherError, match="full"):
        ledger.begin([call(1)])
    ledger.begin([call(2)])
    ledger._db = real
    assert [one.call_id for one in ledger.calls()] == [call(2).call_id]
    ledger.close()
