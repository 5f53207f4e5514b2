"""The online transport: several endpoints, weaker forms, rests, and a stop that lets paid calls come home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.calls import OpenBatch
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.connection import spelt_for
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import Request, TeacherError

from .endpoint import Answer, serving
from .test_client import SCHEMA, ask, echo, request
from .test_ledger import SOURCE


def refusing(*kinds: str) -> Any:
    """An endpoint that takes no response format of these kinds."""

    def decide(body: dict[str, Any], number: int) -> Answer:
        kind = body.get("response_format", {}).get("type", "text")
        if kind in kinds:
            return Answer(status=400, error={"message": f"response_format {kind} is not supported", "code": None})
        return Answer(json.dumps({"n": int(body["messages"][-1]["content"].split()[1])}))

    return decide


@pytest.mark.parametrize(
    ("refused", "taken"),
    [((), "json_schema"), (("json_schema",), "json_object"), (("json_schema", "json_object"), "text")],
)
def test_the_form_falls_back_to_what_an_endpoint_takes(refused: tuple[str, ...], taken: str, ledger_path: Path) -> None:
    with serving(refusing(*refused)) as endpoint:
        replies = ask(endpoint.url, ledger_path, [request(n) for n in range(30)], concurrency=8)
        last, _ = endpoint.seen[-1]
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(30)]
    assert last.get("response_format", {"type": "text"})["type"] == taken
    assert ("schema and nothing around it" in last["messages"][-1]["content"]) == (taken != "json_schema")
    ledger = Ledger(ledger_path)
    sent = [json.loads(call.request).get("response_format", {"type": "text"})["type"] for call in ledger.calls()]
    ledger.close()
    assert set(sent) == {taken}, "the ledger does not hold what was answered"


def test_a_form_that_the_user_chose_stays(ledger_path: Path) -> None:
    with serving(refusing("json_schema")) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)], structured="json_schema")
        assert len(endpoint.seen) == 1
    assert reply.status == "error" and "json_schema is not supported" in reply.reason


def test_another_400_is_no_reason_for_a_weaker_form(ledger_path: Path) -> None:
    bad = Answer(status=400, error={"message": "the context is full", "code": None})
    with serving(lambda body, number: bad) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [request(1)])
        assert len(endpoint.seen) == 1
    assert reply.status == "error" and "the context is full" in reply.reason


def test_several_endpoints_share_the_work_and_one_may_die(ledger_path: Path) -> None:
    def slow(body: dict[str, Any], number: int) -> Answer:
        time.sleep(0.005)
        return echo(body, number)

    def dies(body: dict[str, Any], number: int) -> Answer:
        return slow(body, number) if number <= 10 else Answer(drop=True)

    with serving(slow) as one, serving(dies) as other:
        given = TeacherParams(
            model="test-model", base_url=(one.url, other.url), concurrency=4, backoff=0, rest=0, give_up_after=5,
            attempts=20,
        )  # fmt: skip
        teacher = open_teacher(given, ledger_path)
        replies = teacher.ask_all([request(n) for n in range(100)])
        teacher.close()
        assert len(one.seen) >= 50 and len(other.seen) > 10
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(100)]


def test_an_endpoint_that_comes_back_after_a_rest_loses_nothing(ledger_path: Path) -> None:
    down = range(20, 32)  # eight to make it rest, four of the five tries that it has then
    with serving(lambda body, n: Answer(status=503) if n in down else echo(body, n)) as endpoint:
        replies = ask(
            endpoint.url, ledger_path, [request(n) for n in range(60)], concurrency=8, attempts=9, give_up_after=8,
            rest=0.01,
        )  # fmt: skip
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(60)]


def test_a_host_that_nobody_answers_for_stops_before_anything_is_paid(ledger_path: Path) -> None:
    with pytest.raises(TeacherError, match="does not answer: connection: .*without a reply: 9"):
        ask("http://127.0.0.1:9/v1", ledger_path, [request(n) for n in range(9)], give_up_after=4)


def test_calls_pass_through_a_limit_of_tokens(ledger_path: Path) -> None:
    with serving(echo) as endpoint:
        start = time.monotonic()
        ask(endpoint.url, ledger_path, [request(n) for n in range(5)], tokens_per_minute=60 * 5000, max_tokens=2000)
        assert 0.2 < time.monotonic() - start < 5


def test_a_deadline_ends_the_tries(ledger_path: Path) -> None:
    with serving(lambda body, number: Answer(status=500)) as endpoint:
        start = time.monotonic()
        (reply,) = ask(
            endpoint.url, ledger_path, [request(1)], attempts=99, backoff=0.05, deadline=0.3, give_up_after=99
        )
    assert reply.status == "error" and time.monotonic() - start < 3 and 2 < reply.attempts < 99


def test_the_budget_stops_cleanly_and_a_higher_one_goes_on(ledger_path: Path) -> None:
    price = {"price_in": 1e6 / 10, "price_out": 0.0}  # a call costs 1: the endpoint counts 10 tokens in
    with serving(echo) as endpoint:
        with pytest.raises(TeacherError, match=r"budget of 20 .*are spent.*without a reply: \d+") as stop:
            ask(endpoint.url, ledger_path, [request(n) for n in range(60)], budget=20, concurrency=8, **price)
        spent = len(endpoint.seen)
        assert 20 <= spent <= 20 + 8  # by no more than what was in flight
        assert f"{spent} are spent" in str(stop.value) and f"without a reply: {60 - spent}" in str(stop.value)
        replies = ask(endpoint.url, ledger_path, [request(n) for n in range(60)], budget=100, concurrency=8, **price)
        assert len(endpoint.seen) == 60
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(60)]
    assert sum(reply.from_ledger for reply in replies) == spent


def test_requests_may_come_from_a_generator_and_replies_are_delivered_as_they_come(ledger_path: Path) -> None:
    taken = 0

    def requests() -> Any:
        nonlocal taken
        for n in range(3000):
            taken += 1
            yield request(n % 1500)

    delivered: dict[int, Any] = {}
    ahead = 0

    def deliver(place: int, reply: Any) -> None:
        nonlocal ahead
        delivered[place] = reply.parsed
        ahead = max(ahead, taken - len(delivered))

    with serving(echo) as endpoint:
        teacher = open_teacher(TeacherParams(model="test-model", base_url=endpoint.url), ledger_path)
        teacher.ask_each(requests(), deliver)
        teacher.close()
        assert len(endpoint.seen) == 1500
    assert delivered == {n: {"n": n % 1500} for n in range(3000)}
    assert ahead < 1000


def test_traces_are_shown_what_was_called_now(ledger_path: Path) -> None:
    shown: list[str] = []
    with serving(echo) as endpoint:
        for _ in range(2):
            teacher = open_teacher(
                TeacherParams(model="test-model", base_url=endpoint.url), ledger_path,
                trace=lambda call: shown.append(call.status),
            )  # fmt: skip
            teacher.ask_all([request(n) for n in range(3)])
            teacher.close()
    assert shown == ["ok"] * 3


SCRIPT = textwrap.dedent(
    f"""
    import sys
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.schemas.rows import Message
    from med_small_lm.teacher.client import open_teacher
    from med_small_lm.teacher.requests import Request

    params = TeacherParams(model="test-model", base_url=sys.argv[2], concurrency=4)
    asked = [Request("question", {{}}, (Message("user", f"number {{n}}"),), {SCHEMA!r}) for n in range(100)]
    open_teacher(params, sys.argv[1]).ask_all(asked)
    """
)


def test_ctrl_c_waits_for_the_calls_that_are_paid_for(ledger_path: Path) -> None:
    full, go = threading.Event(), threading.Event()

    def hold(body: dict[str, Any], number: int) -> Answer:
        if number >= 8:
            full.set()
            assert go.wait(20)
        return echo(body, number)

    with serving(hold) as endpoint:
        command = [sys.executable, "-c", SCRIPT, str(ledger_path), endpoint.url]
        # A shell that runs tests in the background may have told them to ignore Ctrl-C.
        restored = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
        run = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, **restored)
        assert full.wait(20)
        while endpoint.in_flight < 4:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
        go.set()
        assert run.wait(20) != 0
        served = len(endpoint.seen)
    ledger = Ledger(ledger_path)
    calls = list(ledger.calls())
    ledger.close()
    assert [call.status for call in calls] == ["ok"] * served and served < 20


def test_a_failed_try_that_the_endpoint_counted_is_counted(ledger_path: Path) -> None:
    counted = Answer(raw=b'{"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}')
    with serving(lambda body, number: counted if number == 1 else echo(body, number)) as endpoint:
        (reply,) = ask(endpoint.url + "/", ledger_path, [request(1)], price_in=1e6, price_out=0.0)
    ledger = Ledger(ledger_path)
    (call,) = ledger.calls()
    ledger.close()
    assert reply.usage.cost == call.cost == 20.0 and call.tries[0]["cost"] == 10.0


def test_a_prompt_that_was_cut_is_named(ledger_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    long = [Request("note", {}, (Message("user", f"{n} " + "word " * 500),)) for n in range(3)]
    with serving(lambda body, number: Answer("said")) as endpoint:  # it counts 10 tokens, whatever is sent
        ask(endpoint.url, ledger_path, long)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "counted 10 tokens" in warning and "context length" in warning


def test_calls_that_lie_in_a_batch_are_not_paid_for_again_online(ledger_path: Path) -> None:
    with serving(echo) as endpoint:
        ledger = Ledger(ledger_path)
        ledger.put_batch(OpenBatch("b", endpoint.url, "test-model", ["0" * 16] * 7, remote="batch_1"))
        ledger.close()
        with pytest.raises(TeacherError, match="7 calls lie in 1 batches .*teacher.transport: batch"):
            ask(endpoint.url, ledger_path, [request(1)])
        assert not endpoint.seen


def test_plain_text_needs_no_schema(ledger_path: Path) -> None:
    plain = Request("note", {}, (Message("user", "say it"),))
    with serving(lambda body, number: Answer("" if number == 1 else "said")) as endpoint:
        (reply,) = ask(endpoint.url, ledger_path, [plain])
        assert [body["messages"] for body, _ in endpoint.seen] == [[{"role": "user", "content": "say it"}]] * 2
    assert (reply.status, reply.content) == ("ok", "said")


def test_a_parameter_is_spelt_as_the_endpoint_wants_it() -> None:
    body = {"model": "m", "max_tokens": 5}
    assert spelt_for("https://api.openai.com/v1", body) == {"model": "m", "max_completion_tokens": 5}
    assert spelt_for("http://localhost:8000/v1", body) == body
