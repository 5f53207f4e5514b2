"""A model behind an OpenAI-compatible endpoint, asked through the teacher's client and ledger.

What the ledger holds is not asked again. A call that fails is no answer: it is told apart from a wrong one, and the
next run asks it again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.answered import Reply
from med_small_lm.benchmarks.runs import DRAWN, Run
from med_small_lm.benchmarks.voting import FAILED
from med_small_lm.params.candidates import Endpoint
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore, Question
from med_small_lm.teacher import requests as teacher
from med_small_lm.teacher.money import LETTERS
from med_small_lm.teacher.requests import Request

LOG = logging.getLogger(__name__)

Deliver = Callable[[int, teacher.Reply], None]
Ask = Callable[[Sequence[Request], Deliver], None]
"""Delivers the replies to requests with their places, as they come: ``EndpointTeacher.ask_each``."""

_FAULTS = {"refusal": "refused", "content_filter": "refused", "error": FAILED}
_TOO_LONG = re.compile(
    r"HTTP (400|413)\b.*(context.?(length|window|size)|maximum (context|model)|prompt is too long)", re.IGNORECASE
)
"""How endpoints say that a prompt does not fit their context: asked again it would not, either."""


@dataclass(frozen=True, slots=True)
class EndpointModel:
    """An endpoint's model; ``task`` is what its calls are called in the ledger."""

    name: str
    task: str
    endpoint: Endpoint
    params: Evaluate
    ask: Ask

    def write(self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]) -> list[Reply]:
        """Returns a written reply to each question, one that stands there again by a call of its own."""
        requests = self.requests(questions, run, form, shots)
        found: dict[int, teacher.Reply] = {}
        try:
            self.ask(requests, found.__setitem__)
        except teacher.TeacherError as problem:
            missing = len(requests) - len(found)
            LOG.error("%s: %d of %d calls have no reply: %s", self.name, missing, len(requests), problem)
        return [reply_of(found.get(place)) for place in range(len(requests))]

    def requests(self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]) -> list[Request]:
        """Returns the calls; the samples of one question are numbered, so that each is a call of its own."""
        sampling = self.endpoint.sampling()
        if run.beside == DRAWN:
            sampling |= {"temperature": self.params.temperature, "top_p": self.params.top_p}
        seen: dict[tuple[object, ...], int] = {}
        made = []
        for question in questions:
            messages = tuple(form.messages(question, shots))
            sample = seen.get(messages, 0)
            seen[messages] = sample + 1
            number = sample if run.beside == DRAWN else 0
            made.append(Request(self.task, sampling, messages, None, {}, number, self.endpoint.scope))
        return made

    def score(
        self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]
    ) -> list[list[KeyScore]]:
        """Nothing: chat endpoints do not tell the likelihood of a given text."""
        raise NotImplementedError(f"{self.name}: an endpoint tells no likelihood of options")

    def fits(self, question: Question, run: Run, form: Form, shots: Sequence[Question]) -> bool:
        """Returns whether prompt and reply fit ``context``, at three letters a token; always where it is not said."""
        letters = sum(len(message.content) for message in form.messages(question, shots))
        return self.endpoint.context is None or letters / LETTERS + self.endpoint.max_tokens <= self.endpoint.context


def reply_of(reply: teacher.Reply | None) -> Reply:
    """Returns what an endpoint wrote: cut where it ran into its limit, a fault where there is no answer."""
    if reply is None:
        return Reply("", 0, False, FAILED)
    if reply.status == "error" and _TOO_LONG.search(reply.reason):
        return Reply("", 0, True)
    fault = _FAULTS.get(reply.status, "")
    return Reply("" if fault else reply.content, reply.usage.tokens_out, reply.status == "length", fault)
