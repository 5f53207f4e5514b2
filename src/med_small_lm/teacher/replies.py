"""What a raw response says: its text, the JSON in it, and the state that it ends in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

from jsonschema import Draft202012Validator

from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.requests import OK, Reply, Usage, canonical

_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


def response_text(response: Mapping[str, Any]) -> str:
    """Return the content of a chat completion's first choice, empty where there is none."""
    choice = _first_choice(response)
    said = str((choice.get("message") or {}).get("content") or "")
    return said.encode("utf-8", "replace").decode()  # half a surrogate pair can be neither hashed nor written


def is_completion(response: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a response has the form of a chat completion, so that whatever it says can be read."""
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message") or {}, dict)


def tokens_of(response: Mapping[str, Any]) -> dict[str, int]:
    """Return the server's counts that are numbers; details nested below them stay in the raw response."""
    usage = response.get("usage")
    return {k: v for k, v in usage.items() if isinstance(v, int)} if isinstance(usage, dict) else {}


def outcome(response: Mapping[str, Any], schema: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the status of a chat completion and its reason, from the finish reason and the reply's form."""
    choice = _first_choice(response)
    message, finish = choice.get("message") or {}, choice.get("finish_reason")
    if message.get("refusal"):
        return "refusal", str(message["refusal"])[:200]
    if finish == "length":
        return "length", "the reply is longer than max_tokens, or the context is full"
    if finish == "content_filter":
        return "content_filter", "the endpoint's content filter withheld the reply"
    _, fault = parse_content(response_text(response), schema)
    return ("invalid", fault) if fault else (OK, "")


def parse_content(text: str, schema: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str]:
    """Return the object in a reply and what is wrong with it (empty if nothing); no schema means plain text."""
    if schema is None:
        return (None, "") if text.strip() else (None, "the reply is empty")
    body = _THOUGHT.sub("", text)
    fenced = _FENCE.match(body)
    try:
        value = json.loads(fenced.group(1) if fenced else body)
        if "\\ud" in body.lower():
            canonical(value).encode()  # half a surrogate pair is no text
        fault = next(_validator(canonical(schema)).iter_errors(value), None)
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {error}"
    if fault is not None:
        return None, f"not as the schema says: {fault.json_path} {fault.message[:160]}"
    return (value, "") if isinstance(value, dict) else (None, "the reply is no JSON object")


def reply_of(
    calls: Sequence[Call], schema: Mapping[str, Any] | None, from_ledger: bool, checked: bool = False
) -> Reply:
    """Return the reply that a request's finished calls (the first one, then its repair) amount to.

    ``checked`` says that the content is known to fit the schema, which saves the check. A reply that was invalid for
    an older parser and is valid now becomes ok here: parsing is no part of the key.
    """
    last = calls[-1]
    content = response_text(json.loads(last.response)) if last.response else ""
    parsed, status, reason = None, last.status, last.reason
    if checked and schema is not None:
        parsed = json.loads(content)
    elif status in (OK, "invalid"):
        parsed, reason = parse_content(content, schema)
        status = "invalid" if reason else OK
    usage = Usage(
        sum(call.usage.get("prompt_tokens", 0) for call in calls),
        sum(call.usage.get("completion_tokens", 0) for call in calls),
        sum(call.cost for call in calls),
        len(calls),
        sum(call.finished - call.created for call in calls),
    )
    attempts = sum(call.attempts for call in calls)
    return Reply(last.call_id, status, content, parsed, from_ledger, last.model, usage, reason, attempts)


def _first_choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = response.get("choices") or [{}]
    return choices[0] or {}


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    """Return the compiled schema: prompts are few and replies many."""
    return Draft202012Validator(json.loads(schema))
