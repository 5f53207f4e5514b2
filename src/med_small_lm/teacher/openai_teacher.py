"""The teacher behind endpoints that speak the OpenAI protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.connection import redacted, run_through
from med_small_lm.teacher.desk import Deliver, Desk
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.requests import Reply, Request, TeacherError, call_id

if TYPE_CHECKING:
    from med_small_lm.teacher.batches import Batches
    from med_small_lm.teacher.online import Online

Progress = Callable[[int, float], None]
"""Called with how many requests have their reply, and with what all calls of the ledger cost so far."""


class EndpointTeacher:
    """A language model behind ``base_url``, asked call by call or in batches.

    Every call stands in the ledger before it leaves. What the ledger answers is never asked again; what stops a run (a
    wrong key, an endpoint that is gone, a spent budget, Ctrl-C) keeps all answers, and the next run goes on.
    """

    def __init__(
        self, params: TeacherParams, ledger: Ledger, api_key: str | None, trace: Callable[[Call], None] | None = None
    ) -> None:
        """Speak to the endpoints of ``params`` with ``api_key`` (none for servers that ask for none).

        ``trace`` is called with each call that was made and finished now.
        """
        self.model = params.model
        self._params, self._ledger, self._key, self._trace = params, ledger, api_key, trace

    def ask_all(self, requests: Sequence[Request], *, progress: Progress | None = None) -> list[Reply]:
        """Return one reply for each request, in their order.

        Raises:
            TeacherError: The endpoint refuses the key or the model, nothing answers any more, the budget is spent, or
                another process asks with the same ledger.
        """
        replies: dict[int, Reply] = {}
        self.ask_each(requests, replies.__setitem__, progress=progress)
        return [replies[place] for place in range(len(requests))]

    def ask_each(self, requests: Iterable[Request], deliver: Deliver, *, progress: Progress | None = None) -> None:
        """Call ``deliver`` with the place of each request and its reply, as they come; memory holds the open ones.

        Raises:
            TeacherError: As for ``ask_all``.
        """
        with self._ledger.alone():
            run_through(self._ask(requests, deliver, progress))

    def waiting(self, requests: Sequence[Request]) -> list[int]:
        """Return the places of the requests whose first call the ledger does not answer."""
        keys = [call_id(self.model, request) for request in requests]
        known = self._ledger.answered(keys)
        return [place for place, key in enumerate(keys) if key not in known]

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    async def _ask(self, requests: Iterable[Request], deliver: Deliver, progress: Progress | None) -> None:
        done = 0

        def delivered(place: int, reply: Reply) -> None:
            nonlocal done
            deliver(place, reply)
            done += 1
            if progress is not None:
                progress(done, desk.purse.spent)

        def clean(text: str) -> str:
            return redacted(text, self._key)

        self._refuse_to_pay_twice()
        desk = Desk(requests, self._params, self._ledger, clean, delivered, self._trace)
        if progress is not None:
            progress(0, desk.purse.spent)
        try:
            async with self._transport() as transport:
                await transport.run(desk)
        except TeacherError as problem:
            raise TeacherError(f"{problem} Requests without a reply: {len(desk.waiting()):,}.") from problem
        if desk.is_held_back:
            raise TeacherError(
                f"teacher.budget of {self._params.budget:g} does not allow the next call: {desk.purse.spent:.6g} are "
                f"spent. Requests without a reply: {len(desk.waiting()):,}. Answers are kept: raise it and run again."
            )

    def _refuse_to_pay_twice(self) -> None:
        """Return nothing if no call lies in a batch that another transport would not wait for.

        Raises:
            TeacherError: Some do.
        """
        for url in self._params.base_url if self._params.transport == "online" else ():
            if open_ones := self._ledger.open_batches(url, self.model):
                raise TeacherError(
                    f"{sum(len(one.calls) for one in open_ones):,} calls lie in {len(open_ones)} batches at {url} and "
                    "are paid for: run with teacher.transport: batch until they are collected."
                )

    def _transport(self) -> Batches | Online:
        if self._params.transport == "batch":
            from med_small_lm.teacher.batches import Batches

            return Batches(self._params, self._key)
        from med_small_lm.teacher.online import Online

        return Online(self._params, self._key)
