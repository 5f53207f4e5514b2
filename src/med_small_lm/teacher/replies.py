"""What a raw response says: its text, the JSON in it, and the state that it ends in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from med_small_lm.teacher.ledger import ANSWERED, Call
from med_small_lm.teacher.requests import OK, Reply, Usage, canonical

_FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


def response_text(response: Mapping[str, Any]) -> str:
    """Return the content of a chat completion's first choice, empty where there is none."""
    choice = _first_choice(response)
    return str((choice.get("message") or {}).get("content") or "")


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
    except ValueError as error:
        return None, f"no JSON: {error}"
    fault = next(_validator(canonical(schema)).iter_errors(value), None)
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
    )
    attempts = sum(call.attempts for call in calls)
    return Reply(last.call_id, status, content, parsed, from_ledger, last.model, usage, reason, attempts)


def usable(call: Call | None) -> bool:
    """Return whether a row of the ledger answers its request, so that no call is needed."""
    return call is not None and call.status in ANSWERED


def _first_choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = response.get("choices") or [{}]
    return choices[0] or {}


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    """Return the compiled schema: prompts are few and replies many."""
    return Draft202012Validator(json.loads(schema))
