"""One exam item followed back: the answers, the training records near to it, the pages of the books."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from med_small_lm.benchmarks.lineage import conversation_text, item_text
from med_small_lm.benchmarks.scoring import is_right
from med_small_lm.schemas.rows import Conversation, Link, Passage, Place, Prediction, Question

WIDTH = 110
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(0-9])")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at by for from has have in is it its of on or that the this to was were which who with what "
        "following most likely would patient",
    )
)


class UnknownQuestion(ValueError):
    """No question has this id; the message names the nearest that there are."""


def trace(
    question_id: str,
    questions: Sequence[Question],
    predictions: Iterable[Prediction],
    links: Iterable[Link],
    conversations: Iterable[Conversation],
    passages: Iterable[Passage],
) -> str:
    """Returns a readable account of one exam item.

    It holds the item, what each model answered in each mode and whether that is right, the training examples nearest
    to it, and the pages behind them and nearest to the item itself, each with its sentence nearest to the item.

    Raises:
        UnknownQuestion: no question has this id.
    """
    question = find(question_id, questions)
    own = [entry for entry in links if entry.question_id == question_id]
    by_id = {passage.passage_id: passage for passage in passages}
    told = {conversation.example_id: conversation for conversation in conversations}
    parts = [
        [f"ITEM {question.question_id} ({question.source}, {question.split})", *_item(question)],
        ["ANSWERS", *(_answer(made, question) for made in predictions if made.question_id == question_id)],
        ["NEAREST TRAINING RECORDS", *_records(own, told)],
        ["PAGES", *_pages(own, by_id, question)],
        ["Nearness is the cosine of TF-IDF vectors: similarity, not proof that a record or page led to an answer."],
    ]
    return "\n\n".join("\n".join(part if len(part) > 1 or part is parts[-1] else [*part, "  none"]) for part in parts)


def find(question_id: str, questions: Sequence[Question]) -> Question:
    """Returns the question with this id; UnknownQuestion names the nearest ids where there is none."""
    for question in questions:
        if question.question_id == question_id:
            return question
    near = get_close_matches(question_id, [question.question_id for question in questions], n=3, cutoff=0.0)
    hint = f"; the nearest are {', '.join(near)}" if near else "; there are no questions"
    raise UnknownQuestion(f"no question has the id {question_id!r}{hint}")


def nearest_sentence(text: str, target: str) -> str:
    """Returns the sentence of ``text`` that shares the greatest part of its content words with ``target``."""
    wanted = _words(target)
    sentences = [sentence.strip() for sentence in _SENTENCE.split(" ".join(text.split())) if sentence.strip()]

    def share(sentence: str) -> float:
        words = _words(sentence)
        return len(words & wanted) / (len(words) + 4) if words else 0.0

    return max(sentences, key=share, default="")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - _COMMON


def _item(question: Question) -> list[str]:
    """Stem and options, the right ones marked."""
    stem = " ".join(part for part in (question.context, question.stem) if part)
    marks = [("*" if option.key in question.answer_keys else " ", option) for option in question.options]
    return [*_wrapped(stem), *(f"  {mark} ({option.key}) {option.text}" for mark, option in marks)]


def _answer(made: Prediction, question: Question) -> str:
    """One line for a prediction: who, how, what, right or wrong; a written reply stands below it."""
    verdict = "right" if is_right(made, question) else "wrong"
    named = {option.key: f"({option.key}) {option.text}" for option in question.options}
    answer = ", ".join(named.get(key, key) for key in made.answer_keys) or f"no answer read ({made.state})"
    note = " [repaired]" if made.state == "repaired" else ""
    lines = [f"  {made.model}, {made.mode} {made.variant}: {verdict}: {answer}{note}"]
    if made.mode == "generation":
        lines += _wrapped(f'wrote: "{made.text}"', "      ")
    elif made.option_logprobs:
        logprobs = ", ".join(f"{entry.key} {entry.logprob:.2f}" for entry in made.option_logprobs)
        lines.append(f"      log-probabilities in nats: {logprobs}")
    return "\n".join(lines)


def _records(links: Sequence[Link], told: dict[str, Conversation]) -> list[str]:
    """The nearest examples, each once, with what they say."""
    lines: list[str] = []
    nearest = {entry.example_id: entry.similarity for entry in links if entry.example_id}
    for example_id, similarity in nearest.items():
        lines.append(f"  {similarity:.2f}  {example_id}")
        if example_id in told:
            conversation = told[example_id]
            lines[-1] += f" ({conversation.source}, {conversation.method})"
            lines += _wrapped(conversation_text(conversation), "        ")
        else:
            lines.append("        (not among the conversations given)")
    return lines


def _pages(links: Sequence[Link], by_id: dict[str, Passage], question: Question) -> list[str]:
    """The pages, each once: by which way it was found, and its nearest sentence."""
    ways: dict[str, list[Link]] = {}
    for entry in links:
        ways.setdefault(entry.passage_id, []).append(entry)
    lines = []
    for passage_id, found in ways.items():
        first = found[0]
        origins = ", ".join(
            f"behind {entry.example_id}" if entry.example_id else f"near the item itself, {entry.similarity:.2f}"
            for entry in found
        )
        passage = by_id.get(passage_id)
        section = f", {passage.section}" if passage is not None and passage.section else ""
        lines.append(f"  {first.book}, {pages_of(first)}{section} ({passage_id}; {origins})")
        if passage is not None:
            lines += [f"        also in {place.book}, {pages_of(place)}" for place in passage.also_in]
            lines += _wrapped(f'"{nearest_sentence(passage.text, item_text(question))}"', "        ")
    return lines


def pages_of(place: Link | Place | Passage) -> str:
    """Returns the pages of a place: "p. 3", "pp. 3-4"."""
    if place.page_first == place.page_last:
        return f"p. {place.page_first}"
    return f"pp. {place.page_first}-{place.page_last}"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=indent, subsequent_indent=indent)
