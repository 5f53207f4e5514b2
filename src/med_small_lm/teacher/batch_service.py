"""An endpoint's batch service over HTTP: files that go up and come down, batches that are made, found and looked at."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.connection import connect, redacted
from med_small_lm.teacher.endpoints import Fault, Patience, fault_of, status_fault
from med_small_lm.teacher.replies import is_completion, tokens_of
from med_small_lm.teacher.requests import TeacherError

if TYPE_CHECKING:
    from openai.types import Batch

LOG = logging.getLogger(__name__)
PATH: Final = "/v1/chat/completions"
"""What the lines of a batch ask for, as the protocol names it wherever the endpoint lies."""

_NAME = "med_small_lm"  # the key of a batch's metadata that holds our own name for it
_ABSENT = {404, 405, 501}
_MOST_LISTED = 100  # batches on a page of the list, by the protocol

T = TypeVar("T")


class _Damaged(Fault):
    """A file that came whole, as HTTP sees it, and is not."""


class BatchService:
    """The files and batches of one endpoint; a request that fails for a moment is tried again.

    What fails for good is raised as a Fault.
    """

    def __init__(self, params: TeacherParams, key: str | None, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Speak to the endpoint of ``params`` with ``key``; ``sleep`` waits between tries."""
        self.url = params.base_url[0]
        self._params, self._key, self._sleep = params, key, sleep
        self._patience = Patience(params)
        self._client = connect(params, self.url, key)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upload(self, name: str, file: IO[bytes]) -> str:
        """Return the endpoint's name for a file of a batch's lines."""

        async def send() -> str:
            file.seek(0)
            made = await self._client.files.create(file=(f"{name}.jsonl", file), purpose="batch")
            return _named(made.id)

        return await self._ask(send)

    async def create(self, name: str, file_id: str) -> str:
        """Return the endpoint's name for a new batch of the lines in a file; ``name`` is ours, by which it is found."""
        asked = False

        async def make() -> str:
            nonlocal asked
            # A reply that was lost may have been to a batch that was made: a second one would be paid for, too.
            if asked and (made := (await self._listed()).get(name)):
                return made
            asked = True
            batch = await asyncio.wait_for(
                self._client.batches.create(
                    input_file_id=file_id,
                    endpoint=PATH,
                    completion_window=self._params.batch.window,  # type: ignore[arg-type]  # others than OpenAI take more
                    metadata={_NAME: name},
                ),
                self._params.timeout,
            )
            return _named(batch.id)

        return await self._ask(make)

    async def made(self) -> dict[str, str]:
        """Return the endpoint's names of all batches that this program made there, by our names."""
        return await self._ask(self._listed)

    async def look(self, remote: str) -> Batch | None:
        """Return a batch as it is now, or None where the endpoint knows none of that name."""
        import openai

        async def see() -> Batch | None:
            try:
                return await asyncio.wait_for(self._client.batches.retrieve(remote), self._params.timeout)
            except openai.NotFoundError:
                return None

        return await self._ask(see)

    async def download(self, file_id: str, into: IO[bytes], lines: int) -> None:
        """Write a file, which should hold at least so many lines, into an empty one that is then read from its start.

        What stays damaged is written as it is, and nothing of a file that is gone: the log says so.
        """
        import openai

        async def fetch() -> None:
            into.seek(0)
            into.truncate()
            try:
                async with self._client.files.with_streaming_response.content(file_id) as response:
                    async for chunk in response.iter_bytes():
                        into.write(chunk)
            except openai.NotFoundError:
                LOG.warning("%s has the file %s no more: its answers are lost", self.url, file_id)
                return
            if not _is_whole(into, lines):
                raise _Damaged("the file of results is cut or damaged")

        try:
            await self._ask(fetch)
        except _Damaged:
            LOG.warning("%s gives the file %s cut or damaged: what can be read of it is kept", self.url, file_id)
        into.seek(0)

    async def _listed(self) -> dict[str, str]:
        found: dict[str, str] = {}
        async for batch in self._client.batches.list(limit=_MOST_LISTED):
            name = (batch.metadata or {}).get(_NAME)
            if name:
                found[name] = batch.id
        return found

    async def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        """Return what ``request`` returns, trying it again while its faults may pass.

        Raises:
            Fault: The last try's.
            TeacherError: There is no batch service at this endpoint.
        """
        import httpx2
        import openai

        async def once() -> T:
            try:
                return await request()
            except openai.APIStatusError as error:
                if error.status_code in _ABSENT:
                    cause = fault_of(error, self._key, self._params.timeout)
                    raise TeacherError(
                        f"{self.url} has no batch service ({cause}): set teacher.transport: online"
                    ) from None
                raise fault_of(error, self._key, self._params.timeout) from None
            except (openai.APIError, httpx2.HTTPError, ValueError, TimeoutError) as error:
                raise fault_of(error, self._key, self._params.timeout) from None

        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._params.attempts),
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.transient),
            wait=self._patience,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(once)


def result_of(line: bytes, key: str | None) -> tuple[str, dict[str, Any] | Fault]:
    """Return which call a line of results is about, and its raw response or what failed; a damaged line names none."""
    try:
        result = json.loads(line)
        name, error, response = str(result["custom_id"]), result.get("error") or {}, result.get("response") or {}
        status, body = int(response.get("status_code") or 0), response.get("body")
        error = error if isinstance(error, dict) else {"message": error}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", Fault("the line is damaged")
    if status == 200 and is_completion(body):
        return name, body
    if status in (0, 200):
        # An expired or cancelled call has no response; whether another fault of the service passes, the next try shows.
        said = f"{error.get('code')}: {error.get('message')}" if error else "the response is no chat completion"
        usage = tokens_of(body) if isinstance(body, dict) else None
        return name, Fault(redacted(said, key)[:300], usage=usage)
    problem = (body.get("error") if isinstance(body, dict) else body) or error
    problem = problem if isinstance(problem, dict) else {"message": problem}
    return name, status_fault(status, redacted(str(problem.get("message")), key), problem.get("code"))


def _named(name: str | None) -> str:
    """Return the name in a reply.

    Raises:
        ValueError: There is none.
    """
    if not name:
        raise ValueError("a reply without a name")
    return name


def _is_whole(file: IO[bytes], lines: int) -> bool:
    """Return whether a file holds so many lines and the last of them is JSON: a cut hits that one."""
    file.seek(0)
    last, count = b"", 0
    for line in file:
        if line.strip():
            last, count = line, count + 1
    try:
        json.loads(last or b"{}")
    except ValueError:
        return False
    return count >= lines
