"""Forms of review questions that need more than their own lines: options counted like questions, and shared cases."""

from __future__ import annotations

import re
from collections.abc import Sequence

from med_small_lm.textbooks.labels import LETTERS, NUMBER, asks, letter_of, number_of
from med_small_lm.textbooks.sections import Placed

Line = tuple[str, Placed]
"""A line of text, and the paragraph that it comes from."""

_OPTION_WORDS = 40  # an option that is longer is prose
# "Questions 3–5 refer to the following case. A man of 54 …", "Use this scenario for items 2 and 3: …"
_SHARED = re.compile(
    r"[^.:?]{0,60}?\b(?:questions?|items?)\s+#?(?P<first>\d{1,3})\s*(?:-|–|—|to|through|and|&)\s*#?(?P<last>\d{1,3})\b"
    r"(?P<rest>[^.:]{0,100})(?:[.:]\s*|$)",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:refer|relate|pertain|concern|apply|based|use|case|scenario|vignette|following)", re.IGNORECASE
)
_SHARED_MAX = 10  # questions about one case


def with_letters(lines: list[Line]) -> list[Line]:
    """The lines, with letters before the options that are counted like questions: ``7. Which? 1. … 2. …``.

    Numbers are options where they begin at 1 right below a numbered stem that asks, and ask nothing themselves. A
    numbered list inside a stem, which lettered options follow, stays.
    """
    numbers = [number_of(text) for text, _ in lines]
    done = list(lines)
    question, at = "", 0
    while at < len(lines):
        if numbers[at] == "1" and question and asks(lines[at - 1][0]):
            stop = _options_end(numbers, at, question)
            texts = [NUMBER.sub("", text, count=1) for text, _ in lines[at:stop]]
            below = letter_of(lines[stop][0]) if stop < len(lines) else ""
            if 1 < len(texts) <= len(LETTERS) and not below and all(map(_may_be_option, texts)):
                for offset, text in enumerate(texts):
                    done[at + offset] = (f"{LETTERS[offset]}. {text}", lines[at + offset][1])
                question, at = "", stop
                continue
        question = numbers[at] if numbers[at].isdigit() else question
        at += 1
    return done


def _may_be_option(text: str) -> bool:
    return not asks(text) and len(text.split()) < _OPTION_WORDS


def _options_end(numbers: Sequence[str], first: int, question: str) -> int:
    """Where the run 1, 2, 3, … ends. The next question's number ends it too: options from 1 on follow that one."""
    stop = first
    while stop < len(numbers) and numbers[stop] == str(stop - first + 1):
        following = next((number for number in numbers[stop + 1 :] if number), "")
        if numbers[stop] == str(int(question) + 1) and following == "1":
            break
        stop += 1
    return stop


def shared_cases(lines: list[Line]) -> tuple[list[Line], dict[tuple[str, int], str]]:
    """The lines without the cases that several questions share, and each such question's case.

    It is known by the question's number and the ``id`` of the paragraph that it begins in.
    """
    rest: list[Line] = []
    cases: dict[tuple[str, int], str] = {}
    numbers: list[str] = []  # of the questions that the last case is for
    told: list[str] = []
    telling = False  # whether what comes may still be of the case
    for text, item in lines:
        number = number_of(text)
        if asked := _shared(text):
            (numbers, told), telling = asked, True
            continue
        telling = telling and not number and not letter_of(text)
        if telling:
            told.append(text)
            continue
        if number in numbers:
            cases[number, id(item)] = " ".join(filter(None, told))
        elif number:
            numbers = []
        rest.append((text, item))
    return rest, cases


def _shared(text: str) -> tuple[list[str], list[str]] | None:
    """The numbers of the questions that a line says a case is for, and what it tells of the case."""
    found = _SHARED.match(text)
    if not found or number_of(text) or not _REFERS.search(found.group()):
        return None
    first, last = int(found["first"]), int(found["last"])
    if not first < last <= first + _SHARED_MAX:
        return None
    return [str(number) for number in range(first, last + 1)], [text[found.end() :]]
