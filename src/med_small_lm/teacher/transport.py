"""One call over HTTP: what is sent, which faults are tried again, and how long to wait before."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
)

from med_small_lm.params.teacher import TeacherParams, is_loopback
from med_small_lm.teacher.requests import Request, message_dicts

_FATAL = {401, 402, 403, 404}  # key, bill, permission, model: every other call would meet the same
_TRANSIENT = {408, 409, 425, 429}  # and every 5xx


@dataclass(slots=True)
class Result:
    """What came of one call: the raw response, or None with the causes of all its attempts."""

    response: dict[str, Any] | None
    attempts: int
    causes: list[str] = field(default_factory=list)
    fatal: bool = False


class _Fault(Exception):
    """A failed attempt: ``retry_after`` in seconds, as the server asks, or None."""

    def __init__(self, cause: str, retry_after: float | None = None, fatal: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.retry_after, self.fatal = cause, retry_after, fatal


class _Transient(_Fault):
    """A fault that may be gone at the next attempt."""


def body_of(params: TeacherParams, request: Request) -> dict[str, Any]:
    """Return the JSON body of a chat completion that asks ``request``."""
    body: dict[str, Any] = {"model": params.model, "messages": message_dicts(request.messages), **request.model_params}
    if request.schema is None or params.structured == "text":
        return body
    if params.structured == "json_object":
        body["response_format"] = {"type": "json_object"}
    else:
        named = {"name": request.task, "schema": json.loads(json.dumps(request.schema)), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body


class Transport:
    """An open connection pool to an endpoint, with its limits; used as ``async with``."""

    def __init__(
        self, params: TeacherParams, api_key: str | None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Speak to ``params.base_url`` with ``api_key``; ``sleep`` waits between attempts."""
        self._params, self._key, self._sleep = params, api_key, sleep
        rate = params.requests_per_minute
        self._limiter = AsyncLimiter(max(1.0, rate / 60), max(1.0, rate / 60) * 60 / rate) if rate else None
        self._jitter = random.Random(0)

    async def __aenter__(self) -> Transport:
        """Open the pool; no connection is made before the first call."""
        import openai  # here, because nothing but this teacher needs it and it takes most of a second to import

        host = urlsplit(self._params.base_url).hostname or ""
        pool = openai.DefaultAsyncHttpxClient(
            # A proxy from the environment would see, in the clear, what is meant for this machine only.
            trust_env=not is_loopback(host),
            limits=openai.DEFAULT_CONNECTION_LIMITS,
        )
        self._errors = openai
        self._client = openai.AsyncOpenAI(
            base_url=self._params.base_url,
            # Never None: the package would then take a key from the environment.
            api_key=self._key or "none",
            max_retries=0,
            timeout=self._params.timeout,
            http_client=pool,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        await self._client.close()

    async def send(self, body: dict[str, Any]) -> Result:
        """Return what came of a call, after as many attempts as its faults and the parameters allow."""
        causes: list[str] = []
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._params.attempts),
            retry=retry_if_exception_type(_Transient),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    try:
                        response = await self._attempt(body)
                    except _Fault as fault:
                        causes.append(fault.cause)
                        raise
            return Result(response, len(causes) + 1, causes)
        except _Fault as fault:
            return Result(None, len(causes), causes, fault.fatal)

    async def _attempt(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the raw response of one attempt, or raise a fault that says what to do about it."""
        if self._limiter is not None:
            await self._limiter.acquire()
        errors = self._errors
        try:
            raw = await asyncio.wait_for(
                self._client.chat.completions.with_raw_response.create(**body), self._params.timeout
            )
            response = json.loads(raw.text)
        except errors.APIStatusError as error:
            raise self._of_status(error) from None
        except (errors.APITimeoutError, TimeoutError):
            raise _Transient(f"no reply within {self._params.timeout:g} s") from None
        except errors.APIConnectionError as error:
            raise _Transient(self.redacted(f"connection: {error.__cause__ or error}")) from None
        except ValueError:
            raise _Transient("the response is no JSON") from None
        except errors.APIError as error:
            raise _Transient(self.redacted(f"response: {error}")) from None
        if not isinstance(response, dict) or not response.get("choices"):
            raise _Transient("the response is no chat completion")
        return response

    def _of_status(self, error: Any) -> _Fault:
        """Return the fault that an HTTP status stands for."""
        status, detail = int(error.status_code), self.redacted(str(error.message))[:300]
        cause = f"HTTP {status}: {detail}"
        # A used-up account answers 429 as well, and no waiting helps.
        if status in _FATAL or error.code == "insufficient_quota":
            return _Fault(cause, fatal=True)
        if status in _TRANSIENT or status >= 500:
            return _Transient(cause, _retry_after(error.response.headers.get("retry-after")))
        return _Fault(cause)

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds before the next attempt: what the server asks, or doubling steps with jitter."""
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, _Fault) and fault.retry_after is not None:
            return fault.retry_after
        step = self._params.backoff * 2.0 ** (state.attempt_number - 1)
        return min(step, self._params.backoff_max) * self._jitter.uniform(0.5, 1.0)

    def redacted(self, text: str) -> str:
        """Return ``text`` without the key, which some servers repeat in what they say."""
        return text.replace(self._key, "***") if self._key else text


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header; a date, which no endpoint known to us sends, counts as none."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
