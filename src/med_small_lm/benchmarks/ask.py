"""Models asked one question: their answers side by side, and the pages of the books nearest to them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from med_small_lm.answers.extraction import extract
from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.benchmarks.pages import nearest_pages
from med_small_lm.benchmarks.trace import nearest_sentence, pages_of
from med_small_lm.schemas.rows import Passage, Question

WIDE = 100
"""Columns of a terminal that has room for answers beside each other."""
GAP = 3
ADVICE = "No medical advice: what research models write may be false."
NEARNESS = "Pages are near in words (BM25), which proves nothing."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote.

    Attributes:
        model: its name.
        text: the reply; of propositions all replies, each behind its option's key.
        cut: whether it had not come to an end.
        holds: of propositions the keys of those that it calls true; None where it says neither of one, or was asked
            otherwise.
        note: what is to be known of the model.
    """

    model: str
    text: str
    cut: bool
    holds: tuple[str, ...] | None = None
    note: str = ""


def ask(checkpoint: Path, name: str, question: Question, form: Form, most: int, note: str = "") -> Answer:
    """Returns a model's likeliest reply of at most ``most`` tokens, to each option by itself where the form says so.

    Raises:
        CheckpointError: the folder holds no model that can be asked.
    """
    from med_small_lm.benchmarks.generation import replies
    from med_small_lm.benchmarks.models import load

    asked = form.propositions(question) if isinstance(form, PropositionForm) else [question]
    wrote = replies(*load(checkpoint), asked, form, max_new_tokens=most, batch_tokens=1)
    texts = ["".join(each for each in " ".join(one.text.split()) if each.isprintable()) for one in wrote]
    cut = any(one.cut for one in wrote)
    if not isinstance(form, PropositionForm):
        return Answer(name, texts[0], cut, note=note)
    said = {option.key: text for option, text in zip(question.options, texts, strict=True)}
    words = {key: text.rstrip(". ").casefold() for key, text in said.items()}
    right, wrong = form.right.casefold(), form.wrong.casefold()
    holds = tuple(key for key, word in words.items() if word == right) if {*words.values()} <= {right, wrong} else None
    return Answer(name, " ".join(f"({key}) {text}" for key, text in said.items()), cut, holds, note)


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
        answers: of each model; the last is the one that was asked for.
        passages: all that the books have.
        titles: of the books, by name.
        pages: most pages near the question with the last answer; 0: none is looked for.
        width: of the terminal, in columns.
    """
    stem = " ".join(part for part in (question.context, question.stem) if part)
    options = [line for one in question.options for line in _wrapped(f"({one.key}) {one.text}", width)]
    parts = [["QUESTION", *_wrapped(stem, width), *options]]
    each = _share(width, len(answers))
    columns = [[*_wrapped(_head(one), each, ""), *_wrapped(_said(one), each)] for one in answers]
    parts += [_beside(columns, width)] if width >= WIDE else columns
    if pages:
        found = _pages(f"{stem} {answers[-1].text}", passages, titles, pages, width)
        head = _wrapped(f"PAGES near the question and the answer of {answers[-1].model}", width, "")
        parts.append([*head, *(found or ["  none shares a word"])])
    if question.answer_keys:
        parts.append(_key(question, form, answers, width))
    parts.append(textwrap.wrap(f"{ADVICE} {NEARNESS}" if pages else ADVICE, width))
    return "\n\n".join("\n".join(part) for part in parts)


def _head(answer: Answer) -> str:
    return f"{answer.model.upper()} ({answer.note})" if answer.note else answer.model.upper()


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


def _pages(text: str, passages: Sequence[Passage], titles: Mapping[str, str], k: int, width: int) -> list[str]:
    """The pages nearest to a text, each with the sentence of it that fits best."""
    lines = []
    for passage in nearest_pages([text], passages, k)[0]:
        section = f", {passage.section}" if passage.section else ""
        lines += _wrapped(f"{titles.get(passage.book) or passage.book}{section}, PDF {pages_of(passage)}", width)
        lines += _wrapped(f'"{nearest_sentence(passage.text, text)}"', width, "      ")
    return lines


def _key(question: Question, form: Form, answers: Sequence[Answer], width: int) -> list[str]:
    """The key of an exam's item, and what each reply is read as."""
    named = {one.key: f"({one.key}) {one.text}" for one in question.options}
    lines = ["KEY", *(line for key in question.answer_keys for line in _wrapped(named[key], width))]
    for one in answers:
        lines += _wrapped(f"{one.model} is read as: {_read(one, question, form, named)}", width)
    return lines


def _read(answer: Answer, question: Question, form: Form, named: Mapping[str, str]) -> str:
    """The options that an answer names, or those that it calls true."""
    if isinstance(form, PropositionForm):
        if answer.holds is None:
            return f"no answer (not {form.right} or {form.wrong} to each)"
        return ", ".join(named[key] for key in answer.holds) or "none"
    read = extract(answer.text, question.options, form, kind=question.kind, truncated=answer.cut)
    return ", ".join(named[key] for key in read.keys) or f"no answer ({read.state})"


def _wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=indent, subsequent_indent=indent)
