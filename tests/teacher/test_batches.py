"""The batch transport: whole runs, batches that fail or expire, and processes that are killed at every step."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher import batches
from med_small_lm.teacher.batch_service import BatchService, result_of
from med_small_lm.teacher.batches import Batches
from med_small_lm.teacher.calls import Call, OpenBatch
from med_small_lm.teacher.connection import redacted
from med_small_lm.teacher.desk import Desk
from med_small_lm.teacher.endpoints import Fault
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import Reply, Request, TeacherError, call_id

from . import batch_service as served_batches
from .batch_service import Batch, Refused
from .faults import CONTENT, IN_BATCH, STATUS, Config, Kind
from .server import Server, running

KEY = "sk-planted-5b0f9c"
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n"],
    "properties": {"n": {"type": "integer"}},
}
Hook = Callable[[], None]


class Killed(BaseException):
    """The end of a process, as far as a test inside one can have it."""


def request(number: int) -> Request:
    return Request("question", {"temperature": 0.5}, (Message("user", f"say the number {number}"),), SCHEMA)


def of(url: str, **params: Any) -> TeacherParams:
    batch = {"calls": 10, "at_once": 2, "poll": 0.001, **params.pop("batch", {})}
    given = {"model": "test-model", "base_url": url, "price_in": 100.0, "price_out": 200.0, "backoff": 0.0}
    return TeacherParams(**{**given, "transport": "batch", "batch": batch, **params})


def run(url: str, path: Path, numbers: Sequence[int], hook: Hook = lambda: None, **given: Any) -> dict[int, Reply]:
    """Ask for ``numbers`` and return the replies that came; ``hook`` is called instead of each sleep."""
    params, ledger, replies = of(url, **given), Ledger(path), dict[int, Reply]()

    async def sleep(_: float) -> None:
        hook()

    async def ask() -> None:
        requests = [request(number) for number in numbers]
        desk = Desk(requests, params, ledger, lambda text: redacted(text, KEY), replies.__setitem__)
        async with Batches(params, KEY, sleep) as transport:
            await transport.run(desk)

    try:
        asyncio.run(ask())
        return {numbers[place]: reply for place, reply in replies.items()}
    finally:
        ledger.close()


def rows(path: Path) -> dict[str, Call]:
    ledger = Ledger(path)
    try:
        return {call.call_id: call for call in ledger.calls()}
    finally:
        ledger.close()


def row(path: Path, number: int) -> Call:
    return rows(path)[call_id("test-model", request(number))]


def open_rows(path: Path, url: str) -> list[OpenBatch]:
    ledger = Ledger(path)
    try:
        return ledger.open_batches(url, "test-model")
    finally:
        ledger.close()


def said(replies: dict[int, Reply]) -> dict[int, Any]:
    return {number: reply.parsed["n"] if reply.parsed else reply.status for number, reply in replies.items()}


def whole(numbers: Sequence[int]) -> dict[int, int]:
    return {number: number for number in numbers}


def bill(server: Server) -> float:
    """What the server's completions cost by its own count, at half the price."""
    done = [one for one in server.book.served if one.whole]
    return sum(one.tokens_in * 100.0 + one.tokens_out * 200.0 for one in done) / 2e6


def assert_paid(server: Server, path: Path) -> None:
    """Every completion is in the ledger at its price, and none was made twice."""
    assert sum(call.cost for call in rows(path).values()) == pytest.approx(bill(server))
    valid = [one.key for one in server.book.served if one.valid]
    assert len(valid) == len(set(valid))


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Config(polls=2)) as server:
        yield server


def hooked(*steps: Hook) -> Hook:
    """Do one step at each call, and nothing when none is left."""
    left = list(steps)
    return lambda: left.pop(0)() if left else None


def kill() -> None:
    raise Killed


# ---- whole runs


