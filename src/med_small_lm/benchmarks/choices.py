"""Options and right answers as the releases write them: listed, lettered, or in the question's own text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from med_small_lm.benchmarks.defects import GOLD_AT_ODDS, defect, plain
from med_small_lm.benchmarks.releases import Unusable
from med_small_lm.schemas.rows import Option, Quote, Verdict

_HEAD = re.compile(r"\s*Answer Choices:\s*(?=\(A\))")
_MARK = re.compile(r"(?<!\S)\(([A-J])\)(?=\s|$)")


def lettered(texts: Any) -> list[Option]:
    """The options of a list of texts, lettered from A.

    Raises:
        Unusable: They are no list of texts, or more than there are letters.
    """
    if not isinstance(texts, list | tuple):
        raise Unusable("no options" if texts is None else "the options are no list")
    if len(texts) > len(ascii_uppercase):
        raise Unusable(f"{len(texts)} options: there are letters for {len(ascii_uppercase)}")
    return [Option(key, _text(text)) for key, text in zip(ascii_uppercase, texts, strict=False)]


def keyed(options: Any) -> list[Option]:
    """Options of an object ``{"A": text}``, a list of objects with key and text, or a list of texts; keys in capitals.

    Raises:
        Unusable: They are none of these.
    """
    if isinstance(options, Mapping):
        return [Option(str(key).strip().upper(), _text(text)) for key, text in options.items() if text is not None]
    if options and isinstance(options, list):
        if all(isinstance(one, Mapping) and {"key", "value"} <= one.keys() for one in options):
            return [Option(str(one["key"]).strip().upper(), _text(one["value"])) for one in options]
        return lettered(options)
    raise Unusable("no options")


def _text(value: Any) -> str:
    if value is not None and not isinstance(value, str | int | float):
        raise Unusable("an option is no text")
    return "" if value is None or value != value else str(value).strip()


def right_key(options: Sequence[Option], key: str, text: str = "") -> str:
    """The key of the right option, which ``key`` names; where it names none, the one option whose text is ``text``.

    Raises:
        Unusable: There is no answer, or it is no option.
    """
    key = key.strip().strip("().").upper()
    if any(option.key == key for option in options):
        return key
    same = _with_text(options, text)
    if len(same) == 1:
        return same[0]
    raise Unusable(f"the answer {key or text.strip()} is no option" if key or text.strip() else "no answer")


def text_of(options: Sequence[Option], key: str) -> str:
    """The text of an option."""
    return next(option.text for option in options if option.key == key)


def at_odds(options: Sequence[Option], key: str, text: str) -> list[Verdict]:
    """The defect of an answer whose letter and ``text`` name different options; none where there is no text."""
    if not text or text.upper() == key or key in (same := _with_text(options, text)):
        return []
    what = f"the text is that of {' and '.join(same)}" if same else f"the text is that of no option: {text[:80]}"
    return [defect(GOLD_AT_ODDS, f"the letter says {key}, {what}")]


def _with_text(options: Sequence[Option], text: str) -> list[str]:
    """The keys of the options that have a text."""
    return [option.key for option in options if text.strip() and plain(option.text) == plain(text)]


def explained(key: str, why: str) -> list[Quote]:
    """What an exam says of its own answer, as a quote without a source; none where it says nothing."""
    return [Quote(key, "", why)] if why else []


def split_choices(text: str) -> tuple[str, list[Option]]:
    """A stem and the options that stand behind it, ``stem Answer Choices: (A) ... (B) ...``; none where there are none.

    A mark counts where it is the next letter, so that "(A)" within option B is its text.
    """
    heads = list(_HEAD.finditer(text))
    if not heads:
        return text.strip(), []
    stem, listed = text[: heads[-1].start()].strip(), text[heads[-1].end() :]
    marks: list[re.Match[str]] = []
    for mark in _MARK.finditer(listed):
        if mark.group(1) == ascii_uppercase[len(marks)]:
            marks.append(mark)
    ends = [mark.start() for mark in marks[1:]] + [len(listed)]
    return stem, [
        Option(mark.group(1), listed[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True)
    ]
