"""Training records as documents: everything that a model would read of them, and what of it they assert."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from med_small_lm.schemas.rows import Instruction, Question, Rationale


@dataclass(frozen=True, slots=True)
class Asked:
    """The texts that a question is asked in: its stem, behind its context where that counts, and its options."""

    stem: tuple[str, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A record's texts. No phrase is looked for across two of them.

    ``whole`` is everything; ``asserted`` is what it says is so: stem, right answer, quotes, rationale. A wrong option
    stands in ``whole`` alone. ``asked`` is the question: its stem, and its options.
    """

    document_id: str
    whole: tuple[str, ...]
    asserted: tuple[str, ...]
    asked: tuple[Asked, ...]


def question_document(question: Question, rationales: Iterable[Rationale] = ()) -> Document:
    """Return a question, with what is told beside it, as one document."""
    quotes = [text for quote in question.quotes for text in (quote.text, quote.why)]
    told = [text for rationale in rationales for text in _told(rationale)]
    right = [option.text for option in question.options if option.key in question.answer_keys]
    required = [*question.must_have, *question.nice_to_have, *(one.text for one in question.rubric)]
    turns = [turn.content for turn in question.turns]
    asserted = [*turns, question.context, question.stem, question.answer_text, *right, *quotes, *required, *told]
    options = [option.text for option in question.options]
    return Document(question.question_id, _texts([*asserted, *options]), _texts(asserted), asked(question))


def asked(question: Question) -> tuple[Asked, ...]:
    """Return what a question asks: its stem and options, and where it has a context the same with it."""
    options = _texts(option.text for option in question.options)
    bare = Asked(_texts([question.stem]), options)
    return (bare, Asked(_texts([question.context, question.stem]), options)) if question.context.strip() else (bare,)


def text_document(document_id: str, text: str) -> Document:
    """Return a text that asserts all of itself as a document."""
    return Document(document_id, _texts([text]), _texts([text]), (Asked(_texts([text]), ()),))


def chat_document(record: Instruction) -> Document:
    """Return a conversation as one document: it asks what the user says, and asserts all but the system's words."""
    told = _texts(one.content for one in record.messages if one.role != "system")
    system = _texts(one.content for one in record.messages if one.role == "system")
    asks = _texts(one.content for one in record.messages if one.role == "user")
    return Document(record.example_id, (*told, *system), told, tuple(Asked((text,), ()) for text in asks))


def _told(rationale: Rationale) -> list[str]:
    return [rationale.text, *(text for quote in rationale.quotes for text in (quote.text, quote.why))]


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts that are not empty, each once."""
    return tuple(dict.fromkeys(text for text in texts if text.strip()))