def test_a_whole_run_takes_batches_of_the_size_set_and_a_second_asks_nothing(server: Server, ledger_path: Path) -> None:
    numbers = range(35)
    assert said(run(server.url, ledger_path, numbers)) == whole(numbers)
    assert sorted(len(batch.lines) for batch in server.service.batches.values()) == [5, 10, 10, 10]
    before = dict(server.book.services)
    again = run(server.url, ledger_path, numbers)
    assert said(again) == whole(numbers) and all(reply.from_ledger for reply in again.values())
    assert dict(server.book.services) == before
    assert_paid(server, ledger_path)
    assert not open_rows(ledger_path, server.url)


def test_a_line_is_the_call_as_the_ledger_has_it(server: Server, ledger_path: Path) -> None:
    run(server.url, ledger_path, [7])
    (batch,) = server.service.batches.values()
    (line,) = batch.lines
    call = row(ledger_path, 7)
    assert (line["custom_id"], line["method"], line["url"]) == (call.call_id, "POST", "/v1/chat/completions")
    assert json.loads(call.request) == line["body"]
    assert line["body"]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert batch.asked["completion_window"] == "24h" and list(batch.asked["metadata"]) == ["med_small_lm"]
    assert call.attempts == 1 and call.cost == pytest.approx(bill(server))


def test_no_more_batches_are_at_work_than_allowed(server: Server, ledger_path: Path) -> None:
    at_work = []

    def count() -> None:
        at_work.append(sum(batch.status in ("validating", "in_progress") for batch in server.service.batches.values()))

    run(server.url, ledger_path, range(60), count, batch={"at_once": 3})
    assert max(at_work) == 3


