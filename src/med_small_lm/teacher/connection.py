"""A connection to an endpoint: which host, which key, no proxy and no redirect that the user did not name."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.requests import TeacherError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

OPENAI = "api.openai.com"
"""The one host that what OpenAI's variables hold is for: key, organisation, project."""

_HEADERS = frozenset(
    "accept accept-encoding authorization connection content-length content-type host transfer-encoding "
    "user-agent".split()
)
_OPENAI_HEADERS = _HEADERS | {"openai-organization", "openai-project"}
_SHORTEST = 8  # letters of a key; what is shorter is a placeholder ("EMPTY", "ollama") and may stand in any text


def connect(params: TeacherParams, url: str, key: str | None) -> AsyncOpenAI:
    """Return a client of the endpoint at ``url``, one of ``params.base_url``; nothing is sent before its first call.

    It tries nothing again (that is the transport's), follows no redirect (another host would get prompts and key), and
    takes a proxy from the environment only towards hosts that are not the user's own. No header leaves but those that a
    call needs: the package would add what it finds in the environment (``OPENAI_CUSTOM_HEADERS``, an organisation, a
    project) and what the machine is.

    Raises:
        TeacherError: The key cannot be one.
    """
    import httpx2
    import openai  # here, because nothing but endpoints needs it and it takes a moment to import

    if key and not (key.isascii() and key.isprintable() and not set(key) & set(' "\\')):
        # Sent, it would come back in an error of the HTTP library, spelt so that redaction does not see it.
        raise TeacherError("the teacher's api_key holds a blank, a line break or a sign that no key has: copy it anew")
    host = urlsplit(url).hostname or ""
    allowed = _OPENAI_HEADERS if host == OPENAI else _HEADERS
    bearer = f"Bearer {key or 'none'}"

    async def only_what_is_needed(request: Any) -> None:
        for name in set(request.headers) - allowed:
            del request.headers[name]
        request.headers["authorization"] = bearer

    pool = openai.DefaultAsyncHttpxClient(
        trust_env=not (params.on_premises or params.is_own(host)),
        verify=httpx2.create_ssl_context(),  # a hospital's own authority (SSL_CERT_FILE) holds towards own hosts too
        follow_redirects=False,
        limits=openai.DEFAULT_CONNECTION_LIMITS,
        event_hooks={"request": [only_what_is_needed]},
    )
    # The key is never None: the package would then take one from the environment.
    return openai.AsyncOpenAI(
        base_url=url, api_key=key or "none", max_retries=0, timeout=params.timeout, http_client=pool
    )


def spelt_for(url: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` with its parameters named as the endpoint wants them.

    OpenAI's own has renamed ``max_tokens``, and its newer models know no other name; servers elsewhere know the old.
    """
    if urlsplit(url).hostname != OPENAI or "max_tokens" not in body:
        return dict(body)
    return {"max_completion_tokens" if name == "max_tokens" else name: value for name, value in body.items()}


def redacted(text: str, key: str | None) -> str:
    """Return ``text`` without the key, which some servers repeat in what they say."""
    return text.replace(key, "***") if key and len(key) >= _SHORTEST else text


def run_through(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` comes to, in a loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    # A notebook runs a loop already; its cell waits for a loop of our own in another thread.
    here: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(asyncio.run, _telling(work, here))
        try:
            return done.result()
        except KeyboardInterrupt:  # it reaches this thread alone; leaving the block waits for the other
            loop, task = here.result()
            loop.call_soon_threadsafe(task.cancel)
            raise


async def _telling(
    work: Coroutine[Any, Any, T], here: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]]
) -> T:
    """Return what ``work`` comes to, having said in which loop and task it can be cancelled."""
    task = asyncio.current_task()
    assert task is not None
    here.set_result((asyncio.get_running_loop(), task))
    return await work
