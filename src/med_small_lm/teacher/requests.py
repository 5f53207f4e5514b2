"""Requests to a teacher and its replies, and the key under which a call is remembered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from med_small_lm.schemas.rows import Message

OK = "ok"
"""The one status of a reply whose content may be used."""


class TeacherError(RuntimeError):
    """Something that stops all calls: a wrong key, an unknown model, an endpoint that does not answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a teacher.

    ``slots`` are the values that the prompt was rendered from. The built-in teacher answers from them, a language
    model from ``messages`` only; they are no part of the key because the messages hold them. ``sample`` numbers the
    candidates of one prompt: two samples are two calls. ``scope`` keeps apart what different endpoints say under one
    model name; the teacher, whose endpoints serve the same model, has none.
    """

    task: str
    model_params: Mapping[str, Any]
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 0
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request took: tokens as the server counted them, their cost in the currency of the prices, and time."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request.

    ``status`` is ok, invalid (no JSON for the schema), length, content_filter, refusal or error; ``reason`` says more.
    ``call_id`` names the row of the ledger that holds the content: after a repair, the repair's. ``usage`` counts all
    calls of the request, now or earlier.
    """

    call_id: str
    status: str
    content: str
    parsed: dict[str, Any] | None
    from_ledger: bool
    model: str
    usage: Usage = Usage()
    reason: str = ""
    attempts: int = 1


def canonical(value: Any) -> str:
    """Return ``value`` as JSON text that is the same for equal values."""
    return _CANONICAL.encode(value)


def call_id(model: str, request: Request, repair: int = 0, messages: str = "") -> str:
    """Return the 16 hex digits that name one call.

    The hash takes the model, the parameters, the rendered messages, the schema, the sample, the repair's number and
    the scope where there is one.
    How a reply is parsed is no part of it, so a better parser costs no new call. ``messages`` is the JSON text of the
    messages, for a caller that has made it already.
    """
    messages = messages or messages_json(request.messages)
    parts = [model, canonical(request.model_params), messages, canonical(request.schema)]
    parts += [str(request.sample), str(repair), *([request.scope] if request.scope else [])]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def messages_json(messages: Sequence[Message]) -> str:
    """Return messages as JSON text in the shape of the OpenAI protocol."""
    return _CANONICAL.encode(message_dicts(messages))


def message_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return messages in the shape of the OpenAI protocol."""
    return [{"role": message.role, "content": message.content} for message in messages]


def _plain(value: Any) -> Any:
    """Return mappings and sequences of other types as dicts and lists, which is what JSON knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"a request holds {type(value).__name__}, which JSON cannot say")


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
