"""The book's own multiple-choice questions with their keys: an exam that comes with the book.

A question is what stands from its number to the next; its options are told by their letters, its key by the chapter
(or section) and the number, or by an answer that follows the question at once. Where a key could belong to two sets of
questions none of them gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby

from med_small_lm.schemas.rows import Option, Place, Question
from med_small_lm.textbooks.documents import SourceFile
from med_small_lm.textbooks.forms import Line, shared_cases, with_letters
from med_small_lm.textbooks.keys import NAMED, Asked, Group, assign, chapter
from med_small_lm.textbooks.labels import (
    LETTERS,
    asks,
    given_answer,
    is_key,
    join_rows,
    key_entries,
    letter_of,
    number_of,
    split_options,
    squeeze,
)
from med_small_lm.textbooks.labels import NUMBER as _NUMBER
from med_small_lm.textbooks.sections import Placed

UNKEYED = "review questions without a key"


def exercises(placed: list[Placed], file: SourceFile) -> list[Question]:
    """The questions with options and a key, in the book's order. Those without a key change their reason, in place."""
    sets, keys = _groups(placed)
    assign(sets, keys)
    asked = [one for group in sets for one in group.asked]
    found: dict[str, Question] = {}
    for one in asked:
        if question := _question(one, file):
            found.setdefault(question.question_id, question)
        elif one.options:
            for item in one.items:
                item.reason = UNKEYED
    return list(found.values())


def _groups(placed: list[Placed]) -> tuple[list[Group], list[Group]]:
    """The sets of questions and the blocks of keys, each in the book's order."""
    sets: list[Group] = []
    keys: list[Group] = []
    title = ""
    for (reason, heading, _), run in groupby(enumerate(placed), key=lambda pair: _kind(pair[1])):
        items = list(run)
        if heading:
            title = items[-1][1].paragraph.text
        elif reason == "review questions":
            for one in _asked([item for _, item in items]):
                last = sets[-1] if sets else None
                fresh = not last or chapter(last.section) != chapter(one.section) or not _rises(last.asked, one)
                if fresh:
                    sets.append(Group(one.section, items[0][0], title))
                sets[-1].asked.append(one)
            _keys([pair for pair in items if _is_key_line(pair[1])], "", keys)
        elif reason == "answer key":
            _keys(items, title, keys)
    return sets, keys


def _kind(item: Placed) -> tuple[str, bool, str]:
    apart = item.reason if item.reason in ("review questions", "answer key") else ""
    return apart, item.paragraph.kind == "heading", item.section if apart else ""


def _is_key_line(item: Placed) -> bool:
    return any(
        is_key(line) or (":" in line and is_key(line.partition(":")[2].strip()))
        for line in item.paragraph.text.split("\n")
    )


def _rises(asked: list[Asked], one: Asked) -> bool:
    before = next((other.number for other in reversed(asked) if other.number), "")
    return not before or not one.number or _order(before) < _order(one.number)


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


def _asked(items: list[Placed]) -> Iterator[Asked]:
    """The questions of a stretch without headings, also those without options."""
    told = False  # whether an answer stands above: then an explanation may too
    told_lines, cases = shared_cases(with_letters(list(_lines(items))))
    for chunk in _with_lists(_chunks(told_lines)):
        if told and not number_of(chunk[0][0]):
            first = next((i for i, (line, _) in enumerate(chunk) if letter_of(line)), 1)
            chunk = chunk[max(0, first - 1) :]
        text, answer = given_answer("\n".join(line for line, _ in chunk))
        lines = text.split("\n")
        stem, options = split_options(lines)
        number, told = number_of(stem), bool(answer)
        stem = stem if options else lines[0]
        held = [item for _, item in chunk[: len(lines) if options or answer else 1]]
        if number or options:
            stem = _NUMBER.sub("", stem, count=1) if number else stem
            yield Asked(number, stem, options, held, held[0].section, answer, cases.get((number, id(held[0])), ""))


