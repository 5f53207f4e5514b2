"""The questions of a benchmark file in the plain form: one JSON object a line, with the fields of ``Question``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from med_small_lm.benchmarks.task import UNLABELLED
from med_small_lm.schemas.rows import Criterion, Message, Option, Place, Question, Quote, Verdict

KINDS = ("single", "multi", "yes_no", "open", "progressive")

OPEN = "open"
_NESTED: dict[str, type] = {
    "options": Option, "quotes": Quote, "gates": Verdict, "turns": Message, "rubric": Criterion, "places": Place
}  # fmt: skip

HEAD = 1 << 20
"""Bytes of a file that tell whether it holds JSON Lines."""
SHOWN = 200
"""Characters of a line that its fault shows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that gives no question that can be scored, why, and how it begins. ``line`` counts from 1."""

    line: int
    question_id: str
    reason: str
    text: str = field(default="", compare=False)


def is_json_lines(path: Path) -> bool:
    """Returns whether a file may hold questions: a line of its beginning is a JSON object, or it has one long line."""
    with path.open("rb") as file:
        *lines, last = file.read(HEAD).split(b"\n")
    return any(map(_is_object, [*lines, last])) or (len(last) >= HEAD and last.lstrip().startswith(b"{"))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def read_questions(path: Path) -> tuple[list[Question], list[Problem]]:
    """Returns the sound questions of a file, in its order, and one problem for each line that is left out.

    The first of two questions with one id is kept. Blank lines are passed over.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            question = _question(json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8")))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(number, "", f"malformed: {error}", _beginning(line)))
            continue
        reason = fault(question)
        if not reason and question.question_id in seen:
            reason = f"question_id stands already in line {seen[question.question_id]}"
        if reason:
            problems.append(Problem(number, question.question_id, reason, _beginning(line)))
            continue
        seen[question.question_id] = number
        questions.append(question)
    return questions, problems


def _beginning(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()[:SHOWN]


def fault(question: Question, *, published: bool = False) -> str:
    """Returns why a question cannot be scored, or nothing where it can.

    A ``published`` benchmark's options may have one text, or none: it is asked as it is, and scored by key, so that its
    number of questions stays what everybody else's is.
    """
    checks = {
        "no question_id": not question.question_id,
        "no source": not question.source,
        f"rank {question.rank} is below 0": question.rank < 0,
        f"kind {question.kind!r} is none of {', '.join(KINDS)}": question.kind not in KINDS,
        "no stem": not question.stem.strip(),
    }
    checks |= _open_checks(question) if question.kind == OPEN else _choice_checks(question, published)
    return next((reason for reason, found in checks.items() if found), "")


def _open_checks(question: Question) -> dict[str, bool]:
    """Returns what an open question lacks: it has no options, and its answer is judged by something."""
    judged_by = question.answer_text.strip() or question.must_have or question.rubric
    return {
        "an open question has no options": bool(question.options or question.answer_keys),
        "no answer_text, must_have or rubric to judge by": not judged_by and question.split != UNLABELLED,
    }


def _choice_checks(question: Question, published: bool) -> dict[str, bool]:
    """Returns what is wrong with the options of a question and with its key."""
    keys = [option.key for option in question.options]
    texts = [" ".join(option.text.split()).casefold() for option in question.options]
    unknown = sorted(set(question.answer_keys) - set(keys))
    return {
        "fewer than two options": len(keys) < 2,
        f"options have one key: {', '.join(_twice(keys))}": len(set(keys)) < len(keys),
        f"options have one text: {', '.join(_twice(texts))}": len(set(texts)) < len(texts) and not published,
        "an option has no text": not all(texts) and not published,
        "no answer key": not question.answer_keys,
        f"answer keys that are no option: {', '.join(unknown)}": bool(unknown),
        "more than one answer key, but kind is single": question.kind == "single" and len(question.answer_keys) > 1,
    }


def _question(record: Any) -> Question:
    """The record as a question; ValueError says which field is wrong."""
    if not isinstance(record, dict):
        raise ValueError("the line is no JSON object")
    values = _checked(_with_criteria(record), Question, _required(Question))
    for name, kind in _NESTED.items():
        if name in values:
            values[name] = [_nested(name, item, kind) for item in values[name]]
    return Question(**values)


def _with_criteria(record: dict[str, Any]) -> dict[str, Any]:
    """The record with an explanation that files of version 2 had as ``rubric`` where explanations stand now."""
    told = record.get("rubric")
    if not isinstance(told, str):
        return record
    quotes = [{"option": "", "text": "", "why": told}] if told.strip() else []
    return record | {"rubric": [], "quotes": [*record.get("quotes", []), *quotes]}


def _nested(name: str, item: Any, kind: type) -> Any:
    if not isinstance(item, dict):
        raise ValueError(f"an entry of {name} is no object")
    return kind(**_checked(item, kind, _required(kind)))


def _required(kind: type) -> frozenset[str]:
    """The fields of a record that have no default."""
    own: tuple[Field[Any], ...] = fields(kind)
    return frozenset(one.name for one in own if one.default is MISSING and one.default_factory is MISSING)


_hints = cache(get_type_hints)


def _checked(record: Mapping[str, Any], kind: type, required: frozenset[str]) -> dict[str, Any]:
    """The record's values, with ValueError for a missing or unknown field or one of another type."""
    hints = _hints(kind)
    missing, unknown = sorted(required - record.keys()), sorted(record.keys() - hints.keys())
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(unknown)}"] * bool(unknown)
        raise ValueError("; ".join(parts))
    for name, value in record.items():
        if not _fits(value, hints[name]):
            raise ValueError(f"{name} is {type(value).__name__}, not {getattr(hints[name], '__name__', hints[name])}")
    return dict(record)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value can stand for a field: lists of texts are looked into, lists of records are not."""
    if hint == list[str]:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    if getattr(hint, "__origin__", None) is list:
        return isinstance(value, list)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))


def _twice(values: list[str]) -> list[str]:
    return sorted(value for value, count in Counter(values).items() if count > 1)
