"""What the injection corpus reads beside the passages: rephrasings, summaries, atomic facts, links between sections.

A fact that is read once in one wording is not learnt, so every method says it in another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from med_small_lm.overlap.normalise import normalised
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Passage, Rephrasing, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.gates import rephrasings as gates
from med_small_lm.synthesis.gates.verdicts import DUPLICATE, judge, passed, unread, verdict
from med_small_lm.synthesis.linking import pairs_of
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "rephrasing"
SUMMARY = "summary"
ATOMIC_FACTS = "atomic_facts"
LINK = "link"
METHODS = (METHOD, SUMMARY, ATOMIC_FACTS, LINK)
"""The methods, by the ids of their prompts."""

_FACT_WORDS = 3  # of an atomic fact at least: "Naproxen treats gout."
_FIELDS = {METHOD: "text", SUMMARY: "summary", LINK: "text"}


def rephrasing_requests(
    passages: Sequence[Passage],
    prompts: Mapping[str, Prompt],
    params: GenerateQuestions,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher, method by method; ``prompts`` are those of ``METHODS``.

    Each passage is asked for in each style, ``rephrasings_per_style`` times; summaries, atomic facts and links are
    asked for of the shares of passages that are drawn.
    """
    given, more = sampling or {}, params.augmentation
    asked = [
        Asked(prompts[METHOD].request({"passage": passage.text, "style": style, "seed": seed}, given), passage)
        for passage in passages
        for style in params.rephrasing_styles
        for seed in range(params.seed, params.seed + params.rephrasings_per_style)
    ]
    for method, share in ((SUMMARY, more.summary_share), (ATOMIC_FACTS, more.atomic_facts_share)):
        asked += [
            Asked(prompts[method].request({"passage": passage.text}, given), passage)
            for passage in passages
            if is_drawn(f"{method} {params.seed} {passage.passage_id}", share)
        ]
    for pair in pairs_of(passages, more.link_share, more.links_per_passage, params.seed):
        slots = {"subject": pair.subject, "first": pair.first.text, "second": pair.second.text}
        asked.append(Asked(prompts[LINK].request(slots, given), pair.first, beside=(pair.second,)))
    return asked


def rephrasings_from(
    asked: Sequence[Asked], replies: Sequence[Reply], params: GenerateQuestions
) -> tuple[list[Rephrasing], list[Rephrasing]]:
    """Return the texts to be kept so far and the rejected ones; ``method`` is a rephrasing's with its style.

    A reply is one record, one of atomic facts a record for each of them. All gates are passed but contamination, which
    needs the exams.
    """
    found: list[Rephrasing] = []
    rejected: list[Rephrasing] = []
    passages = {normalised(passage.text) for one in asked for passage in one.passages}
    said = {method: set(passages) for method in METHODS}
    for one, reply in zip(asked, replies, strict=True):
        for record in _records(one, reply):
            fault = fault_of(reply) or ("" if record.text else "the teacher gave no text")
            if fault:
                rejected.append(unread(record, fault))
                continue
            own = said[one.request.task]
            judged = judge(record, _verdicts(record.text, one, own, params))
            if passed(judged):
                own.add(normalised(record.text))
            (found if passed(judged) else rejected).append(judged)
    return found, rejected


def _verdicts(text: str, one: Asked, said: Set[str], params: GenerateQuestions) -> Iterator[Verdict]:
    """Yield what the gates say of a text: those of all methods, then those of its own, then whether it is said."""
    passages = one.passages
    source, task = "\n".join(passage.text for passage in passages), one.request.task
    yield gates.text_format(text, _FACT_WORDS if task == ATOMIC_FACTS else params.rephrasing_words_min)
    yield gates.statements(text)
    yield gates.text_language(text, passages)
    yield gates.text_support(text, source, params.augmentation.supported)
    yield gates.fidelity(text, source)
    if task == SUMMARY:
        yield gates.shorter(text, source, params.augmentation.summary_ratio)
    if task == ATOMIC_FACTS:
        yield gates.stands_alone(text)
    if task == LINK:
        yield gates.linked(text, str(one.request.slots["subject"]), passages)
    again = normalised(text) in said
    yield verdict(DUPLICATE, not again, float(again), "the same words stand in a passage or another such text")


def _records(one: Asked, reply: Reply) -> list[Rephrasing]:
    """Return the records of one reply: a record without text where it says nothing."""
    parsed, task = parsed_of(reply), one.request.task
    if task == ATOMIC_FACTS:
        listed = parsed.get("facts")
        told = [text_field({"fact": fact}, "fact") for fact in listed] if isinstance(listed, list) else []
    else:
        told = [text_field(parsed, _FIELDS[task])]
    passages = one.passages
    return [
        Rephrasing(
            rephrasing_id=record_id("p", *_named(one), text or reply.call_id),
            method=one.method,
            text=text,
            call_id=reply.call_id,
            passage_ids=[passage.passage_id for passage in passages],
            licence=" and ".join(dict.fromkeys(passage.licence for passage in passages)),
        )
        for text in told or [""]
    ]


def _named(one: Asked) -> tuple[str, ...]:
    """Return what tells a record from those of other passages and methods, beside its text."""
    style = one.request.slots.get("style")
    return (one.passage.passage_id, str(style) if style is not None else one.request.task)
