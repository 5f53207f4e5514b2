"""The batch transport: calls go to the endpoint by the thousand, as a file, and their answers come back as files.

    desk ─► leave() ─► batch row ─► create ─► its name ─► look … look ─► results ─► done() ─► batch row closed
            calls      with our    at the     in the      at every       of each    in the
            pending    own name    endpoint   row         poll           call       ledger

A process may be killed between any two of these. The next run takes up the batches that are open in the ledger: one
without a name is looked for by ours in the endpoint's list. A call that lies in a batch at work is not sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.batch_service import PATH, BatchService, result_of
from med_small_lm.teacher.calls import PENDING, OpenBatch
from med_small_lm.teacher.connection import redacted, spelt_for
from med_small_lm.teacher.desk import Desk, Job
from med_small_lm.teacher.endpoints import Fault
from med_small_lm.teacher.forms import FORMS, Form, weaker, with_form
from med_small_lm.teacher.requests import TeacherError

if TYPE_CHECKING:
    from openai.types import Batch

LOG = logging.getLogger(__name__)
_MOST_BYTES = 200_000_000  # of one file of lines (OpenAI, Batch API guide: 200 MB)
_HAS_RESULTS = ("completed", "expired", "cancelled")
_FULL = "token_limit_exceeded"  # the endpoint's queue holds all the tokens that it may
_PASSING = {_FULL, "rate_limit_exceeded", "server_error", "internal_error", "timeout", None}
"""Codes of a batch that failed as a whole for something that is not in its lines."""
_SECONDS = {"h": 3600, "d": 86400}


@dataclass(slots=True)
class _AtWork:
    """A batch that lies with the endpoint; ``jobs`` are those of its calls that the desk has handed out."""

    row: OpenBatch
    form: Form
    jobs: dict[str, Job] = field(default_factory=dict)
    status: str = ""  # as it was at the last look
    left: set[str] = field(default_factory=set)  # calls without a result so far
    following: list[Job] = field(default_factory=list)  # calls that its results make necessary
    fatal: Fault | None = None  # what every further call would meet as well

    def __post_init__(self) -> None:
        self.left = set(self.row.calls)


class Batches:
    """Sends what the desk hands out in batches, ``batch.at_once`` of them at a time; used as ``async with``."""

    def __init__(
        self, params: TeacherParams, key: str | None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Speak to the endpoint of ``params`` with ``key``; ``sleep`` waits between looks at a batch."""
        self._params, self._key, self._sleep = params, key, sleep
        self._form: Form = FORMS[0] if params.structured == "auto" else params.structured
        self._most_at_once, self._most_calls = params.batch.at_once, params.batch.calls
        self._failed_in_a_row = self._silent_looks = 0

    async def __aenter__(self) -> Batches:
        """Open the connections; none is made before the first request."""
        self._service = BatchService(self._params, self._key, self._sleep)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._service.close()

    async def run(self, desk: Desk) -> None:
        """Make every call that the desk hands out, once the batches of earlier runs are taken up.

        Raises:
            TeacherError: The endpoint refuses the key or the batch, has no batch service, or does not answer.
        """
        self._desk, self._ledger = desk, desk.ledger
        self._at_work: list[_AtWork] = []
        self._again: deque[Job] = deque()  # to be sent before the desk is asked for more
        self._passed: set[str] = set()  # calls whose result was written down before the desk handed them out
        self._tries: Counter[str] = Counter()
        try:
            await self._take_up()
            await self._work()
        except Fault as fault:
            what = "refuses every call" if fault.fatal else "gives no batch"
            raise TeacherError(
                f"{self._service.url} {what}: {fault.cause}. All answers so far are kept; run again to go on."
            ) from None
        finally:
            if self._at_work:
                calls = sum(len(batch.left) for batch in self._at_work)
                LOG.info(
                    "Batches left at work: %d, with %d calls; the next run collects them", len(self._at_work), calls
                )

    async def _work(self) -> None:
        """Send and collect until the desk has no more and nothing of this run is at work."""
        while True:
            while (has_room := len(self._at_work) < self._most_at_once) and await self._send():
                pass
            if has_room and not any(batch.jobs for batch in self._at_work):
                return
            if not await self._look():
                await self._sleep(self._params.batch.poll)

    # ---- what earlier runs left

    async def _take_up(self) -> None:
        """Find the batches that the ledger has open, and write down the results that are there."""
        rows = self._ledger.open_batches(self._service.url, self._params.model)
        made = await self._service.made() if any(not row.remote for row in rows) else {}
        for row in rows:
            row.remote = row.remote or made.get(row.batch_id, "")
            row.status = row.status if row.remote else "never made"
            self._ledger.put_batch(row)
        self._at_work = [_AtWork(row, self._form) for row in rows if row.remote]
        if rows:
            calls = sum(len(batch.row.calls) for batch in self._at_work)
            LOG.info("Batches that earlier runs left: %d, with %d calls", len(self._at_work), calls)
        await self._look()

    def _to_send(self, job: Job) -> Job | None:
        """Return the call to be sent for a job, None where it lies in a batch or its answer has come already."""
        name = job.call.call_id
        for batch in self._at_work:
            if name in batch.left:
                job.call = self._ledger.lookup([name]).get(name, job.call)
                batch.jobs[name] = job
                return None
        if name in self._passed:
            self._passed.discard(name)
            return self._desk.look_again(job)
        return job

    # ---- sending

    async def _send(self) -> bool:
        """Make a batch of the calls that are waiting; return whether there were any."""
        with TemporaryFile() as file:
            jobs, bodies = self._written(file)
            if not jobs:
                return False
            row = OpenBatch(uuid.uuid4().hex, self._service.url, self._params.model, [job.call.call_id for job in jobs])
            uploaded = await self._service.upload(row.batch_id, file)
        self._desk.leave(jobs, bodies)
        self._ledger.put_batch(row)
        try:
            row.remote = await self._service.create(row.batch_id, uploaded)
        except (Fault, TeacherError) as problem:
            if not (isinstance(problem, Fault) and problem.transient):  # else it may have been made
                self._close(row, "refused")
                for job in jobs:
                    self._desk.failed(job, str(problem), endpoint=row.endpoint)
            raise
        self._ledger.put_batch(row)
        self._at_work.append(_AtWork(row, self._form, {job.call.call_id: job for job in jobs}))
        LOG.info("Batch %s is at work: %d calls", row.remote, len(jobs))
        return True

    def _written(self, file: IO[bytes]) -> tuple[list[Job], list[dict[str, Any]]]:
        """Return the jobs of the next batch and their bodies, having written its lines into ``file``."""
        jobs: list[Job] = []
        bodies: list[dict[str, Any]] = []
        while len(jobs) < self._most_calls and (taken := self._again.popleft() if self._again else self._desk.take()):
            job = self._to_send(taken)
            if job is None:
                continue
            formed = with_form(job.body(), job.asked.task, job.asked.schema, self._form)
            body = spelt_for(self._service.url, formed)
            line = json.dumps({"custom_id": job.call.call_id, "method": "POST", "url": PATH, "body": body}).encode()
            if jobs and file.tell() + len(line) > _MOST_BYTES:
                self._again.appendleft(job)
                break
            file.write(line + b"\n")
            jobs.append(job)
            bodies.append(body)
        return jobs, bodies

    # ---- collecting

    async def _look(self) -> bool:
        """Look at each batch that is at work and read those that have ended; return whether one brought answers."""
        brought = False
        for batch in list(self._at_work):
            try:
                brought |= await self._has_brought(batch)
                self._silent_looks = 0
            except Fault as fault:
                self._silent_looks += 1
                if not fault.transient or self._silent_looks >= self._params.give_up_after:
                    raise
                LOG.warning("No look at batch %s: %s", batch.row.remote, fault.cause)
        return brought

    async def _has_brought(self, batch: _AtWork) -> bool:
        """Look at a batch and do what its status asks for; return whether its results were read."""
        remote = await self._service.look(batch.row.remote)
        if remote is None:
            self._is_gone(batch)
            return False
        if remote.status != batch.status:
            batch.status = remote.status
            LOG.info("Batch %s of %d calls: %s", batch.row.remote, len(batch.row.calls), remote.status)
        if remote.status == "failed":
            self._has_failed(batch, remote)
        elif remote.status in _HAS_RESULTS:
            await self._read(batch, remote)
        return remote.status in _HAS_RESULTS

    async def _read(self, batch: _AtWork, remote: Batch) -> None:
        """Write down all results of a batch that has ended; what is missing is sent again."""
        counted = remote.request_counts.completed if remote.request_counts else 0
        for file_id, lines in ((remote.output_file_id, counted), (remote.error_file_id, 0)):
            if not file_id:
                continue
            with TemporaryFile() as file:
                await self._service.download(file_id, file, lines)
                for line in file:
                    name, result = result_of(line, self._key)
                    if name in batch.left:
                        self._settle(batch, name, result)
        for name in sorted(batch.left):
            self._settle(batch, name, Fault(f"no result in a batch that is {remote.status}"))
        self._failed_in_a_row = 0
        self._end(batch, remote.status)
        if batch.fatal is not None:
            raise batch.fatal

    def _settle(self, batch: _AtWork, name: str, result: dict[str, Any] | Fault) -> None:
        """Write down the result of a call, and which call has to be made next, if any."""
        batch.left.discard(name)
        job = batch.jobs.get(name)
        if job is None:
            self._settle_unasked(batch, name, result)
        elif isinstance(result, Fault):
            self._settle_failed(batch, job, result)
        elif following := self._desk.done(job, result):
            batch.following.append(following)

    def _settle_failed(self, batch: _AtWork, job: Job, fault: Fault) -> None:
        """Write down that a try failed; the call is sent again if that may help, and else lost."""
        self._desk.failed(job, fault.cause, fault.usage, endpoint=batch.row.endpoint)
        if fault.fatal:
            batch.fatal = fault
        elif self._is_weakened(batch, fault) or (fault.transient and self._may_try(job)):
            batch.following.append(job)
        else:
            self._desk.lost(job, fault.cause)

    def _may_try(self, job: Job) -> bool:
        """Return whether a call has tries left, counting the one that failed."""
        self._tries[job.call.call_id] += 1
        return self._tries[job.call.call_id] < self._params.attempts

    def _settle_unasked(self, batch: _AtWork, name: str, result: dict[str, Any] | Fault) -> None:
        """Write down the result of a call that an earlier run sent and this one has not asked for, or not yet."""
        self._passed.add(name)
        call = self._ledger.lookup([name]).get(name)
        if call is None or call.answered:
            return
        if isinstance(result, dict):
            self._desk.settle(call, result)
        elif call.status == PENDING and call.attempts > len(call.tries):
            self._ledger.failed(call, result.cause, endpoint=batch.row.endpoint)

    def _is_weakened(self, batch: _AtWork, fault: Fault) -> bool:
        """Return whether a call failed for the form of its reply alone; another form is then asked for from here on."""
        form = weaker(batch.form, fault.status, fault.cause) if self._params.structured == "auto" else None
        if form is None:
            return False
        if self._form == batch.form:
            self._form = form
            LOG.info("%s takes no %s: replies are asked for as %s from here on", batch.row.endpoint, batch.form, form)
        return True

    # ---- batches that bring nothing

    def _has_failed(self, batch: _AtWork, remote: Batch) -> None:
        """Send the calls of a batch again that failed as a whole, if that can help.

        Raises:
            TeacherError: It cannot: the lines are wrong, or batch after batch failed.
        """
        errors = (remote.errors.data if remote.errors else None) or []
        code = errors[0].code if errors else None
        said = "; ".join(f"{one.code}: {one.message}" for one in errors[:3]) or "without a word"
        cause = f"batch {batch.row.remote} failed: {redacted(said, self._key)[:300]}"
        LOG.warning(cause)
        self._give_back(batch, "failed", cause)
        if code == _FULL and self._at_work:
            self._most_at_once = len(self._at_work)
            return
        if code == _FULL:
            self._most_calls = max(1, len(batch.row.calls) // 2)
        self._failed_in_a_row += 1
        if batch.jobs and (code not in _PASSING or self._failed_in_a_row >= self._params.attempts):
            raise Fault(cause, transient=False)

    def _is_gone(self, batch: _AtWork) -> None:
        """Send the calls of a batch again that the endpoint does not know any more.

        Raises:
            TeacherError: It may still be at work, where another key sees it.
        """
        row, window = batch.row, self._params.batch.window
        if time.time() < row.created + int(window[:-1]) * _SECONDS[window[-1]]:
            raise TeacherError(
                f"{row.endpoint} does not know the batch {row.remote}, which may still be at work: "
                f"use the key that made it, or wait {window} from when it was made, and it is given up"
            )
        LOG.warning("%s does not know the batch %s any more: its calls are made again", row.endpoint, row.remote)
        self._give_back(batch, "gone", "the endpoint does not know the batch any more")

    def _give_back(self, batch: _AtWork, status: str, cause: str) -> None:
        """Close a batch without results; its calls wait to be sent again."""
        for name in batch.row.calls:
            if name in batch.jobs:
                self._desk.failed(batch.jobs[name], cause, endpoint=batch.row.endpoint)
            else:
                self._settle_unasked(batch, name, Fault(cause))
        batch.following = list(batch.jobs.values())
        self._end(batch, status)

    def _end(self, batch: _AtWork, status: str) -> None:
        """Close a batch whose results are in the ledger, and only then let the calls that follow from it go out."""
        self._close(batch.row, status)
        self._at_work.remove(batch)
        self._again.extend(batch.following)

    def _close(self, row: OpenBatch, status: str) -> None:
        row.status = status
        self._ledger.put_batch(row)
