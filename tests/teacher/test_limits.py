"""How fast an endpoint is asked: windows, rests, paces, and what a Retry-After header says."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest

from med_small_lm.teacher.limits import Breaker, Pace, Window, retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_window_is_halved_once_a_round_and_grows_by_one_a_round() -> None:
    window = Window(64)
    for _ in range(10):
        window.pushed_back()
    assert window.size == 32
    for _ in range(32):
        window.returned(0.1)
    assert window.size == 33
    window.returned(0.1)
    for _ in range(16):
        window.returned(0.1)
    window.pushed_back()
    assert window.size == 16.5
    for _ in range(10_000):
        window.returned(0.1)
    assert window.size == 64


def test_a_window_never_closes() -> None:
    window = Window(2)
    for _ in range(100):
        window.pushed_back()
        window.returned(1.0)
    assert window.size >= 1 and window.is_open


def test_slow_replies_take_a_part_of_the_window_until_they_are_usual() -> None:
    window = Window(16)
    for _ in range(500):
        window.returned(0.1)
    assert window.size == 16
    for _ in range(64):
        window.returned(0.5)
    least = window.size
    assert least < 16
    for _ in range(2000):
        window.returned(0.5)
    assert window.size == 16


def test_a_breaker_rests_longer_each_time_and_lets_one_call_try() -> None:
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    breaker.worked()
    assert [breaker.failed() for _ in range(3)] == [False] * 3
    assert breaker.waits == 10.0
    for rest in (20.0, 40.0, 80.0, 160.0):
        clock.now += breaker.waits
        assert breaker.waits == 0.0
        breaker.left()
        assert breaker.waits == float("inf"), "a second call leaves while the first one tries"
        assert not breaker.failed()
        breaker.back()
        assert breaker.waits == rest
    clock.now += breaker.waits
    breaker.left()
    assert breaker.failed(), "it is never given up"


def test_an_answer_ends_the_rest() -> None:
    clock = Clock()
    breaker = Breaker(2, 10.0, clock)
    breaker.worked()
    breaker.failed()
    breaker.failed()
    clock.now += 10
    breaker.left()
    breaker.worked()
    breaker.back()
    assert breaker.waits == 0.0 and not breaker.failed() and breaker.waits == 0.0


def test_an_endpoint_that_never_answered_is_given_up_at_once() -> None:
    breaker = Breaker(2, 10.0, Clock())
    assert [breaker.failed(), breaker.failed()] == [False, True]


def test_a_pace_spreads_calls_and_tokens() -> None:
    async def take(pace: Pace, calls: int, tokens: float) -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for _ in range(calls):
            await pace.wait(tokens)
        return loop.time() - start

    assert asyncio.run(take(Pace(None, None), 1000, 1e9)) < 0.5
    assert asyncio.run(take(Pace(6000, None), 130, 0)) == pytest.approx(0.3, abs=0.15)
    assert asyncio.run(take(Pace(None, 60_000), 13, 100)) == pytest.approx(0.3, abs=0.15)


def test_both_forms_of_retry_after_are_read() -> None:
    assert retry_after("1.5") == 1.5
    assert retry_after(formatdate(1030, usegmt=True), now=lambda: 1000.0) == 30.0
    assert retry_after(formatdate(900, usegmt=True), now=lambda: 1000.0) == 0.0
    assert retry_after("soon") is None and retry_after("") is None and retry_after(None) is None
