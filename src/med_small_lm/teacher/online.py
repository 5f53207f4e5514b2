"""The online transport: call by call, many at once, at one endpoint or several that serve the same model."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
)

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.connection import spelt_for
from med_small_lm.teacher.desk import Desk, Job
from med_small_lm.teacher.endpoints import Endpoint, Fault, Patience
from med_small_lm.teacher.forms import with_form
from med_small_lm.teacher.limits import Pace
from med_small_lm.teacher.money import LETTERS
from med_small_lm.teacher.requests import TeacherError

LOG = logging.getLogger(__name__)
_NEWEST = 0.05  # weight of the newest reply in the mean length of replies


class Online:
    """Sends what the desk hands out, ``concurrency`` calls at a time to each endpoint; used as ``async with``.

    A fault that further calls would meet as well stops everything with a TeacherError, and so does Ctrl-C. Calls in
    flight are waited for first, because they are paid for.
    """

    def __init__(self, params: TeacherParams, key: str | None) -> None:
        """Speak to the endpoints of ``params`` with ``key``."""
        self._params, self._key = params, key
        self._pace = Pace(params.requests_per_minute, params.tokens_per_minute)
        self._patience = Patience(params)
        self._reply_tokens = float(params.max_tokens)
        self._tried, self._late = stop_after_attempt(params.attempts), stop_before_delay(params.deadline)
        self._pacing: set[asyncio.Task[Any]] = set()  # workers that wait for their turn: their calls have not left

    async def __aenter__(self) -> Online:
        """Open the pools; no connection is made before the first call."""
        self._endpoints = [Endpoint(self._params, url, self._key) for url in self._params.base_url]
        self._returned, self._stop = asyncio.Event(), asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pools."""
        for endpoint in self._endpoints:
            await endpoint.close()

    async def run(self, desk: Desk) -> None:
        """Make every call that the desk hands out.

        Raises:
            TeacherError: An endpoint refuses the key or the model, or none answers any more.
        """
        number = self._params.concurrency * len(self._endpoints)
        workers = [asyncio.create_task(self._work(desk)) for _ in range(number)]
        try:
            # Not `gather`: a cancelled one cancels the calls in flight with it.
            await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await self._drain(workers)
        for problem in [worker.exception() for worker in workers]:
            if problem is not None:
                raise problem

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        """Let calls in flight come home, and nothing new leave."""
        self._stop.set()
        for worker in self._pacing:
            worker.cancel()
        if flying := sum(endpoint.window.in_flight for endpoint in self._endpoints) - len(self._pacing):
            LOG.info("Waiting for %d calls in flight, which are paid for; Ctrl-C leaves them", flying)
        self._returned.set()
        await asyncio.wait(workers)

    async def _work(self, desk: Desk) -> None:
        """Make one call after the other."""
        while not self._stop.is_set() and (job := await self._next(desk)) is not None:
            following: Job | None = job
            while following is not None and not self._stop.is_set():
                following = await self._call(following, desk)

    async def _next(self, desk: Desk) -> Job | None:
        """Return the next job; while the budget holds it back, wait for what the calls in flight really cost."""
        job = desk.take()
        while job is None and desk.is_held_back and desk.purse.is_bound and not self._stop.is_set():
            await self._until_something_returns()
            job = desk.take()
        return job

    async def _call(self, job: Job, desk: Desk) -> Job | None:
        """Make one call with all its tries; return the one that has to follow it."""
        retrying = AsyncRetrying(
            stop=self._is_enough,
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.transient),
            wait=self._patience,
            sleep=self._until_stopped,
            reraise=True,
        )
        try:
            response: dict[str, Any] = await retrying(self._try, job, desk)
        except Fault as fault:
            if not (self._stop.is_set() and fault.transient):  # else it stays pending, for the next run
                desk.lost(job, fault.cause)
            return None
        finally:
            self._returned.set()
        following = desk.done(job, response)
        used = job.call.usage
        self._reply_tokens += _NEWEST * (used.get("completion_tokens", 0) - self._reply_tokens)
        return following

    def _is_enough(self, state: RetryCallState) -> bool:
        """Return whether a call that failed is not tried again; what was refused for its form alone is no try."""
        fault = state.outcome.exception() if state.outcome else None
        weakened = isinstance(fault, Fault) and fault.weakened
        return self._stop.is_set() or self._late(state) or (self._tried(state) and not weakened)

    async def _try(self, job: Job, desk: Desk) -> dict[str, Any]:
        """Return the response to one try, at the endpoint that has most room."""
        async with self._place() as endpoint:
            form = endpoint.form
            body = spelt_for(endpoint.url, with_form(job.body(), job.asked.task, job.asked.schema, form))
            letters = sum(len(message.content) for message in job.asked.messages)
            await self._until_its_turn(letters / LETTERS + self._reply_tokens)
            desk.leave([job], [body])
            start = time.monotonic()
            try:
                return await endpoint.attempt(body, form)
            except (Fault, TeacherError) as fault:
                seconds = round(time.monotonic() - start, 3)
                usage = fault.usage if isinstance(fault, Fault) else {}
                desk.failed(job, str(fault), usage, endpoint=endpoint.url, seconds=seconds)
                self._stop_if_all_are_left(str(fault))
                raise

    def _stop_if_all_are_left(self, cause: str) -> None:
        """Return nothing while an endpoint is left that may answer.

        Raises:
            TeacherError: There is none.
        """
        if all(endpoint.is_left for endpoint in self._endpoints):
            self._stop.set()  # at once: who waits for a place wakes before this error is seen
            where = ", ".join(endpoint.url for endpoint in self._endpoints)
            raise TeacherError(f"{where} does not answer: {cause}. All answers so far are kept; run again to go on.")

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Endpoint]:
        """Hold a place at the endpoint that has most room, as soon as one has any."""
        while not (free := [one for one in self._endpoints if one.is_free]) and not self._stop.is_set():
            # Where a window is full, a call that returns makes room; where it is open, a rest has to end.
            rests = [one.breaker.waits for one in self._endpoints if not one.is_left and one.window.is_open]
            await self._until_something_returns(min(rests, default=float("inf")))
        if self._stop.is_set():
            raise Fault("the run stops")
        endpoint = min(free, key=lambda one: one.window.in_flight / one.window.size)
        try:
            with endpoint.place():
                yield endpoint
        finally:
            self._returned.set()  # a try that failed makes room as well

    async def _until_its_turn(self, tokens: float) -> None:
        """Wait until a call of about so many tokens may leave.

        Raises:
            Fault: The run stops, and the call does not leave.
        """
        worker = asyncio.current_task()
        assert worker is not None
        self._pacing.add(worker)
        try:
            await self._pace.wait(tokens)
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        finally:
            self._pacing.discard(worker)
        if self._stop.is_set():
            raise Fault("the run stops")

    async def _until_something_returns(self, longest: float = float("inf")) -> None:
        """Wait until a call comes back, or so many seconds."""
        self._returned.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if longest == float("inf") else longest):
                await self._returned.wait()

    async def _until_stopped(self, longest: float) -> None:
        """Wait so many seconds, or until the run stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._stop.wait()
