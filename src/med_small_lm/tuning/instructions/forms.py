"""The forms that records of instruction sets have, and their conversations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from med_small_lm.record_files import Row, rows_of
from med_small_lm.schemas.rows import Message
from med_small_lm.tuning.instructions.sources import XML_READERS, InstructionSource
from med_small_lm.tuning.instructions.xml import liveqa, medquad

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
_ROLES = {
    "system": SYSTEM,
    "user": USER, "human": USER, "patient": USER,
    "assistant": ASSISTANT, "gpt": ASSISTANT, "doctor": ASSISTANT,
}  # fmt: skip


class Lacking(ValueError):
    """What a record lacks, so that no conversation can be made of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One conversation of a set and where it stands; or, without messages, why none could be made."""

    place: str
    messages: tuple[Message, ...] = ()
    fault: str = ""


def read_source(source: InstructionSource) -> Iterator[Found]:
    """Yields what a set holds, file by file: each record once, or as often as it has instances.

    A file without a record, and a set without one that is wanted, are told as a fault.
    """
    form, file, wanted = _FORMS[source.reader], source.path, 0
    for file in source.files():
        for row in _rows(source, file):
            if row.fault:
                wanted += 1
                yield Found(source.place(file, row.line), fault=row.fault)
            elif all(row.fields.get(name) == value for name, value in source.where.items()):
                wanted += 1
                for fields in _instances(row.fields):
                    yield _found(source.place(file, row.line), fields, form)
    if not wanted:
        told = ", ".join(f"{name}: {value}" for name, value in source.where.items())
        yield Found(source.place(file, 1), fault=f"no record has {told}" if told else "no record")


def _rows(source: InstructionSource, file: Path) -> Iterator[Row]:
    """Yields the rows of a file; what cannot be opened, or holds none, is a row with a fault."""
    held = source.reader in XML_READERS  # these tell it themselves
    try:
        for row in _OPENED.get(source.reader, rows_of)(file):
            held = True
            yield row
    except OSError as error:
        yield Row(1, fault=f"the file cannot be read: {error.strerror or error}")
    else:
        if not held:
            yield Row(1, fault="the file holds no record")


def _found(place: str, fields: Mapping[str, Any], form: Callable[[Mapping[str, Any]], list[Message]]) -> Found:
    try:
        messages = form(fields)
        _check(messages)
    except Lacking as lacking:
        return Found(place, fault=str(lacking))
    return Found(place, tuple(messages))


def _check(messages: list[Message]) -> None:
    """Return nothing if someone is asked and answers, in text that can be written."""
    roles = [message.role for message in messages]
    if USER not in roles or ASSISTANT not in roles[roles.index(USER) :]:
        raise Lacking("nobody asks, or nobody answers")
    try:
        "".join(message.content for message in messages).encode()
    except UnicodeEncodeError:
        raise Lacking("the text is not UTF-8") from None


def _instances(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields a record of Self-Instruct's seed tasks once for each of its instances, any other as it is."""
    instances = fields.get("instances")
    if isinstance(instances, list) and instances and all(isinstance(one, Mapping) for one in instances):
        yield from ({**fields, **one} for one in instances)
    else:
        yield fields


def _messages(fields: Mapping[str, Any]) -> list[Message]:
    """Returns a chat of ``messages`` (role, content) or of ShareGPT's ``conversations`` (from, value)."""
    turns = fields.get("messages") or fields.get("conversations")
    if not isinstance(turns, list) or not turns:
        raise Lacking("no field messages")
    chat = []
    for turn in turns:
        said = turn if isinstance(turn, Mapping) else {}
        role = _ROLES.get(str(said.get("role", said.get("from", ""))).casefold())
        if role is None:
            raise Lacking("a message has no known role")
        chat.append(Message(role, _text(said, "content" if "content" in said else "value")))
    return chat


def _alpaca(fields: Mapping[str, Any]) -> list[Message]:
    """Returns an instruction, with the input below it where there is one, and the output."""
    instruction, given = _text(fields, "instruction"), fields.get("input")
    has_input = given is not None and not (isinstance(given, str) and not given.strip())
    asked = f"{instruction}\n\n{_text(fields, 'input')}" if has_input else instruction
    return [Message(USER, asked), Message(ASSISTANT, _text(fields, "output"))]


def _pair(fields: Mapping[str, Any]) -> list[Message]:
    """Returns a question and its answer; the columns may be written in capitals."""
    own = {str(name).strip().casefold(): value for name, value in fields.items()}
    return [Message(USER, _text(own, "question")), Message(ASSISTANT, _text(own, "answer"))]


def _note(fields: Mapping[str, Any]) -> list[Message]:
    """Returns a conversation of doctor and patient, and the section of the clinical note that tells it."""
    asked = f"Write the section {_text(fields, 'section_header')} of the clinical note on this conversation."
    return [Message(USER, f"{asked}\n\n{_text(fields, 'dialogue')}"), Message(ASSISTANT, _text(fields, "section_text"))]


_OPENED = {"medquad": medquad, "liveqa": liveqa}
_FORMS = {
    "messages": _messages, "alpaca": _alpaca, "qa": _pair, "mts_dialog": _note, "medquad": _pair, "liveqa": _pair
}  # fmt: skip


def _text(fields: Mapping[str, Any], name: str) -> str:
    """Returns a text field, stripped, its lines ended as ours are.

    Raises:
        Lacking: it is missing, empty, or no text.
    """
    value = fields.get(name)
    if value is None:
        raise Lacking(f"no field {name}")
    if not isinstance(value, str):
        raise Lacking(f"the field {name} is no text")
    if not value.strip():
        raise Lacking(f"the field {name} is empty")
    return "\n".join(value.strip().splitlines())
