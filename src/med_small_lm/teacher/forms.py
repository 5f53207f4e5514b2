"""How a reply's form is asked for: by JSON schema, by JSON mode, or in words, as an endpoint can."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from med_small_lm.teacher.requests import canonical

Form = Literal["json_schema", "json_object", "text"]
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
"""From the strictest to the one that every endpoint takes."""

_ASKED = "Reply with one JSON object for this schema and nothing around it:\n"
_REFUSAL = re.compile(r"response_format|json_schema|json_object|structured|grammar|guided|schema", re.IGNORECASE)


def with_form(body: Mapping[str, Any], task: str, schema: Mapping[str, Any] | None, form: Form) -> dict[str, Any]:
    """Return the body of a chat completion that asks for a reply of ``schema`` in the way of ``form``.

    No schema means plain text: the body stays as it is. The weaker forms say the schema in the last message, unless it
    stands there already.
    """
    if schema is None:
        return dict(body)
    if form == "json_schema":
        named = {"name": task, "schema": json.loads(canonical(schema)), "strict": True}
        return {**body, "response_format": {"type": "json_schema", "json_schema": named}}
    *before, last = body["messages"]
    said = canonical(schema)
    if said not in last["content"]:
        last = {**last, "content": f"{last['content']}\n\n{_ASKED}{said}"}
    asked = {**body, "messages": [*before, last]}
    return asked if form == "text" else {**asked, "response_format": {"type": "json_object"}}


def weaker(form: Form, status: int, said: str) -> Form | None:
    """Return the form to try next if an HTTP error says that ``form`` is not taken, None if it says another thing."""
    if form == FORMS[-1] or status not in (400, 404, 422, 501) or not _REFUSAL.search(said):
        return None
    return FORMS[FORMS.index(form) + 1]