def _lines(items: list[Placed]) -> Iterator[Line]:
    for item in items:
        if item.paragraph.kind not in ("caption", "note") and not _is_key_line(item):
            yield from ((line, item) for line in item.paragraph.text.split("\n"))


def _chunks(lines: list[Line]) -> list[list[Line]]:
    """The lines from each number to the next."""
    chunks: list[list[Line]] = []
    for line, item in lines:
        for part in _parted(line, chunks[-1][0][0] if chunks else ""):
            ended = chunks and given_answer(chunks[-1][-1][0])[1] and not letter_of(part)
            if not chunks or number_of(part) or ended:
                chunks.append([])
            chunks[-1].append((part, item))
    return chunks


def _parted(line: str, stem: str) -> list[str]:
    """The line, or where the next question's number stands inside an option (``D. lung 6 Which …``) its two parts."""
    label = _NUMBER.match(stem) if letter_of(line) else None
    if not label or not label.group(1) or not label.group(1).isdigit():
        return [line]
    following = label.group().strip().replace(label.group(1), str(int(label.group(1)) + 1), 1)
    found = re.search(rf"\s(?={re.escape(following)}\s+[A-Z])", line)
    return [line[: found.start()], line[found.end() :]] if found else [line]


def _with_lists(chunks: list[list[Line]]) -> Iterator[list[Line]]:
    """The chunks, a numbered list inside a stem (``Which are true? 1. … 2. … A. 1 only``) put back into it."""
    held: list[list[Line]] = []
    for chunk in chunks:
        stem, options = split_options([line for line, _ in chunk])
        held.append(chunk)
        if not options:
            continue
        numbers = [number_of(one[0][0]) for one in held]
        first = next((i for i in reversed(range(1, len(held))) if numbers[i] == "1"), 0)
        listed = numbers[first:] == [str(n) for n in range(1, len(held) - first + 1)]
        if first and listed and len(held) - first > 1 and not asks(stem):
            yield from held[: first - 1]
            yield [line for one in held[first - 1 :] for line in one]
        else:
            yield from held
        held = []
    yield from held


def _keys(items: list[tuple[int, Placed]], title: str, keys: list[Group]) -> None:
    """Adds the blocks of answers: a new one at each restart of the numbers and at each title in the text."""
    open_: Group | None = None
    for line in join_rows(line for _, item in items for line in item.paragraph.text.split("\n")):
        entries = list(key_entries(line))
        if not entries and NAMED.fullmatch(line.strip(" :.")):
            title, open_ = line, None
        for prefix, answer in entries:
            named = prefix if NAMED.match(prefix) else ""
            falls = open_ and open_.answers and _order(open_.answers[-1].number) >= _order(answer.number)
            if open_ is None or named or falls:
                title = named or title
                keys.append(open_ := Group(items[0][1].section, items[0][0], title))
            open_.answers.append(answer)


def _question(one: Asked, file: SourceFile) -> Question | None:
    """The record of a question, or None if it has no key, a blank option or two of one text."""
    keys = one.keys(one.answer)
    texts = one.options or ["True", "False"]
    if not keys or not one.stem or len({text.casefold() for text in texts}) < len(texts) or not all(texts):
        return None
    words = {squeeze(text) for text in texts}
    kind = "multi" if len(keys) > 1 else "yes_no" if words in ({"true", "false"}, {"yes", "no"}) else "single"
    said = [one.context, one.stem] if one.context else [one.stem]
    digest = sha256("\n".join([chapter(one.section), *said, *texts]).encode()).hexdigest()
    pages = [page for item in one.items for _, page in item.paragraph.marks]
    options = [Option(letter, text) for letter, text in zip(LETTERS, texts, strict=False)]
    return Question(
        question_id=f"{file.book}-{digest[:12]}",
        source=file.book,
        split="test",
        kind=kind,
        context=one.context,
        stem=one.stem,
        options=options,
        answer_keys=keys,
        answer_text="; ".join(option.text for option in options if option.key in keys),
        language=file.language,
        method="book",
        licence=file.licence,
        places=[Place(file.book, min(pages), max(pages))],
    )