def test_a_file_keeps_to_the_size_that_the_service_takes(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_MOST_BYTES", 2000)
    assert said(run(server.url, ledger_path, range(20))) == whole(range(20))
    sizes = [len(file.content) for file in server.service.files.values() if file.purpose == "batch"]
    assert max(sizes) <= 2000 < sum(sizes)


# ---- calls that fail


def test_lines_that_fail_for_a_moment_are_sent_again_alone(ledger_path: Path) -> None:
    with running(Config(share=0.4, kinds=(Kind.BUSY, Kind.BROKEN), seed=3)) as server:
        assert said(run(server.url, ledger_path, range(30), attempts=9)) == whole(range(30))
        failed = [one for one in server.book.served if not one.whole]
        assert failed and len(server.book.served) == 30 + len(failed)
        calls = rows(ledger_path).values()
        assert sum(len(call.tries) for call in calls) == len(failed)
        assert all(call.attempts == len(call.tries) + 1 for call in calls)
        assert {one["cause"] for call in calls for one in call.tries} == {"HTTP 429: on demand", "HTTP 500: on demand"}
        assert_paid(server, ledger_path)


def test_a_call_is_lost_after_its_tries_or_at_once_where_none_helps(ledger_path: Path) -> None:
    with running(Config(share=1.0, kinds=(Kind.BROKEN,))) as server:
        assert said(run(server.url, ledger_path, [1], attempts=3)) == {1: "error"}
        assert row(ledger_path, 1).attempts == 3 == len(row(ledger_path, 1).tries)
    with running(Config(share=1.0, kinds=(Kind.BAD,))) as server:
        assert said(run(server.url, ledger_path, [2], attempts=3)) == {2: "error"}
        assert row(ledger_path, 2).attempts == 1 and row(ledger_path, 2).reason == "HTTP 400: on demand"


def test_replies_of_no_use_are_put_right_in_the_next_batch(ledger_path: Path) -> None:
    with running(Config(share=0.5, kinds=CONTENT, seed=1)) as server:
        assert said(run(server.url, ledger_path, range(30), repairs=9)) == whole(range(30))
        bad = sum(one.whole and not one.valid for one in server.book.served)
        repairs = [call for call in rows(ledger_path).values() if call.parent]
        assert len(repairs) == bad > 0
        assert_paid(server, ledger_path)


def test_another_form_is_asked_for_where_the_schema_is_not_taken(ledger_path: Path) -> None:
    with running(Config(refused_formats=("json_schema",))) as server:
        assert said(run(server.url, ledger_path, range(12), attempts=1)) == whole(range(12))
        assert json.loads(row(ledger_path, 0).request)["response_format"] == {"type": "json_object"}


# ---- batches that fail


def test_of_an_expired_batch_only_what_is_missing_is_sent_again(ledger_path: Path) -> None:
    with running(Config(expired=(0, 2), expired_done=0.5)) as server:
        assert said(run(server.url, ledger_path, range(20))) == whole(range(20))
        assert [len(batch.lines) for batch in server.service.batches.values()] == [10, 10, 5, 3]
        assert_paid(server, ledger_path)
        tries = [one["cause"] for call in rows(ledger_path).values() for one in call.tries]
        assert tries and all(cause.startswith("batch_expired: ") for cause in tries)


def test_a_cancelled_batch_without_any_line_is_sent_again(ledger_path: Path) -> None:
    with running(Config(polls=9, seed=5)) as server:

        def cancel() -> None:
            server.service.cancel("batch_0")

        replies = run(server.url, ledger_path, range(5), hooked(cancel))
        assert said(replies) == whole(range(5))
        assert server.service.batches["batch_0"].status == "cancelled" and len(server.service.batches) == 2
        assert row(ledger_path, 0).tries[0]["cause"] == "no result in a batch that is cancelled"


def test_a_full_queue_waits_for_room(ledger_path: Path) -> None:
    with running(Config(failed=(1,), polls=2)) as server:
        assert said(run(server.url, ledger_path, range(30))) == whole(range(30))
        assert_paid(server, ledger_path)


def test_a_batch_that_is_too_large_for_the_queue_is_halved(ledger_path: Path) -> None:
    with running(Config(failed=(0,))) as server:
        assert said(run(server.url, ledger_path, range(10))) == whole(range(10))
        assert [len(batch.lines) for batch in server.service.batches.values()] == [10, 5, 5]


def test_a_batch_whose_lines_are_wrong_stops_everything(ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(served_batches._FAILED, "code", "invalid_json_line")
    monkeypatch.setitem(served_batches._FAILED, "message", f"This line is wrong, {KEY}")
    with running(Config(failed=(0,))) as server:
        with pytest.raises(TeacherError, match=r"gives no batch: batch batch_0 failed: invalid_json_line: This line"):
            run(server.url, ledger_path, range(3))
        assert len(server.service.batches) == 1
        assert said(run(server.url, ledger_path, range(3))) == whole(range(3))
        assert KEY not in ledger_path.read_bytes().decode("latin-1")


def test_batches_that_fail_in_a_row_stop_everything(ledger_path: Path) -> None:
    with running(Config(failed=tuple(range(9)))) as server, pytest.raises(TeacherError, match="token_limit_exceeded"):
        run(server.url, ledger_path, range(3), attempts=3, batch={"at_once": 1})
    assert len(server.service.batches) == 3


# ---- a service that fails


def test_a_service_that_fails_now_and_then_makes_no_batch_twice(ledger_path: Path) -> None:
    for seed in range(3):
        path = ledger_path.with_name(f"{seed}.sqlite")
        kinds = tuple(kind for kind in IN_BATCH if kind is not Kind.BAD)
        with running(Config(seed=seed, share=0.2, kinds=kinds, service_share=0.3, drip=0.0, retry_after=0.0)) as server:
            assert said(run(server.url, path, range(60), attempts=12, repairs=9)) == whole(range(60))
            ours = [batch.asked["metadata"]["med_small_lm"] for batch in server.service.batches.values()]
            assert len(ours) == len(set(ours))
            assert_paid(server, path)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, r"refuses every call: HTTP 401: no such key: \*\*\*\. All answers so far are kept"),
        (404, r"has no batch service \(HTTP 404: .*\): set teacher\.transport: online"),
        (400, "gives no batch: HTTP 400"),
    ],
)
@pytest.mark.parametrize("path", ["files", "batches"])
def test_what_helps_no_call_stops_everything_with_one_clear_line(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, cause: str, path: str
) -> None:
    serve = server._serve

    def refuse(asked: Any, parts: list[str]) -> bytes:
        if parts[0] == path:
            raise Refused(status, f"no such key: {KEY}")
        return serve(asked, parts)

    monkeypatch.setattr(server, "_serve", refuse)
    with pytest.raises(TeacherError, match=cause) as caught:
        run(server.url, ledger_path, range(3))
    assert KEY not in str(caught.value) and not server.book.served
    assert not open_rows(ledger_path, server.url)
    monkeypatch.undo()
    assert said(run(server.url, ledger_path, range(3))) == whole(range(3))


