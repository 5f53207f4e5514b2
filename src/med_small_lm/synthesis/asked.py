"""What was asked of the teacher about which passage, and the plain facts of what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.teacher.requests import OK, Reply, Request

FAULTS = ("invalid", "length", "content_filter", "refusal", "error")
"""The states of a reply that is no use."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what it is about; the reply to it is read beside it.

    ``beside`` are further passages of a request about several: it is counted at ``passage``, the first of them.
    """

    request: Request
    passage: Passage
    question: Question | None = None
    beside: tuple[Passage, ...] = ()

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Return all passages that it is about."""
        return (self.passage, *self.beside)

    @property
    def method(self) -> str:
        """Return what kind of call it is: its task, and the style where the prompt has one."""
        style = self.request.slots.get("style")
        return f"{self.request.task}: {style}" if style else self.request.task


def requests_of(asked: Sequence[Asked]) -> list[Request]:
    """Return the requests alone, as a teacher takes them."""
    return [one.request for one in asked]


def record_id(prefix: str, *parts: str) -> str:
    """Return ``prefix``, a hyphen and 12 hex digits that are the same for the same parts."""
    return f"{prefix}-{sha256(chr(31).join(parts).encode()).hexdigest()[:12]}"


def is_drawn(name: str, share: float) -> bool:
    """Return whether what has the id ``name`` is among the ``share`` that is asked about.

    The draw goes by a hash of the id: it is the same again, and a larger share holds the smaller one.
    """
    return int(sha256(name.encode()).hexdigest()[:8], 16) < share * 16**8


def fault_of(reply: Reply) -> str:
    """Return why a reply is no use, empty if it is the object that was asked for."""
    if reply.status != OK:
        return f"{reply.status}: {reply.reason}" if reply.reason else reply.status
    # The client counts it as answered: a prompt without a schema asks for plain text.
    return "" if isinstance(reply.parsed, Mapping) else "the reply is no JSON object"


def is_failed_call(reason: str) -> bool:
    """Return whether the fault of a record at the gate ``reply`` is that its call has no usable reply."""
    return reason.partition(":")[0] in FAULTS


def parsed_of(reply: Reply) -> Mapping[str, Any]:
    """Return the object in a reply; empty where the reply is no use."""
    return {} if fault_of(reply) or reply.parsed is None else reply.parsed


def text_field(source: Mapping[str, Any], name: str) -> str:
    """Return a text field of a reply, stripped; empty where it is missing or no text."""
    value = source.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""
