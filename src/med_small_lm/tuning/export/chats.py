"""Conversations as rows of the chat forms that other tools read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from med_small_lm.schemas.rows import Conversation, Message

Row = dict[str, Any]
SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
_SHAREGPT = {SYSTEM: "system", USER: "human", ASSISTANT: "gpt"}


def in_turns(conversation: Conversation) -> list[Message] | None:
    """Returns the messages if user and assistant take turns, the user first, up to the assistant's last; else None.

    The chat forms want that; what the user says last, unanswered, teaches nothing and is left off. A system message may
    stand first.
    """
    messages = list(conversation.messages)
    while messages and messages[-1].role != ASSISTANT:
        messages.pop()
    turns = messages[1:] if messages and messages[0].role == SYSTEM else messages
    wanted = [USER, ASSISTANT] * (len(turns) // 2)
    return messages if turns and [turn.role for turn in turns] == wanted else None


def openai(messages: Sequence[Message]) -> Iterator[Row]:
    """Yields the one row of a conversation in OpenAI's fine-tuning form, which takes no other field."""
    yield {"messages": [{"role": one.role, "content": one.content} for one in messages]}


def sharegpt(messages: Sequence[Message]) -> Iterator[Row]:
    """Yields the one row of a conversation in ShareGPT's form: human, gpt, and system as the first turn."""
    yield {"conversations": [{"from": _SHAREGPT[one.role], "value": one.content} for one in messages]}


def alpaca(messages: Sequence[Message]) -> Iterator[Row]:
    """Yields a row for each reply in Alpaca's form: what was said before stands in ``input``."""
    system = messages[0].content if messages[0].role == SYSTEM else ""
    turns = list(messages[1:] if system or messages[0].role == SYSTEM else messages)
    for place in range(0, len(turns), 2):
        before = "\n".join(f"{one.role.capitalize()}: {one.content}" for one in turns[:place])
        yield {
            "instruction": turns[place].content,
            "input": before,
            "output": turns[place + 1].content,
            "system": system,
        }


CHATS: dict[str, Callable[[Sequence[Message]], Iterator[Row]]] = {
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "openai": openai,
    "llama-factory": openai,
    "axolotl": openai,
}
"""The rows of each form; the two trainers read OpenAI's."""