def test_an_unreachable_endpoint_is_one_clear_error(ledger_path: Path) -> None:
    with running() as server:
        pass
    with pytest.raises(TeacherError, match="gives no batch: connection: "):
        run(server.url, ledger_path, [1], attempts=2)


def test_a_poll_that_fails_for_long_stops_and_the_next_run_collects(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> Batch:
        raise Fault("connection: gone")

    with monkeypatch.context() as patch, pytest.raises(TeacherError, match="gone"):
        patch.setattr(BatchService, "look", nothing)
        run(server.url, ledger_path, range(5), give_up_after=3)
    assert said(run(server.url, ledger_path, range(5))) == whole(range(5))
    assert len(server.service.batches) == 1


def test_a_fatal_line_stops_after_the_answers_beside_it_are_kept(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATUS, Kind.BROKEN, 401)
    server.config = server.service.config = server.book.config = Config(share=0.3, kinds=(Kind.BROKEN,), polls=0)
    with pytest.raises(TeacherError, match="refuses every call: HTTP 401: on demand"):
        run(server.url, ledger_path, range(10), batch={"at_once": 1})
    kept = [call for call in rows(ledger_path).values() if call.status == "ok"]
    assert 0 < len(kept) == server.book.valid < 10
    assert not open_rows(ledger_path, server.url)


# ---- processes that end


def killed_before(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    async def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(BatchService, what, die)


def killed_after(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    method = getattr(BatchService, what)

    async def do_and_die(*given: Any) -> None:
        await method(*given)
        raise Killed

    monkeypatch.setattr(BatchService, what, do_and_die)


def test_killed_before_the_batch_is_made(server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_before(patch, "create")
        run(server.url, ledger_path, range(5))
    assert [batch.remote for batch in open_rows(ledger_path, server.url)] == [""] and not server.service.batches
    assert said(run(server.url, ledger_path, range(5))) == whole(range(5))
    assert len(server.service.batches) == 1 and not open_rows(ledger_path, server.url)
    assert row(ledger_path, 0).attempts == 2


def test_killed_before_the_batch_has_its_name_it_is_adopted(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "med_small_lm")
    server.service.config = Config(polls=2, seed=5)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, "create")
        run(server.url, ledger_path, range(5))
    for number in range(120):  # of somebody else, on the first page of the list
        server.service.create({**server.service.batches["batch_0"].asked, "metadata": {"theirs": str(number)}})
    assert said(run(server.url, ledger_path, range(8))) == whole(range(8))
    ours = [batch for batch in server.service.batches.values() if "med_small_lm" in batch.asked["metadata"]]
    assert [len(batch.lines) for batch in ours] == [5, 3]
    assert row(ledger_path, 0).attempts == 1 and not row(ledger_path, 0).tries
    assert json.loads(row(ledger_path, 0).request)["messages"]
    assert "Batches that earlier runs left: 1, with 5 calls" in caplog.text
    assert_paid(server, ledger_path)


def test_killed_while_polling_nothing_is_asked_twice(server: Server, ledger_path: Path) -> None:
    server.service.config = Config(polls=9, seed=5)
    with pytest.raises(Killed):
        run(server.url, ledger_path, range(20), hooked(kill))
    assert len(open_rows(ledger_path, server.url)) == 2
    assert said(run(server.url, ledger_path, range(30))) == whole(range(30))
    assert len(server.service.batches) == 3
    assert_paid(server, ledger_path)


def test_killed_while_results_are_read_they_are_counted_once(
    ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, count = Desk.done, 0

    def die_at_the_fourth(self: Desk, job: Any, response: Any) -> Any:
        nonlocal count
        count += 1
        if count == 4:
            raise Killed
        return done(self, job, response)

    with running(Config(share=0.3, kinds=(Kind.BROKEN, Kind.WRONG_SCHEMA), seed=2)) as server:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Desk, "done", die_at_the_fourth)
            run(server.url, ledger_path, range(10))
        assert said(run(server.url, ledger_path, range(10), repairs=9, attempts=9)) == whole(range(10))
        assert_paid(server, ledger_path)
        failed = sum(not one.whole for one in server.book.served)
        assert sum(len(call.tries) for call in rows(ledger_path).values()) == failed


def test_answers_that_this_run_does_not_ask_for_are_kept(server: Server, ledger_path: Path) -> None:
    server.service.config = Config(polls=9, seed=5)
    with pytest.raises(Killed):
        run(server.url, ledger_path, range(20), hooked(kill))
    for batch in server.service.batches.values():
        batch.polls = 0
    assert said(run(server.url, ledger_path, [100])) == {100: 100}
    assert len(rows(ledger_path)) == 21 and all(call.status == "ok" for call in rows(ledger_path).values())
    assert_paid(server, ledger_path)


def test_a_batch_at_work_that_nothing_asks_for_is_not_waited_for(server: Server, ledger_path: Path) -> None:
    with pytest.raises(Killed):
        run(server.url, ledger_path, range(5), hooked(kill))
    server.service.batches["batch_0"].polls = 10**9
    assert said(run(server.url, ledger_path, [100])) == {100: 100}
    assert len(open_rows(ledger_path, server.url)) == 1
    server.service.batches["batch_0"].polls = 0
    assert said(run(server.url, ledger_path, range(5))) == whole(range(5))
    assert len(server.service.batches) == 2


def test_answers_that_come_before_their_requests_are_looked_at_again(ledger_path: Path) -> None:
    # The old batch ends after the desk has looked its calls up and before it hands them out.
    config = Config(share=0.4, kinds=(Kind.WRONG_SCHEMA, Kind.BROKEN), seed=4, polls=9)
    with running(config) as server:
        with pytest.raises(Killed):
            run(server.url, ledger_path, range(10), hooked(kill), repairs=9, attempts=9)
        server.service.batches["batch_0"].polls = 3
        numbers = [*range(100, 130), *range(10)]
        replies = run(server.url, ledger_path, numbers, repairs=9, attempts=9)
        assert said(replies) == whole(numbers)
        assert_paid(server, ledger_path)
        calls = rows(ledger_path).values()
        assert sum(len(call.tries) for call in calls) == sum(not one.whole for one in server.book.served)
        assert all(call.attempts == len(call.tries) + 1 for call in calls)


def test_a_batch_that_the_endpoint_does_not_know_is_not_paid_for_again_while_it_may_be_at_work(
    server: Server, ledger_path: Path
) -> None:
    with pytest.raises(Killed):
        run(server.url, ledger_path, range(5), hooked(kill))
    hidden = server.service.batches.pop("batch_0")
    with pytest.raises(TeacherError, match="may still be at work: use the key that made it"):
        run(server.url, ledger_path, range(5))
    server.service.batches["batch_x"] = hidden
    with sqlite3.connect(ledger_path) as db:
        db.execute("UPDATE batches SET created = created - 90000")
    db.close()
    assert said(run(server.url, ledger_path, range(5))) == whole(range(5))
    assert row(ledger_path, 0).tries[0]["cause"] == "the endpoint does not know the batch any more"


CHILD = """
import json, sys
from pathlib import Path
from tests.teacher import test_batches as own
given = json.loads(sys.argv[1])
own.run(given["url"], Path(given["path"]), range(given["n"]), **given["params"])
"""


def child(server: Server, path: Path, n: int, **params: Any) -> subprocess.Popen[bytes]:
    given = json.dumps({"url": server.url, "path": str(path), "n": n, "params": params})
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", CHILD, given], cwd=root, stderr=subprocess.DEVNULL)


def test_three_sigkills_lose_and_repeat_nothing(ledger_path: Path) -> None:
    kinds = tuple(kind for kind in IN_BATCH if kind is not Kind.BAD)
    config = Config(seed=1, share=0.2, kinds=kinds, polls=3, expired=(2,), failed=(4,))
    params: dict[str, Any] = {"repairs": 9, "attempts": 9, "batch": {"calls": 20, "at_once": 3}}
    with running(config) as server:
        for more in (("POST files", 1), ("POST batches", 3), ("GET files … content", 4)):
            what, count = more[0], server.book.services[more[0]] + more[1]
            process = child(server, ledger_path, 200, **params)
            while server.book.services[what] < count and process.poll() is None:
                time.sleep(0.001)
            assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert said(run(server.url, ledger_path, range(200), **params)) == whole(range(200))
        assert_paid(server, ledger_path)
        assert not open_rows(ledger_path, server.url)


# ---- money


def test_a_budget_stops_before_the_batch_that_it_does_not_allow(server: Server, ledger_path: Path) -> None:
    run(server.url, ledger_path, range(10))
    spent = bill(server)
    some = run(server.url, ledger_path, range(60), budget=2.55 * spent)
    assert 20 <= len(some) < 30 and bill(server) <= 2.55 * spent
    assert said(run(server.url, ledger_path, range(60))) == whole(range(60))
    assert_paid(server, ledger_path)


# ---- lines of results


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"{", "the line is damaged"),
        (b"[1]", "the line is damaged"),
        (b'{"custom_id": "a", "response": null, "error": null}', "the response is no chat completion"),
        (b'{"custom_id": "a", "response": {"status_code": 200, "body": {}}}', "the response is no chat completion"),
        (b'{"custom_id": "a", "error": {"code": "batch_expired", "message": "late"}}', "batch_expired: late"),
        (b'{"custom_id": "a", "response": {"status_code": 500, "body": "broken"}}', "HTTP 500: broken"),
        (b'{"custom_id": "a", "response": {"status_code": 503, "body": null}}', "HTTP 503: None"),
    ],
)
def test_a_line_without_a_response_says_why(line: bytes, cause: str) -> None:
    name, fault = result_of(line, KEY)
    assert name == ("" if "damaged" in cause else "a")
    assert isinstance(fault, Fault) and fault.transient and fault.cause == cause


