"""The teacher behind an endpoint that speaks the OpenAI protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.ledger import ERROR, Call, Ledger
from med_small_lm.teacher.replies import outcome, reply_of
from med_small_lm.teacher.requests import (
    OK,
    Reply,
    Request,
    TeacherError,
    call_id,
    canonical,
)
from med_small_lm.teacher.transport import Transport, body_of

log = logging.getLogger(__name__)

_REPAIR = (
    "That reply could not be used: {fault}\n"
    "Reply again with one JSON object for this schema and nothing around it:\n{schema}"
)


class OpenAITeacher:
    """A language model behind ``base_url``, asked ``concurrency`` requests at a time.

    A request is a call, and if its reply is no JSON for the schema one repair call. Both stand in the ledger before
    they leave. A fault that further calls would meet as well (key, model, endpoint gone) stops everything with a
    TeacherError; all answers so far are kept.
    """

    def __init__(self, params: TeacherParams, ledger: Ledger, api_key: str | None) -> None:
        """Speak to the endpoint of ``params`` with ``api_key`` (none for servers that ask for none)."""
        self.model = params.model
        self._params = params
        self._ledger = ledger
        self._key = api_key
        self._lost_in_a_row = 0

    def ask_all(
        self, requests: Sequence[Request], *, progress: Callable[[int, int], None] | None = None
    ) -> list[Reply]:
        """Return one reply for each request, in their order.

        Raises:
            TeacherError: The endpoint refuses the key or the model, or ``give_up_after`` calls in a row were lost.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._ask_all(requests, progress))
        # A notebook runs a loop already; its cell waits for a loop of our own in another thread.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, self._ask_all(requests, progress)).result()

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    async def _ask_all(self, requests: Sequence[Request], progress: Callable[[int, int], None] | None) -> list[Reply]:
        replies: list[Reply | None] = [self._known(request) for request in requests]
        waiting = self._unanswered(requests, replies)
        self._lost_in_a_row = 0
        done = sum(reply is not None for reply in replies)
        async with Transport(self._params, self._key) as transport:

            async def work() -> None:
                nonlocal done
                # Workers share one iterator, so that 100,000 requests are not 100,000 tasks.
                for places in waiting:
                    reply = await self._ask(requests[places[0]], transport)
                    for place in places:
                        replies[place] = reply
                    done += len(places)
                    if progress is not None:
                        progress(done, len(replies))

            await _all_or_first_error([work() for _ in range(self._params.concurrency)])
        return [reply for reply in replies if reply is not None]

    def _unanswered(self, requests: Sequence[Request], replies: Sequence[Reply | None]) -> Iterator[list[int]]:
        """Return the places of each request that has to be asked; equal requests are asked once."""
        places: dict[str, list[int]] = {}
        for place, reply in enumerate(replies):
            if reply is None:
                places.setdefault(call_id(self.model, requests[place]), []).append(place)
        return iter(list(places.values()))

    def _known(self, request: Request) -> Reply | None:
        """Return the reply that the ledger holds, or None if a call is needed."""
        first = self._answered(call_id(self.model, request))
        if first is None:
            return None
        reply = reply_of([first], request.schema, from_ledger=True)
        if reply.status != "invalid" or not self._params.repairs:
            return reply
        repair = self._answered(call_id(self.model, self._repair(request, reply), 1))
        return None if repair is None else reply_of([first, repair], request.schema, from_ledger=True)

    def _answered(self, key: str) -> Call | None:
        call = self._ledger.lookup([key]).get(key)
        return call if call is not None and call.answered else None

    async def _ask(self, request: Request, transport: Transport) -> Reply:
        """Return the reply to one request, after a repair if that is needed."""
        first = self._answered(call_id(self.model, request)) or await self._call(request, transport)
        reply = reply_of([first], request.schema, from_ledger=False)
        if reply.status != "invalid" or not self._params.repairs:
            return reply
        repair = await self._call(self._repair(request, reply), transport, parent=first.call_id)
        return reply_of([first, repair], request.schema, from_ledger=False)

    def _repair(self, request: Request, reply: Reply) -> Request:
        """Return the request that shows the model its reply and says what is wrong with it."""
        # The fault's wording is left out of the message: it may change with the parser, and the key with it.
        ask = _REPAIR.format(fault="it is no JSON object for the schema.", schema=canonical(request.schema))
        messages = (*request.messages, Message("assistant", reply.content), Message("user", ask))
        return Request(request.task, request.model_params, messages, request.schema, sample=request.sample)

    async def _call(self, request: Request, transport: Transport, parent: str = "") -> Call:
        """Return one call, made and completed in the ledger."""
        key = call_id(self.model, request, repair=1 if parent else 0)
        body = body_of(self._params, request)
        call = Call(key, request.task, self.model, request.sample, transport.redacted(canonical(body)), parent)
        self._ledger.begin(call)
        result = await transport.send(body)
        call.attempts, call.causes = result.attempts, result.causes
        if result.response is None:
            call.status, call.reason = ERROR, result.causes[-1]
        else:
            call.response = transport.redacted(canonical(result.response))
            call.status, call.reason = outcome(result.response, request.schema)
            call.usage = _token_counts(result.response.get("usage"))
            call.cost = self._params.cost(call.usage.get("prompt_tokens", 0), call.usage.get("completion_tokens", 0))
        self._ledger.finish(call)
        self._stop_if_hopeless(call, result.fatal)
        return call

    def _stop_if_hopeless(self, call: Call, fatal: bool) -> None:
        """Raise if further calls would fail as this one did."""
        self._lost_in_a_row = self._lost_in_a_row + 1 if call.status == ERROR else 0
        if fatal:
            raise TeacherError(f"{self._params.base_url} refuses every call: {call.reason}")
        if self._lost_in_a_row >= self._params.give_up_after:
            raise TeacherError(
                f"{self._lost_in_a_row} calls in a row were lost at {self._params.base_url}, the last by: "
                f"{call.reason}. "
                "All answers so far are kept; run again to go on."
            )
        if call.status != OK:
            log.warning("call %s (%s) ended as %s: %s", call.call_id, call.task, call.status, call.reason)


def _token_counts(usage: object) -> dict[str, int]:
    """Return the server's counts that are numbers; details nested below them stay in the raw response."""
    return {k: v for k, v in usage.items() if isinstance(v, int)} if isinstance(usage, dict) else {}


async def _all_or_first_error(work: Sequence[object]) -> None:
    """Wait for all workers; at the first error, cancel the rest and raise it."""
    tasks = [asyncio.ensure_future(one) for one in work]  # type: ignore[call-overload]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
