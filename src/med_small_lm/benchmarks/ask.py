"""Models asked one question: their answers side by side, and the pages of the books nearest to them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form
from med_small_lm.benchmarks.pages import nearest_pages
from med_small_lm.benchmarks.trace import nearest_sentence, pages_of
from med_small_lm.schemas.rows import Passage, Question

WIDE = 100
"""Columns of a terminal that has room for answers beside each other."""
GAP = 3
ADVICE = (
    "No medical advice: what research models write may be false. Pages are near in words (BM25), which proves nothing."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote; ``cut`` where it had not come to an end."""

    model: str
    text: str
    cut: bool


def ask(checkpoint: Path, name: str, question: Question, form: Form, most: int) -> Answer:
    """Returns a model's likeliest reply of at most ``most`` tokens, as the exams ask for it.

    Raises:
        CheckpointError: the folder holds no model that can be asked.
    """
    from med_small_lm.benchmarks.generation import replies
    from med_small_lm.benchmarks.models import load

    [reply] = replies(*load(checkpoint), [question], form, max_new_tokens=most, batch_tokens=1)
    return Answer(name, "".join(one for one in " ".join(reply.text.split()) if one.isprintable()), reply.cut)


def free_question(text: str) -> Question:
    """Returns a question that is no item of an exam: it has no options and no key."""
    return Question("", "", "", "open", text, [], [], "")


def answers_text(
    question: Question,
    form: Form,
    answers: Sequence[Answer],
    passages: Sequence[Passage],
    titles: Mapping[str, str],
    pages: int,
    width: int,
) -> str:
    """Returns the question, the answers beside each other or, in a narrow terminal, one below the other, and the pages.

    Args:
        question: of an exam, or free; an exam's key stands at the end.
        form: how it was asked.
        answers: of each model.
        passages: all that the books have.
        titles: of the books, by name.
        pages: most pages for the question and one answer.
        width: of the terminal, in columns.
    """
    stem = " ".join(part for part in (question.context, question.stem) if part)
    options = [line for one in question.options for line in _wrapped(f"({one.key}) {one.text}", width)]
    parts = [["QUESTION", *_wrapped(stem, width), *options]]
    columns = [[one.model.upper(), *_wrapped(_said(one), _share(width, len(answers)))] for one in answers]
    parts += [_beside(columns, width)] if width >= WIDE else columns
    parts.append(["PAGES", *(_pages(stem, answers, passages, titles, pages, width) or ["  none shares a word"])])
    if question.answer_keys:
        parts.append(_key(question, form, answers, width))
    parts.append(textwrap.wrap(ADVICE, width))
    return "\n\n".join("\n".join(part) for part in parts)


def _said(answer: Answer) -> str:
    if answer.cut:
        return f"{answer.text} … (cut)" if answer.text else "(the question does not fit into its context)"
    return answer.text or "(nothing)"


def _share(width: int, columns: int) -> int:
    """The width of one of several columns, or of all where they stand below each other."""
    return (width - GAP * (columns - 1)) // columns if width >= WIDE else width


def _beside(columns: Sequence[Sequence[str]], width: int) -> list[str]:
    each = _share(width, len(columns))
    lines = zip_longest(*columns, fillvalue="")
    return [(" " * GAP).join(cell.ljust(each) for cell in line).rstrip() for line in lines]


def _pages(
    stem: str, answers: Sequence[Answer], passages: Sequence[Passage], titles: Mapping[str, str], k: int, width: int
) -> list[str]:
    """The pages nearest to the question with each answer, each page once: for whom it was found, its best sentence."""
    texts = [f"{stem} {one.text}" for one in answers]
    found: dict[str, list[int]] = {}
    by_id = {one.passage_id: one for one in passages}
    for number, near in enumerate(nearest_pages(texts, passages, k)):
        for passage in near:
            found.setdefault(passage.passage_id, []).append(number)
    lines = []
    for passage_id, numbers in found.items():
        passage = by_id[passage_id]
        section = f", {passage.section}" if passage.section else ""
        names = ", ".join(answers[number].model for number in numbers)
        place = f"{titles.get(passage.book) or passage.book}{section}, PDF {pages_of(passage)} (near {names})"
        lines += _wrapped(place, width)
        lines += _wrapped(f'"{nearest_sentence(passage.text, texts[numbers[-1]])}"', width, "      ")
    return lines


def _key(question: Question, form: Form, answers: Sequence[Answer], width: int) -> list[str]:
    """The key of an exam's item, and what each reply is read as."""
    named = {one.key: f"({one.key}) {one.text}" for one in question.options}
    lines = ["KEY", *(line for key in question.answer_keys for line in _wrapped(named[key], width))]
    for one in answers:
        read = extract(one.text, question.options, form, truncated=one.cut)
        keys = ", ".join(named[key] for key in read.keys) or f"no answer ({read.state})"
        lines += _wrapped(f"{one.model} is read as: {keys}", width)
    return lines


def _wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=indent, subsequent_indent=indent)
