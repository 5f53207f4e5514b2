"""Questions and keys that no heading announces, and headings that announce none.

A lettered list is no question unless its stem asks and is numbered, or says that options follow, or an answer stands
below. A title such as ``Exercises`` or ``Problems`` may stand over teaching as well: what is below decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from med_small_lm.textbooks.labels import (
    EXPLAINED,
    asks,
    chooses,
    given_answer,
    is_key,
    join_rows,
    letter_of,
    may_offer,
    number_of,
    split_options,
)

if TYPE_CHECKING:
    from med_small_lm.textbooks.paragraphs import Paragraph
    from med_small_lm.textbooks.sections import Placed

_SURE = re.compile(r"question|quiz|mcq|multiple.choice|true|blank|answer", re.IGNORECASE)
_TASK = re.compile(
    r"\W*(?:describe|explain|list|name|define|discuss|compare|contrast|identify|calculate|why|how|what|which|who|when"
    r"|state|outline|summari[sz]e|differentiate|distinguish|match|label|draw|give|true or false)\b",
    re.IGNORECASE,
)
_KEY_TITLE = re.compile(r"\A(?:correct )?(?:answers?|key|answer key)\s*[:.–-]?\s+(?=[(\[]?\d)", re.IGNORECASE)
_LABELLED = re.compile(r"(?:chapter|unit|lesson|module|section|part)\s+(\d{1,3})\b", re.IGNORECASE)
_OPTION_WORDS = 40  # an option that is longer is prose
_STEM_PARAGRAPHS = 6  # a stem of more is none


def mark_quizzes(placed: list[Placed]) -> list[Placed]:
    """The same, with unannounced questions and keys kept apart, and what a doubtful title kept apart given back."""
    _give_back(placed)
    _keys_by_chapter(placed)
    found = _unannounced(placed)
    for start, stop in found:
        for item in placed[start:stop]:
            item.reason = "review questions"
        _answers_below(placed, stop)
    for item in placed:
        if not item.reason and is_key(_key_form(item.paragraph.text)):
            item.reason = "answer key"
    return placed


def stems_as_items(paragraphs: list[Paragraph]) -> None:
    """Makes items, in place, of stems that are set like headings: they ask, and lettered options follow at once."""
    for stem, option in zip(paragraphs, paragraphs[1:], strict=False):
        if stem.kind == "heading" and letter_of(option.text) == "A" and (asks(stem.text) or chooses(stem.text)):
            stem.kind = "item"


def _key_form(text: str) -> str:
    """What may be a bare key: the text, without a title before it, or a table of numbers over letters."""
    return " ".join(join_rows(_KEY_TITLE.sub("", text, count=1).split("\n")))


def _give_back(placed: list[Placed]) -> None:
    """Takes the reason off a stretch under a doubtful title that neither asks nor offers options."""
    start = 0
    while start < len(placed):
        stop = start + 1
        if placed[start].reason == "review questions" and placed[start].paragraph.kind == "heading":
            while stop < len(placed) and _goes_on(placed, stop):
                stop += 1
            below = placed[start + 1 : stop]
            if not _SURE.search(placed[start].paragraph.text) and not _questioning(below):
                for item in placed[start:stop]:
                    item.reason = ""
        start = stop


def _goes_on(placed: list[Placed], index: int) -> bool:
    return placed[index].reason == "review questions" and placed[index].paragraph.kind != "heading"


def _questioning(items: list[Placed]) -> bool:
    """Whether most paragraphs are questions, tasks or options."""
    texts = [item.paragraph.text for item in items if item.paragraph.kind in ("text", "item")]
    bare = [text[len(text) - len(text.lstrip("([0123456789.)] ")) :] for text in texts]
    told = [
        asks(text) or _TASK.match(rest) or split_options([text])[1] or given_answer(text)[1]
        for text, rest in zip(texts, bare, strict=True)
    ]
    options = sum(letter_of(text) != "" for text in texts)
    return 2 * sum(map(bool, told)) >= len(texts) - options > 0


def _keys_by_chapter(placed: list[Placed]) -> None:
    """Keeps a key at the book's end together: the names of earlier chapters inside it begin no chapters again."""
    met: set[str] = set()
    within = False
    for item in placed:
        heading = item.paragraph.kind == "heading"
        label = _LABELLED.match(item.paragraph.text) if heading else None
        if heading and item.reason == "answer key":
            within = True
        elif heading and item.reason != "answer key":
            within = within and label is not None and label.group(1) in met
        if label and not within:
            met.add(label.group(1))
        if within and item.reason in ("", "heading"):
            item.reason = "answer key"


