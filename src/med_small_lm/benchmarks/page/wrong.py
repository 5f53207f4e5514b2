"""Some answers that were wrong, each with the training records and the pages nearest to its question."""

from __future__ import annotations

from collections.abc import Sequence

from med_small_lm.benchmarks.lineage import conversation_text, item_text
from med_small_lm.benchmarks.page import words
from med_small_lm.benchmarks.page.blocks import Block, Choice, Section, Source, Text, Wrong
from med_small_lm.benchmarks.page.results import Results, is_control
from med_small_lm.benchmarks.scoring import is_right
from med_small_lm.benchmarks.trace import nearest_sentence, pages_of
from med_small_lm.schemas.rows import Link, Prediction, Question

SAMPLES = 3
"""Wrong answers of each benchmark that are shown."""
LONGEST = 1_200
"""Characters of a reply or record that are shown."""

_STATES = {
    "ambiguous": "it does not name one option clearly", "refused": "it would not answer",
    "truncated": "it was cut before an answer", "empty": "it said nothing", "failed": "it could not be asked",
}  # fmt: skip


def wrong(results: Results) -> Section:
    """Returns wrong answers of the last model of each benchmark, spread over its questions."""
    blocks: list[Block] = []
    for name, questions in results.questions.items():
        by_id = {question.question_id: question for question in questions if question.options}
        for made in _drawn(results, name, by_id):
            blocks.append(_sample(results, by_id[made.question_id], made))
    if blocks:
        said = (
            "A fluent reply is no sign of a right one. Behind each answer stand the training records and the pages "
            "that are nearest to the question in their words; that is likeness, and no proof that they led to the "
            "answer."
        )
        blocks.insert(0, Text(said))
    return Section("wrong", "Some wrong answers, and what the model had read", blocks)


def _drawn(results: Results, name: str, questions: dict[str, Question]) -> list[Prediction]:
    """Wrong answers of the run's last model (of others nobody knows what they read): written ones if it wrote any."""
    own = [made for made in results.predictions if made.benchmark == name and not is_control(made.variant)]
    models = [made.model for made in own]
    named = next((model for model in reversed(models) if model in words.MODELS), models[-1] if models else "")
    last = [made for made in own if made.model == named and not made.sample and made.question_id in questions]
    mode = "generation" if any(made.mode == "generation" for made in last) else "likelihood"
    first = next((made.variant for made in last if made.mode == mode), "")
    missed = [made for made in last if (made.mode, made.variant) == (mode, first) and made.state != "failed"]
    missed = [made for made in missed if not is_right(made, questions[made.question_id])]
    read = [made for made in missed if made.answer_keys] or missed
    return read[:: max(len(read) // SAMPLES, 1)][:SAMPLES]


def _sample(results: Results, question: Question, made: Prediction) -> Wrong:
    """A wrong answer with its lineage."""
    choices = [
        Choice(f"{one.key}. {one.text}", one.key in question.answer_keys, one.key in made.answer_keys)
        for one in question.options
    ]
    links = [link for link in results.links if link.question_id == question.question_id]
    unread = "" if made.answer_keys else f"No answer could be read: {_STATES.get(made.state, made.state)}."
    return Wrong(
        title=f"{made.benchmark}, {question.question_id}: {made.model} {words.way(made.mode, made.variant)}",
        question=" ".join(part for part in (question.context, question.stem) if part),
        choices=choices,
        reply=_cut(made.text) if made.mode == "generation" else "",
        verdict=unread,
        records=_records(results, links),
        pages=_pages(results, links, question),
    )


def _records(results: Results, links: Sequence[Link]) -> list[Source]:
    """The nearest training records, each once."""
    told = {one.example_id: one for one in results.conversations}
    nearest = {link.example_id: link.similarity for link in links if link.example_id}
    return [
        Source(f"{name}, likeness {similarity:.2f}", _cut(conversation_text(told[name])) if name in told else "")
        for name, similarity in nearest.items()
    ]


def _pages(results: Results, links: Sequence[Link], question: Question) -> list[Source]:
    """The pages behind these records and nearest to the question itself, each once with its nearest sentence."""
    told = {one.passage_id: one for one in results.passages}
    found = []
    for link in {link.passage_id: link for link in reversed(links)}.values():
        passage = told.get(link.passage_id)
        section = f", {passage.section}" if passage and passage.section else ""
        way = f"behind {link.example_id}" if link.example_id else f"likeness {link.similarity:.2f}"
        said = nearest_sentence(passage.text, item_text(question)) if passage else ""
        found.append(Source(f"{link.book}, {pages_of(link)}{section} ({way})", said))
    return found[::-1]


def _cut(text: str) -> str:
    """A text that is not too long to be shown."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
