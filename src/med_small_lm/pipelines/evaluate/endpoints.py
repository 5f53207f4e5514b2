"""Endpoints that are evaluated or judge, asked as the teacher is: a pilot, a forecast, the rest, each in the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from med_small_lm.datasets.teacher import EndpointsAccess
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.forecast import Group, Measured, Pace, forecast
from med_small_lm.teacher.openai_teacher import EndpointTeacher
from med_small_lm.teacher.pilot import pilot_of
from med_small_lm.teacher.requests import Reply, Request

if TYPE_CHECKING:
    from med_small_lm.benchmarks.candidates import Source
    from med_small_lm.benchmarks.endpoint import Ask, Deliver

LOG = logging.getLogger(__name__)


def asker_of(access: EndpointsAccess) -> Callable[[Source], Ask]:
    """What asks the endpoint of a model, with its key, through the teacher's ledger."""

    def opened(source: Source) -> Ask:
        endpoint = source.endpoint
        assert endpoint is not None

        def ask(requests: Sequence[Request], deliver: Deliver) -> None:
            with closing(access.of(source.key).open_endpoint(endpoint)) as teacher:
                ask_in_turn(source.name, requests, deliver, teacher, endpoint)

        return ask

    return opened


def ask_in_turn(
    name: str, requests: Sequence[Request], deliver: Deliver, teacher: EndpointTeacher, endpoint: TeacherParams
) -> None:
    """Deliver what the ledger holds; then ask a few calls, say what the rest will take, and ask the rest."""
    waiting = teacher.waiting(requests)
    known = sorted({*range(len(requests))} - {*waiting})
    LOG.info("%s: %d calls, %d of them in the ledger", name, len(requests), len(known))
    first = [waiting[k] for k in pilot_of([name] * len(waiting), endpoint.pilot.share, endpoint.pilot.calls, seed=0)]
    rest = sorted({*waiting} - {*first})
    measured: list[Measured] = []

    def measure(place: int, reply: Reply) -> None:
        measured.append(_measured(requests[place], reply))
        deliver(place, reply)

    for places, told in ((known, deliver), (first, measure), (rest, deliver)):
        if places is rest and rest and measured:
            group = Group(name, measured, len(rest), sum(_letters(requests[place]) for place in rest))
            LOG.info("%s: %s", name, forecast([group], cost=endpoint.cost, pace=Pace.of(endpoint)))
        teacher.ask_each([requests[place] for place in places], _at(places, told))


def _at(places: Sequence[int], told: Deliver) -> Deliver:
    """Deliver the replies to some of the requests at their places among all."""
    return lambda number, reply: told(places[number], reply)


def _measured(request: Request, reply: Reply) -> Measured:
    use = reply.usage
    return Measured(_letters(request), use.tokens_in, use.tokens_out, use.seconds, use.calls)


def _letters(request: Request) -> int:
    return sum(len(message.content) for message in request.messages)