def test_a_cut_file_is_fetched_again_and_then_read_as_far_as_it_goes(
    server: Server, ledger_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end = server.service._end

    def cut(batch: Batch, *given: Any) -> None:
        end(batch, *given)
        if batch.number == 0 and batch.output:
            file = server.service.files[batch.output]
            file.content = file.content[: len(file.content) // 2]

    monkeypatch.setattr(server.service, "_end", cut)
    assert said(run(server.url, ledger_path, range(10), attempts=3)) == whole(range(10))
    assert server.book.services["GET files … content"] == 4 and "cut or damaged" in caplog.text
    assert 0 < len(server.service.batches["batch_1"].lines) < 10


def test_results_that_come_in_two_looks_are_each_counted_once(
    ledger_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download, asked = BatchService.download, 0

    async def fail_at_the_second(self: BatchService, *given: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise Fault("connection: gone")
        await download(self, *given)

    with running(Config(share=0.4, kinds=(Kind.WRONG_SCHEMA, Kind.BROKEN), seed=4)) as server:
        with pytest.raises(Killed):
            run(server.url, ledger_path, range(10), hooked(kill), repairs=9, attempts=9)
        monkeypatch.setattr(BatchService, "download", fail_at_the_second)
        numbers = [*range(100, 110), *range(10)]
        assert said(run(server.url, ledger_path, numbers, repairs=9, attempts=9)) == whole(numbers)
        assert_paid(server, ledger_path)


def test_a_file_that_is_gone_leaves_its_calls_to_be_made_again(
    server: Server, ledger_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.service.config = Config(polls=9, seed=5)
    with pytest.raises(Killed):
        run(server.url, ledger_path, range(5), hooked(kill))
    batch = server.service.batches["batch_0"]
    batch.polls = 0
    server.service.look("batch_0")
    del server.service.files[str(batch.output)]
    assert said(run(server.url, ledger_path, range(5))) == whole(range(5))
    assert "has the file file-1 no more" in caplog.text
    assert row(ledger_path, 0).tries[0]["cause"] == "no result in a batch that is completed"
