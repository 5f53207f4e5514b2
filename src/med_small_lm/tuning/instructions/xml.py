"""Question-answer pairs of MedQuAD's and LiveQA's XML as rows, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from med_small_lm.record_files import Row
from med_small_lm.xml_files import elements, text_of

_ROOTS = ("Document", "doc", "NLM-QUESTIONS")
"""What MedQuAD's and LiveQA's files are: one without a pair has no fault, MedQuAD has some."""


def medquad(file: Path) -> Iterator[Row]:
    """Yields the pairs of a document of MedQuAD: ``QAPair`` (``Question``, ``Answer``); a few spell them ``pair``."""
    for pair in elements(file, _ROOTS, "QAPair", "pair"):
        if isinstance(pair, Row):
            yield pair
            continue
        question, answer = (next(pair.iter(name, name.lower()), None) for name in ("Question", "Answer"))
        yield _row(pair, text_of(question), text_of(answer))


def liveqa(file: Path) -> Iterator[Row]:
    """Yields the pairs of LiveQA's training and test files: each answer to a consumer's question is one."""
    for asked in elements(file, _ROOTS, "NLM-QUESTION"):
        if isinstance(asked, Row):
            yield asked
            continue
        parts = asked.iter("SUBJECT", "Subject", "MESSAGE", "Message")
        question = "\n".join(text for part in parts if (text := text_of(part)))
        answers = [*asked.iter("ANSWER", "Answer")]
        for answer in answers:
            yield _row(answer, question, text_of(answer))
        if not answers:
            yield _row(asked, question, None)


def _row(element: Any, question: str | None, answer: str | None) -> Row:
    """Returns a pair as a row; what is missing is no field of it."""
    fields = {"question": question, "answer": answer}
    return Row(int(element.sourceline or 1), {name: text for name, text in fields.items() if text is not None})
