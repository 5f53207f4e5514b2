"""Prompts: messages with slots, an id, a version and the JSON schema of the reply."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.requests import Request

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_KEYS = {"id", "version", "messages", "schema"}


class PromptError(ValueError):
    """A prompt file that says something wrong, or a slot that nothing fills."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that is ready to be rendered: ``schema`` is the reply's JSON schema, or None for plain text."""

    id: str
    version: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None

    @classmethod
    def parse(cls, source: Mapping[str, Any]) -> Prompt:
        """Return the prompt that a mapping (a YAML file's content) describes.

        Raises:
            PromptError: A key is missing or unknown, a message is no role and content, or the schema is none.
        """
        unknown, missing = set(source) - _KEYS, _KEYS - {"schema"} - set(source)
        if unknown or missing:
            raise PromptError(
                f"prompt {source.get('id', '?')}: unknown keys {sorted(unknown)}, missing {sorted(missing)}"
            )
        messages = source["messages"]
        if not messages or not all(isinstance(m, Mapping) and set(m) == {"role", "content"} for m in messages):
            raise PromptError(f"prompt {source['id']}: every message needs a role and a content, and nothing else")
        try:
            Draft202012Validator.check_schema(source.get("schema") or {})
        except SchemaError as problem:
            raise PromptError(f"prompt {source['id']}: schema: {problem.json_path}: {problem.message}") from problem
        turns = tuple(Message(str(m["role"]), str(m["content"]).strip()) for m in messages)
        return cls(str(source["id"]), str(source["version"]), turns, source.get("schema"))

    @property
    def slots(self) -> tuple[str, ...]:
        """Return the names of the slots, in the order in which they first stand."""
        return tuple(dict.fromkeys(name for m in self.messages for name in _SLOT.findall(m.content)))

    def render(self, slots: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages with every slot filled; values are put in once, so braces in a passage are safe.

        Raises:
            PromptError: A slot has no value.
        """
        missing = [name for name in self.slots if name not in slots]
        if missing:
            raise PromptError(
                f"prompt {self.id} (version {self.version}): nothing fills the slots {', '.join(missing)}"
            )
        return tuple(
            Message(m.role, _SLOT.sub(lambda found: slot_text(slots[found.group(1)]), m.content)) for m in self.messages
        )

    def request(self, slots: Mapping[str, Any], model_params: Mapping[str, Any], sample: int = 0) -> Request:
        """Return the request that asks this prompt about ``slots``."""
        return Request(self.id, model_params, self.render(slots), self.schema, slots, sample)


def slot_text(value: Any) -> str:
    """Return how a slot's value stands in a message: text as it is, items of a list on lines of their own."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "\n".join(f"- {slot_text(item)}" for item in value) or "(none)"
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    return str(value)
