r"""The plain words of a reply: JSON, LaTeX, tags and Markdown said as sentences.

What marks an answer up becomes the sentence that states it, so that one set of rules reads all of them::

    \boxed{\text{C}}                    The answer is C.
    {"answer": ["A", "D"], "why": …}    Answer: A, D
    {"A": true, "B": false}             A: true  B: false
    <answer>C</answer>                  Answer: C
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_BOXED = re.compile(r"\\f?box(?:ed)?\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_COMMAND = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathsf|bf|rm)\s*\{([^{}]*)\}")
_TAGGED = re.compile(r"<(?:final_)?answer>(.*?)(?:</(?:final_)?answer>|\Z)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"```\w*\s*\n?")
_SIGNS = re.compile(r"\\[()\[\]]|[*`#$]+|(?<!\w)_+|_+(?!\w)")
"""Signs of Markdown, and of a formula's bounds in LaTeX."""
_OBJECT = re.compile(r"\{")
_NAMES_ANSWER = re.compile(
    r"(?:final|correct|best|chosen|predicted)?_?(?:answers?|options?|choices?|letters?|réponses?|propositions?)"
    r"(?:_?(?:idx|key|keys|choice|letters?|id|options?|text))?",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Returns a text in composed characters and straight quotes, without mark-up."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("−", "-")
    text = _of_json(text)
    text = _BOXED.sub(lambda found: f"\nThe answer is {_bare(found[1])}.\n", text)
    text = _TAGGED.sub(lambda found: f"\nAnswer: {found[1].strip()}\n", text)
    return _SIGNS.sub("", _FENCE.sub("\n", text)).strip()


def _bare(text: str) -> str:
    """What a box holds, without the commands around it."""
    while (inner := _COMMAND.sub(r"\1", text)) != text:
        text = inner
    return text.strip().rstrip(".")


def _of_json(text: str) -> str:
    """The text with each JSON object that holds an answer replaced by the sentences that say the same."""
    said, place = [], 0
    for opened in _OBJECT.finditer(text):
        if opened.start() < place:
            continue
        value, end = _object(text, opened.start())
        if lines := list(_lines(value)):
            said += [text[place : opened.start()], "\n", *(f"{line}\n" for line in lines)]
            place = end
    return "".join(said) + text[place:]


def _object(text: str, start: int) -> tuple[Any, int]:
    """The object that begins at ``start`` and where it ends; one with single quotes, or without its last brace, too."""
    for written in (text, text.replace("'", '"'), text.rstrip() + "}"):
        try:
            return json.JSONDecoder().raw_decode(written, start)
        except (ValueError, RecursionError):
            continue
    return None, start


def _lines(value: Any) -> Iterator[str]:
    """The sentences of an object: one for each field that tells an answer, or an option's truth.

    A list of options beside an answer is the question's.
    """
    if not isinstance(value, Mapping):
        return
    answered = any(re.search("answer|réponse", name, re.IGNORECASE) for name in value)
    for name, told in value.items():
        if answered and isinstance(told, list) and not re.search("answer|réponse|correct", name, re.IGNORECASE):
            continue
        if isinstance(told, bool) and not _NAMES_ANSWER.fullmatch(name):
            yield f"{name}: {str(told).lower()}"
        elif isinstance(told, Mapping):
            yield from _lines(told)
        elif _NAMES_ANSWER.fullmatch(name):
            parts = told if isinstance(told, list) else [told]
            yield f"Answer: {', '.join(_shown(part) for part in parts)}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
