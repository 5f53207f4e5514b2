"""The desk between requests and transports: what the ledger answers is delivered, the rest is handed out once.

requests ─► known in the ledger? ── yes ─► deliver(place, reply)
                   │ no
               take() ─► a transport ─► done() ─► ledger ─► deliver
                                          └─► another job, where the reply has to be put right
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.calls import ERROR, Call
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.money import LETTERS, Purse
from med_small_lm.teacher.replies import outcome, reply_of, response_text, tokens_of
from med_small_lm.teacher.requests import OK, Reply, Request, call_id, canonical, message_dicts

LOG = logging.getLogger(__name__)
Deliver = Callable[[int, Reply], None]
"""Called with the place of a request and the reply to it, as soon as it is there."""

_AHEAD = 500  # requests looked up at once: memory holds no more of them, however many there are
_LONG = 20  # letters of a prompt for a token that no language has: what is longer was not read to its end
_REPAIR = (
    "That reply could not be used: it is no JSON object for the schema.\n"
    "Reply again with one JSON object for this schema and nothing around it:\n{schema}"
)


@dataclass(slots=True)
class Job:
    """One call to be made: what is asked, for the request that ``key`` names.

    ``before`` are the finished calls of the same request, whose last reply was no use; ``earlier`` is what tries of an
    earlier process cost.
    """

    asked: Request
    key: str
    call: Call
    before: list[Call] = field(default_factory=list)
    earlier: float = 0.0

    def body(self) -> dict[str, Any]:
        """Return the body of the chat completion, without a response format."""
        return {
            "model": self.call.model,
            "messages": message_dicts(self.asked.messages),
            **self.asked.model_params,
        }


class Desk:
    """Requests on one side, calls on the other; used by one event loop.

    Equal requests are one call. A request is delivered once, when its reply is ok or ``repairs`` further calls have
    not made it so.
    """

    def __init__(
        self, requests: Iterable[Request], params: TeacherParams, ledger: Ledger, redacted: Callable[[str], str],
        deliver: Deliver, trace: Callable[[Call], None] | None = None,
    ) -> None:  # fmt: skip
        """Hand out what ``ledger`` does not answer.

        ``redacted`` takes the key out of whatever is written; ``trace`` is shown each call that was made and finished.
        """
        self.purse = Purse(params.budget, ledger.spent(), ledger.mean_costs(params.model))
        self._params, self._ledger, self._redacted, self._deliver = params, ledger, redacted, deliver
        self._trace = trace
        self._open: dict[str, list[int]] = {}  # a request's key to the places where it was asked
        self._jobs = self._waiting(enumerate(requests))
        self._kept: deque[Job] = deque()  # handed out when the budget allows them
        self._warned = False

    def take(self) -> Job | None:
        """Return the next call to be made, or None where there is none or the budget allows none at present."""
        job = self._kept.popleft() if self._kept else next(self._jobs, None)
        if job is None or self._is_allowed(job):
            return job
        self._kept.appendleft(job)
        return None

    @property
    def ledger(self) -> Ledger:
        """Return where the calls are written down."""
        return self._ledger

    @property
    def is_held_back(self) -> bool:
        """Return whether calls wait because the budget may not allow them."""
        return bool(self._kept)

    def leave(self, jobs: Sequence[Job], bodies: Sequence[dict[str, Any]]) -> None:
        """Write calls down that are about to leave, or to leave again, with the bodies that are sent."""
        for job, body in zip(jobs, bodies, strict=True):
            job.call.request = self._redacted(canonical(body))
        self._ledger.begin([job.call for job in jobs])

    def failed(self, job: Job, cause: str, usage: Mapping[str, int] | None = None, **known: Any) -> None:
        """Write down that a try failed, and what it cost if the endpoint counted; it leaves again, or is lost."""
        self._ledger.failed(job.call, self._redacted(cause), cost=self._cost(usage or {}), **known)

    def lost(self, job: Job, cause: str) -> None:
        """Complete a call that was given up, and deliver that."""
        job.call.status, job.call.reason = ERROR, self._redacted(cause)
        self._finish(job)
        self._give(job, [*job.before, job.call])

    def done(self, job: Job, response: dict[str, Any]) -> Job | None:
        """Complete a call that was answered; return the call that puts the reply right where it is no use."""
        self._answer(job.call, response, job.asked.schema)
        self._finish(job)
        return self._follow(job)

    def settle(self, call: Call, response: dict[str, Any]) -> None:
        """Complete a call that was not handed out here: it lay in a batch that an earlier run left at work."""
        before = call.cost
        form = json.loads(call.request).get("response_format") or {}
        self._answer(call, response, form.get("json_schema", {}).get("schema"))
        self._ledger.finish(call)
        self.purse.settle(call.call_id, call.task, call.cost - before)

    def look_again(self, job: Job) -> Job | None:
        """Return the call to be made for a job whose call was settled, or failed, just before it was handed out."""
        known = self._ledger.lookup([job.call.call_id]).get(job.call.call_id, job.call)
        if not known.answered:
            job.call.goes_on(known)
            return job
        self.purse.free(known.call_id)
        known.status, known.reason = outcome(json.loads(known.response), job.asked.schema)
        job.call = known
        return self._follow(job)

    def _answer(self, call: Call, response: dict[str, Any], schema: Mapping[str, Any] | None) -> None:
        """Write into a call what the endpoint answered."""
        said = canonical(response)
        call.response = self._redacted(said)
        if call.response != said:
            response = json.loads(call.response)  # the reason, which quotes the reply, holds no key either
        call.status, call.reason = outcome(response, schema)
        call.usage = tokens_of(response)
        tokens = call.usage.get("prompt_tokens", 0)
        call.cost += self._cost(call.usage)
        is_long = tokens and len(call.request) > _LONG * tokens and not self._warned  # the schema may be no token
        if is_long and (letters := letters_of(call)) > _LONG * tokens:
            self._warned = True
            LOG.warning(
                "the endpoint counted %d tokens in a prompt of %d letters (call %s): it may have cut the prompt to "
                "its context length without a word; `kedro teacher probe` tells",
                tokens,
                letters,
                call.call_id,
            )

    def _follow(self, job: Job) -> Job | None:
        """Deliver what a finished call completes, or return the one that puts its reply right; it may have to wait."""
        calls = [*job.before, job.call]
        if job.call.status != OK and len(calls) <= self._params.repairs:
            asked = repair_of(job.asked, calls)
            name = call_id(self._params.model, asked, len(calls))
            again = self._job(job.key, asked, calls, self._ledger.lookup([name]).get(name))
            if self._is_allowed(again):
                return again
            self._kept.append(again)
            return None
        self._give(job, calls)
        return None

    def waiting(self) -> list[int]:
        """Return the places of the requests that have no reply yet, looking up all that were not looked up so far."""
        for _ in self._jobs:  # each joins those that are open
            pass
        return sorted(place for places in self._open.values() for place in places)

    def _finish(self, job: Job) -> None:
        self._ledger.finish(job.call)
        if self._trace is not None:
            self._trace(job.call)
        self.purse.settle(job.call.call_id, job.call.task, job.call.cost - job.earlier)

    def _is_allowed(self, job: Job) -> bool:
        """Return whether the budget allows a call, and count it as in flight if so."""
        most = self._most(job)
        if not self.purse.allows(job.call.task, most):
            return False
        self.purse.bind(job.call.call_id, job.call.task, most)
        return True

    def _cost(self, usage: Mapping[str, int]) -> float:
        """Return what the tokens that a server counted cost."""
        return self._params.cost(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))

    def _most(self, job: Job) -> float:
        """Return the most that a call can cost, as far as can be told before a server has counted."""
        letters = sum(len(message.content) for message in job.asked.messages)
        longest = job.asked.model_params.get("max_tokens", self._params.max_tokens)
        return self._params.cost(letters / LETTERS, longest)

    def _waiting(self, requests: Iterator[tuple[int, Request]]) -> Iterator[Job]:
        """Yield a job for each request that needs a call, delivering the others."""
        while chunk := list(islice(requests, _AHEAD)):
            # Equal requests are brought together before the first job is handed out: it may be answered meanwhile.
            places: dict[str, list[int]] = {}
            asked: dict[str, Request] = {}
            for place, request in chunk:
                key = call_id(self._params.model, request)
                places.setdefault(key, self._open.get(key, [])).append(place)
                asked[key] = request
            known = self._ledger.lookup(key for key in asked if key not in self._open)
            new = [key for key in asked if key not in self._open]
            for key in new:
                found = self._continued(asked[key], key, known.get(key))
                if isinstance(found, Job):
                    self._open[key] = places[key]
                    yield found
                else:
                    for place in places[key]:
                        self._deliver(place, found)

    def _continued(self, request: Request, key: str, call: Call | None) -> Reply | Job:
        """Return the reply that the ledger holds, or the call that is missing behind those that it holds."""
        calls: list[Call] = []
        asked = request
        while call is not None and call.answered:
            calls.append(call)
            reply = reply_of(calls, request.schema, from_ledger=True)
            if reply.status == OK:
                return reply
            asked = repair_of(asked, calls)
            next_key = call_id(self._params.model, asked, len(calls))
            call = self._ledger.lookup([next_key]).get(next_key)
            # More repairs may have been allowed when they were paid for.
            if len(calls) > self._params.repairs and not (call and call.answered):
                return reply
        return self._job(key, asked, calls, call)

    def _job(self, key: str, asked: Request, before: list[Call], old: Call | None = None) -> Job:
        """Return the call that asks ``asked``; ``old`` is its row where an earlier process was cut short."""
        name = call_id(self._params.model, asked, len(before)) if before else key
        parent = before[-1].call_id if before else ""
        call = Call(name, asked.task, self._params.model, asked.sample, "", parent)
        if old is not None:
            call.goes_on(old)
        return Job(asked, key, call, before, call.cost)

    def _give(self, job: Job, calls: list[Call]) -> None:
        """Deliver the reply that a request's calls amount to, at every place where it was asked."""
        reply = reply_of(calls, job.asked.schema, from_ledger=False)
        if reply.status != OK:
            LOG.debug("call %s (%s) ended as %s: %s", reply.call_id, job.asked.task, reply.status, reply.reason)
        for place in self._open.pop(job.key):
            self._deliver(place, reply)


def letters_of(call: Call) -> int:
    """Return how many letters the messages of a call have that was sent."""
    return sum(len(message["content"]) for message in json.loads(call.request)["messages"])


def repair_of(asked: Request, calls: Sequence[Call]) -> Request:
    """Return the request that follows a reply which was no use.

    A reply of the wrong form is shown to the model with the schema; one that was cut or refused is asked for anew, and
    a cut one with twice the room. The fault's wording is no part of it: it may change with the parser, and the key
    with it.
    """
    last = calls[-1]
    if last.status == "length" and "max_tokens" in asked.model_params:
        room = {**asked.model_params, "max_tokens": 2 * asked.model_params["max_tokens"]}
        return replace(asked, model_params=room)
    if last.status not in (OK, "invalid") or asked.schema is None:
        return asked
    ask = Message("user", _REPAIR.format(schema=canonical(asked.schema)))
    shown = Message("assistant", response_text(json.loads(last.response)))
    first = asked.messages[: -2 if len(calls) > 1 and calls[-2].status in (OK, "invalid") else None]
    return replace(asked, messages=(*first, shown, ask))
