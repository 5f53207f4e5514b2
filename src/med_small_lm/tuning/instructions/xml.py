"""Question-answer pairs of MedQuAD's and LiveQA's XML as rows, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from med_small_lm.tuning.instructions.rows import Row

_ROOTS = ("Document", "doc", "NLM-QUESTIONS")
"""What MedQuAD's and LiveQA's files are: one without a pair has no fault, MedQuAD has some."""


def medquad(file: Path) -> Iterator[Row]:
    """Yields the pairs of a document of MedQuAD: ``QAPair`` (``Question``, ``Answer``); a few spell them ``pair``."""
    for pair in _elements(file, "QAPair", "pair"):
        if isinstance(pair, Row):
            yield pair
            continue
        question, answer = (next(pair.iter(name, name.lower()), None) for name in ("Question", "Answer"))
        yield _row(pair, _text(question), _text(answer))


def liveqa(file: Path) -> Iterator[Row]:
    """Yields the pairs of LiveQA's training and test files: each answer to a consumer's question is one."""
    for asked in _elements(file, "NLM-QUESTION"):
        if isinstance(asked, Row):
            yield asked
            continue
        parts = asked.iter("SUBJECT", "Subject", "MESSAGE", "Message")
        question = "\n".join(text for part in parts if (text := _text(part)))
        answers = [*asked.iter("ANSWER", "Answer")]
        for answer in answers:
            yield _row(answer, question, _text(answer))
        if not answers:
            yield _row(asked, question, None)


def _elements(file: Path, *names: str) -> Iterator[Any]:
    """Yields the elements of these names, each forgotten when the next is read, and malformed XML as a fault.

    Nothing is fetched and no entity that the file declares is put in.
    """
    parts = etree.iterparse(file, tag=names, resolve_entities=False, no_network=True, load_dtd=False)
    held = False
    try:
        for _, element in parts:
            held = True
            yield element
            element.clear()
        if not held and parts.root.tag not in _ROOTS:
            yield Row(1, fault=f"the file holds no record: it is XML of <{parts.root.tag}>")
    except etree.XMLSyntaxError as error:
        why = (error.msg or "").partition(",")[0]
        yield Row(error.lineno or 1, fault=f"malformed XML, the rest of the file is not read: {why}")


def _row(element: Any, question: str | None, answer: str | None) -> Row:
    """Returns a pair as a row; what is missing is no field of it."""
    fields = {"question": question, "answer": answer}
    return Row(int(element.sourceline or 1), {name: text for name, text in fields.items() if text is not None})


def _text(element: Any) -> str | None:
    """Returns the text of an element and all below it, its lines without their indents; None where it lacks."""
    if element is None:
        return None
    lines = (" ".join(line.split()) for line in "".join(element.itertext()).splitlines())
    return "\n".join(line for line in lines if line)
