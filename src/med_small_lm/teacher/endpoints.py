"""One endpoint: a try over HTTP, what its failure means, and whether it may be asked just now."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tenacity import RetryCallState

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.connection import connect, redacted
from med_small_lm.teacher.forms import FORMS, Form, weaker
from med_small_lm.teacher.limits import Breaker, Window, retry_after
from med_small_lm.teacher.replies import is_completion, tokens_of
from med_small_lm.teacher.requests import TeacherError

LOG = logging.getLogger(__name__)
_FATAL = {401, 402, 403, 404}  # key, bill, permission, model: every other call would meet the same
REDIRECTED = "it sends calls on to another address, and none is followed there; is base_url right?"
_TRANSIENT = {408, 409, 425, 429}  # and every 5xx


class Fault(Exception):
    """A try that failed.

    ``transient``: the next one may go better, after ``wait`` seconds if the server says so; ``fatal``: no call will;
    ``crowded``: the endpoint works and wants fewer calls; ``weakened``: it works and wants another form; ``status``: of
    HTTP, where there was one; ``usage``: tokens that it counted all the same.
    """

    def __init__(
        self, cause: str, *, transient: bool = True, fatal: bool = False, wait: float | None = None,
        crowded: bool = False, weakened: bool = False, status: int = 0, usage: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        """Say what failed in one line."""
        super().__init__(cause)
        self.cause, self.transient, self.fatal, self.wait = cause, transient and not fatal, fatal, wait
        self.crowded, self.weakened, self.status, self.usage = crowded, weakened, status, usage or {}


class Endpoint:
    """One address with its connection pool, its limits, and the form of reply that it is known to take."""

    def __init__(self, params: TeacherParams, url: str, key: str | None) -> None:
        """Speak to ``url`` with ``key``; nothing is sent before the first try."""
        self.url, self._key, self._params = url, key, params
        self._client = connect(params, url, key)
        self.form: Form = FORMS[0] if params.structured == "auto" else params.structured
        self.window = Window(params.concurrency)
        self.breaker = Breaker(params.give_up_after, params.rest)
        self.is_left = False

    async def close(self) -> None:
        """Close the pool."""
        await self._client.close()

    @property
    def is_free(self) -> bool:
        """Return whether a call may leave now."""
        return not self.is_left and self.window.is_open and not self.breaker.waits

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the window for one try."""
        self.window.in_flight += 1
        self.breaker.left()
        try:
            yield
        finally:
            self.window.in_flight -= 1
            self.breaker.back()

    async def attempt(self, body: dict[str, Any], form: Form) -> dict[str, Any]:
        """Return the raw response to one try, which asks for its reply in ``form``.

        Raises:
            Fault: The try failed.
            TeacherError: The endpoint refuses every call.
        """
        start = time.monotonic()
        try:
            response = await self._post(body, form)
        except Fault as fault:
            self._learn_from(fault)
            raise
        self.breaker.worked()
        self.window.returned(time.monotonic() - start)
        return response

    def _learn_from(self, fault: Fault) -> None:
        """Slow down, pause or rest after a failed try."""
        if fault.wait is not None and fault.wait <= self._params.deadline:
            self.breaker.pause(fault.wait)
        elif fault.wait is not None:
            self.is_left = True  # nobody waits for so long: the next run may find it ready
        if fault.fatal:
            raise TeacherError(f"{self.url} refuses every call: {fault.cause}")
        if fault.crowded and self.window.size > 1:  # one call at a time cannot get fewer: that is a failure
            self.window.pushed_back()
        elif not fault.weakened:
            before = self.breaker.rests
            self.is_left |= self.breaker.failed()  # for good, whatever a straggler brings
            if self.breaker.rests > before:
                LOG.warning("%s rests for %.0f s: %s", self.url, self.breaker.rests_for, fault.cause)

    async def _post(self, body: dict[str, Any], form: Form) -> dict[str, Any]:
        """Return the parsed response of one HTTP request."""
        import openai

        try:
            # `chat.completions.create` would build, and throw away, a tree of pydantic models for each reply.
            call = self._client.post("/chat/completions", cast_to=str, body=body)
            async with asyncio.timeout(self._params.timeout):
                said = await call
            response = json.loads(said)
        except (openai.APIError, ValueError, TimeoutError, RecursionError) as error:
            raise self._weakened(error, form) or fault_of(error, self._key, self._params.timeout) from None
        if not is_completion(response):
            usage = tokens_of(response) if isinstance(response, dict) else None
            raise Fault("the response is no chat completion", usage=usage)
        return response

    def _weakened(self, error: Exception, form: Form) -> Fault | None:
        """Return the fault that refuses no more than ``form``, having set the next one; None if it is another."""
        status, said = getattr(error, "status_code", 0), str(error)
        next_form = weaker(form, status, said) if self._params.structured == "auto" else None
        if next_form is None:
            return None
        if self.form == form:  # and not weakened by another call meanwhile
            self.form = next_form
            LOG.info("%s takes no %s: replies are asked for as %s from here on", self.url, form, next_form)
        return Fault(fault_of(error, self._key, self._params.timeout).cause, weakened=True, wait=0.0)


def fault_of(error: Exception, key: str | None, timeout: float) -> Fault:
    """Return the fault that an error of the ``openai`` package, or of what it stands on, amounts to."""
    import openai

    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, dict) else {}
        said = redacted(str(body.get("message") or error.message), key)
        return status_fault(int(error.status_code), said, error.code, error.response.headers.get("retry-after"))
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Fault(f"no reply within {timeout:g} s")
    if isinstance(error, ValueError | RecursionError):
        return Fault("the response is no JSON")
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return Fault(redacted(f"response: {error}", key))
    return Fault(redacted(f"connection: {error.__cause__ or error}", key))


def status_fault(status: int, said: str, code: str | None = None, header: str | None = None) -> Fault:
    """Return the fault that an HTTP status stands for; ``header`` is the response's Retry-After."""
    if 300 <= status < 400:  # another host would get the prompts
        return Fault(f"HTTP {status}: {REDIRECTED}", fatal=True, status=status)
    cause = f"HTTP {status}: {' '.join(said.split())[:300]}"  # one line, of a page of HTML too
    # A used-up account answers 429 as well, and no waiting helps.
    if status in _FATAL or code == "insufficient_quota":
        return Fault(cause, fatal=True, status=status)
    if status in _TRANSIENT or status >= 500:
        return Fault(cause, wait=retry_after(header), crowded=status == 429, status=status)
    return Fault(cause, transient=False, status=status)


class Patience:
    """How long to wait before the next try, in seconds: what the server asks, or doubling steps with jitter."""

    def __init__(self, params: TeacherParams) -> None:
        """Begin with ``backoff`` and stop doubling at ``backoff_max``."""
        self._params, self._jitter = params, random.Random(0)

    def __call__(self, state: RetryCallState) -> float:
        """Return the wait after a failed try, as tenacity asks for it."""
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, Fault) and fault.wait is not None:
            return fault.wait
        step = self._params.backoff * 2.0 ** (state.attempt_number - 1)
        return min(step, self._params.backoff_max) * self._jitter.uniform(0.5, 1.0)
