"""The ledger under SIGKILL, damage and other versions."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import TeacherError

from .endpoint import Answer, serving
from .test_client import SCHEMA, ask, echo, request

SOURCE = Path(__file__).parents[2] / "src"


SCRIPT = textwrap.dedent(
    f"""
    import sys
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.schemas.rows import Message
    from med_small_lm.teacher.client import open_teacher
    from med_small_lm.teacher.requests import Request

    path, total, concurrency, url = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    params = TeacherParams(model="test-model", base_url=url, backoff=0.0, concurrency=concurrency)
    messages = [(Message("user", f"number {{n}}"),) for n in range(total)]
    open_teacher(params, path).ask_all([Request("question", {{"temperature": 0.5}}, m, {SCHEMA!r}) for m in messages])
    """
)


def call(number: int, **values: Any) -> Call:
    return Call(f"{number:016x}", "question", "m", 0, "{}", **values)


def test_a_call_is_pending_until_it_is_finished(ledger_path: Path) -> None:
    ledger = Ledger(ledger_path)
    one = call(1)
    ledger.begin([one])
    with sqlite3.connect(ledger_path) as other:
        assert other.execute("SELECT status FROM calls").fetchall() == [("pending",)]
    one.status, one.response, one.usage = "ok", "{}", {"prompt_tokens": 3}
    ledger.finish(one)
    ledger.close()
    ledger = Ledger(ledger_path)
    found = ledger.lookup([one.call_id])[one.call_id]
    ledger.close()
    assert found.answered and found.usage == {"prompt_tokens": 3} and found.finished >= found.created > 0


def test_lookup_takes_more_ids_than_sqlite_has_variables(ledger_path: Path) -> None:
    ledger = Ledger(ledger_path)
    ledger.record([call(n, status="ok") for n in range(3000)])
    assert len(ledger.lookup(f"{n:016x}" for n in range(5000))) == 3000
    ledger.close()


def test_a_file_that_is_no_ledger_is_named(ledger_path: Path) -> None:
    ledger_path.write_bytes(b"this is no database, and longer than a header of SQLite" * 50)
    with pytest.raises(TeacherError, match="damaged or no ledger"):
        Ledger(ledger_path)


def test_another_version_is_refused(ledger_path: Path) -> None:
    with sqlite3.connect(ledger_path) as other:
        other.execute("CREATE TABLE calls (x)")
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(TeacherError, match="version 99"):
        Ledger(ledger_path)


def test_a_killed_process_loses_no_answer_and_repeats_only_what_was_in_flight(ledger_path: Path) -> None:
    """Kill a run three times in the middle; then finish it and count what the endpoint answered twice."""
    total, concurrency, enough = 60, 3, threading.Event()
    answered: list[str] = []

    def decide(body: dict[str, Any], number: int) -> Answer:
        time.sleep(0.01)
        answered.append(body["messages"][0]["content"])
        if len(answered) % 15 == 0:
            enough.set()
        return echo(body, number)

    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    program = [sys.executable, "-c", SCRIPT, str(ledger_path), str(total), str(concurrency)]
    with serving(decide) as endpoint:
        for _ in range(3):
            enough.clear()
            run = subprocess.Popen([*program, endpoint.url], env=environment)
            assert enough.wait(30)
            run.send_signal(signal.SIGKILL)
            run.wait()
        replies = ask(endpoint.url, ledger_path, [request(n) for n in range(total)], concurrency=concurrency)
    assert [reply.parsed for reply in replies] == [{"n": n} for n in range(total)]
    assert len(set(answered)) == total
    assert len(answered) - total <= 3 * concurrency
    assert sum(reply.from_ledger for reply in replies) >= 45 - 3 * concurrency