def _unannounced(placed: list[Placed]) -> list[tuple[int, int]]:
    """Where questions with options begin and end that stand between teaching."""
    sure: list[tuple[int, int]] = []
    likely: list[tuple[int, int, int]] = []  # with the question's number
    index = 0
    while index < len(placed):
        start, stop = _question_at(placed, index)
        if stop <= start:
            index += 1
            continue
        texts = [item.paragraph.text for item in placed[start:stop]]
        stem, number = split_options(texts)[0], number_of(texts[0])
        answered = bool(given_answer("\n".join(texts))[1]) or _answered(placed, stop)
        if answered or chooses(stem) or (asks(stem) and number):
            sure.append((start, stop))
        elif number.isdigit() and not stem.rstrip().endswith("."):
            likely.append((start, stop, int(number)))
        index = stop
    return _with_neighbours(placed, sure, likely)


def _with_neighbours(
    placed: list[Placed], sure: list[tuple[int, int]], likely: list[tuple[int, int, int]]
) -> list[tuple[int, int]]:
    """The sure questions, and the likely ones that stand next to one of them with the next number."""
    numbers = {one[0]: number_of(placed[one[0]].paragraph.text) for one in sure}
    ends = {one[1]: numbers[one[0]] for one in sure}
    for start, stop, number in likely:
        if ends.get(start) == str(number - 1):
            sure.append((start, stop))
            ends[stop] = numbers[start] = str(number)
    for start, stop, number in reversed(likely):
        if numbers.get(stop) == str(number + 1) and start not in numbers:
            sure.append((start, stop))
            numbers[start] = str(number)
    return sorted(sure)


def _question_at(placed: list[Placed], index: int) -> tuple[int, int]:
    """Where the question begins and ends whose first option stands in this paragraph; nothing if none does."""
    if not _free(placed[index]):
        return index, index
    text = placed[index].paragraph.text
    inside = may_offer(text) and all(split_options([text]))
    if not inside and letter_of(text) != "A":
        return index, index
    stop = index + 1
    while stop < len(placed) and _free(placed[stop]) and letter_of(placed[stop].paragraph.text) not in ("", "A"):
        stop += 1
    start = index if inside else _stem_at(placed, index)
    texts = [item.paragraph.text for item in placed[start:stop]]
    options = split_options(texts)[1]
    short = all(len(option.split()) < _OPTION_WORDS for option in options)
    return (start, stop) if short and len(options) > 1 and start < stop else (index, index)


def _stem_at(placed: list[Placed], index: int) -> int:
    """The paragraph that the stem above the options begins with: a number, or the last one above."""
    for start in range(index - 1, max(-1, index - 1 - _STEM_PARAGRAPHS), -1):
        text = placed[start].paragraph.text
        if not _free(placed[start]) or letter_of(text):
            break
        if number_of(text):
            return start
    return (
        index - 1 if index and _free(placed[index - 1]) and not letter_of(placed[index - 1].paragraph.text) else index
    )


def _free(item: Placed) -> bool:
    return not item.reason and item.paragraph.kind in ("text", "item", "table")


def _answered(placed: list[Placed], stop: int) -> bool:
    below = placed[stop].paragraph.text if stop < len(placed) and _free(placed[stop]) else ""
    before, answer = given_answer(below)
    return bool(answer) and not before


def _answers_below(placed: list[Placed], stop: int) -> None:
    """Keeps the answer right below a question apart, with an explanation that says that it is one."""
    if _answered(placed, stop):
        placed[stop].reason = "review questions"
        if stop + 1 < len(placed) and _free(placed[stop + 1]) and EXPLAINED.match(placed[stop + 1].paragraph.text):
            placed[stop + 1].reason = "review questions"
