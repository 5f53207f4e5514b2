"""Teachers: what answers a list of requests, each behind the same call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from med_small_lm.params.teacher import BUILTIN, TeacherParams
from med_small_lm.teacher.builtin import NAME, VERSION, answer
from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.openai_teacher import EndpointTeacher, Progress
from med_small_lm.teacher.replies import reply_of
from med_small_lm.teacher.requests import OK, Reply, Request, call_id, canonical, messages_json

__all__ = ["BuiltinTeacher", "EndpointTeacher", "Progress", "Teacher", "open_teacher"]

_BATCH = 500


class Teacher(Protocol):
    """What answers requests; ``model`` is the name that records carry."""

    model: str

    def ask_all(self, requests: Sequence[Request], *, progress: Progress | None = None) -> list[Reply]:
        """Return one reply for each request, in their order; what the ledger holds is not asked again."""
        ...

    def waiting(self, requests: Sequence[Request]) -> list[int]:
        """Return the places of the requests that have to be paid for: none where the teacher is free."""
        ...

    def close(self) -> None:
        """Close the ledger."""
        ...


def open_teacher(
    params: TeacherParams,
    ledger_path: str | Path,
    api_key: str | None = None,
    trace: Callable[[Call], None] | None = None,
) -> Teacher:
    """Return the teacher that ``params`` names, writing to the ledger at ``ledger_path``.

    ``api_key`` comes from the user's credentials; it is neither written down nor read from anywhere else. ``trace`` is
    called with each call that an endpoint answers, or that is lost.
    """
    ledger = Ledger(ledger_path)
    if params.model == BUILTIN:
        return BuiltinTeacher(ledger)
    return EndpointTeacher(params, ledger, api_key, trace)


class BuiltinTeacher:
    """The teacher of rules: deterministic, free, and answering from a request's slots alone.

    Its calls stand in the ledger like any other's, but are committed by the batch: a call that a crash takes away
    costs nothing to make again, and gives the same.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Answer from rules and write to ``ledger``."""
        self.model = f"{NAME}/{VERSION}"
        self._ledger = ledger

    def ask_all(self, requests: Sequence[Request], *, progress: Progress | None = None) -> list[Reply]:
        """Return one reply for each request, in their order."""
        replies: list[Reply] = []
        for start in range(0, len(requests), _BATCH):
            replies += self._ask_batch(requests[start : start + _BATCH])
            if progress is not None:
                progress(len(replies), 0.0)
        return replies

    def waiting(self, requests: Sequence[Request]) -> list[int]:
        """Return nothing: rules are free."""
        return []

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def _ask_batch(self, requests: Sequence[Request]) -> list[Reply]:
        texts = [messages_json(request.messages) for request in requests]
        ids = [call_id(self.model, request, messages=text) for request, text in zip(requests, texts, strict=True)]
        known = {key: call for key, call in self._ledger.lookup(ids).items() if call.answered}
        new: dict[str, Call] = {}
        for key, request, text in zip(ids, requests, texts, strict=True):
            if key not in known and key not in new:
                new[key] = self._call(key, request, text)
        if new:
            self._ledger.record(list(new.values()))
        return [
            reply_of([new.get(key) or known[key]], request.schema, key in known, checked=True)
            for key, request in zip(ids, requests, strict=True)
        ]

    def _call(self, key: str, request: Request, messages: str) -> Call:
        """Return the finished row of one call, in the shape that an endpoint's would have."""
        content = canonical(answer(request.task, request.slots))
        message = {"role": "assistant", "content": content}
        head = canonical({"model": self.model, **request.model_params})
        return Call(
            call_id=key,
            task=request.task,
            model=self.model,
            sample=request.sample,
            status=OK,
            request=f'{head[:-1]},"messages":{messages}}}',
            response=canonical({"choices": [{"finish_reason": "stop", "message": message}]}),
            attempts=1,
        )
