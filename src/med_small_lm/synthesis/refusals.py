"""Items that should be refused: a false premise, an invented drug or disease, a fact that the passage lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from med_small_lm.answers.declining import declines
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.normalise import words
from med_small_lm.params.generate_questions import GenerateQuestions, QuestionGates, Refusals
from med_small_lm.schemas.rows import Instruction, Message, Passage, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.chats import (
    ASSISTANT,
    SENTENCE,
    USER,
    holds,
    share_in,
    sift_chats,
)
from med_small_lm.synthesis.exemplars import related
from med_small_lm.synthesis.gates.fidelity import content
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.quoting import found_in
from med_small_lm.synthesis.gates.rationales import MARK_UP
from med_small_lm.synthesis.gates.verdicts import POINTS_AWAY, same_language, unread, verdict
from med_small_lm.synthesis.invented import invented_name
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "refusal"
FALSE_PREMISE, INVENTED, NOT_IN_PASSAGE = "false_premise", "invented", "not_in_passage"

_FIELDS = {
    FALSE_PREMISE: ("question", "premise", "truth", "quote", "reply"),
    INVENTED: ("question", "premise", "quote", "reply"),
    NOT_IN_PASSAGE: ("question", "premise", "quote", "reply"),
}
_TOLD = 0.6  # of the quote's content words that a reply repeats, and of the premise's that a question does
_NOT = re.compile(
    r"\b(?:no|not|never|nothing|neither|nor|wrong|false|incorrect|inaccurate|mistaken|misconception|untrue|contrary|"
    r"rather than|instead of)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"(?: [\w-]+){0,2} (?:do|does|did|is|are|was|were|has|have|can|will) not\b", re.IGNORECASE)
_KNOWN = r"(?:real|actual|existing|known|recogni[sz]ed|established|approved)"
_THING = r"(?:drug|disease|medicine|medication|illness|condition|disorder|syndrome|substance|agent|treatment|record)"
_UNKNOWN = re.compile(
    rf"\b(?:no such|(?:not|un)[ -]?known|nothing|never heard|no (?:{_KNOWN} )?{_THING}|fictitious|fictional|made[ -]up|"
    rf"invented|imaginary|non-?existent|have no (?:information|knowledge)|"
    r"not (?:\w+ ){0,2}(?:exist|aware|familiar|know|find|identify|recogni[sz]e)|"
    rf"not (?:(?:appear|seem) to be |correspond to |match )?(?:a|an|any) {_KNOWN})\b",
    re.IGNORECASE,
)
_TELL = r"(?:say|tell|state|mention|name|give|report|describe|specify|provide|include|address|discuss|indicate|contain)"
_TOLD_OF = r"(?:stated|said|told|mentioned|given|described|specified|provided|reported|addressed|discussed|included)"
_SILENT = re.compile(
    rf"\b(?:(?:does|do) not (?:\w+ )?{_TELL}|{_TELL}e?s (?:no|nothing)|is silent|not {_TOLD_OF}|"
    rf"no (?:[\w-]+ ){{1,4}}(?:is|are) {_TOLD_OF}|no (?:information|mention|statement))\b",
    re.IGNORECASE,
)


def refusal_requests(
    passages: Sequence[Passage],
    prompt: Prompt,
    params: GenerateQuestions,
    known: Set[str],
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: a request of each kind for each passage that is drawn.

    Args:
        passages: those that may be trained on.
        prompt: the prompt.
        params: share and kinds; the seed is that of the draw and of the names.
        known: all words of the books and exams, which no invented name may be.
        sampling: the teacher's own parameters.
    """
    seed, share = params.seed, params.refusals.share
    drawn = {one.passage_id for one in passages if is_drawn(f"{METHOD} {seed} {one.passage_id}", share)}
    near = related(passages, params.related_passages if drawn else 0)
    asked: list[Asked] = []
    for passage, others in zip(passages, near, strict=True):
        if passage.passage_id not in drawn:
            continue
        name = invented_name(known, seed, passage.passage_id)
        for kind in params.refusals.kinds:
            slots = {"passage": passage.text, "related": others, "style": kind, "name": name, "seed": seed}
            asked.append(Asked(prompt.request(slots, sampling or {}), passage))
    return asked


def refusals_from(
    asked: Sequence[Asked], replies: Sequence[Reply], params: Refusals
) -> tuple[list[Instruction], list[Instruction], dict[str, Mapping[str, str]]]:
    """Return the items in the replies, what is none, and by the items' ids what the teacher says of them.

    Who asks for what the passage lacks shows the stretch of it that holds the quote.
    """
    found: list[Instruction] = []
    rejected: list[Instruction] = []
    told: dict[str, Mapping[str, str]] = {}
    for one, reply in zip(asked, replies, strict=True):
        kind = str(one.request.slots["style"])
        own = {name: text_field(parsed_of(reply), name) for name in ("question", "premise", "truth", "quote", "reply")}
        name = str(one.request.slots["name"]).split()[-1]
        if kind == INVENTED and name in words(own["premise"]):
            own["premise"] = name  # of "the drug zorbadine (a statin)"
        lacking = "; ".join(f"no {name}" for name in _FIELDS[kind] if not own[name])
        fault = fault_of(reply) or (lacking if any(own.values()) else "the teacher wrote no question")
        shown = _excerpt(one.passage.text, own["quote"], params.excerpt_words) if kind == NOT_IN_PASSAGE else ""
        record = _refusal(one, reply, f"{shown}\n\n{own['question']}" if shown else own["question"], own["reply"])
        told[record.example_id] = own
        (rejected if fault else found).append(unread(record, fault) if fault else record)
    return found, rejected, told


def sift_refusals(
    drafts: Sequence[Instruction],
    told: Mapping[str, Mapping[str, str]],
    passages: Sequence[Passage],
    known: Set[str],
    guards: Sequence[ContaminationIndex],
    params: QuestionGates,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Instruction], list[Instruction]]:
    """Return the items that pass all gates, and the rejected ones.

    The order is format, premise, reply's stance, support, language, contamination, duplicate.
    """
    by_id = {passage.passage_id: passage.text for passage in passages}

    def text(record: Instruction) -> str:
        return by_id[record.passage_ids[0]]

    gates: list[Callable[[Instruction], Verdict]] = [
        lambda record: _format(record, told[record.example_id], params),
        lambda record: _premise(_kind(record), told[record.example_id], text(record), known),
        lambda record: _stance(_kind(record), told[record.example_id]),
        lambda record: _support(told[record.example_id], text(record), params),
        lambda record: same_language(_said(told[record.example_id]), {language_of(text(record))}),
    ]
    return sift_chats(drafts, gates, guards, found)


def _refusal(one: Asked, reply: Reply, question: str, answer: str) -> Instruction:
    """Return the record of one reply."""
    passage = one.passage
    return Instruction(
        example_id=record_id("n", passage.passage_id, one.method, question or reply.call_id),
        source=passage.book,
        method=one.method,
        messages=[Message(USER, question), Message(ASSISTANT, answer)],
        parent_ids=[passage.passage_id],
        licence=passage.licence,
        passage_ids=[passage.passage_id],
        call_id=reply.call_id,
    )


def _kind(record: Instruction) -> str:
    return record.method.rpartition(": ")[2]


def _said(told: Mapping[str, str]) -> str:
    return f"{told['question']} {told['reply']}"


def _excerpt(text: str, quote: str, most: int) -> str:
    """Return the sentences of a passage from the quote's on, whole ones, up to so many words; at least the first."""
    sentences = SENTENCE.split(" ".join(text.split()))
    first = max(range(len(sentences)), key=lambda n: (share_in(quote, sentences[n]), -n), default=0)
    shown, n_words = sentences[first : first + 1], len(words(sentences[first]))
    for sentence in sentences[first + 1 :]:
        n_words += len(words(sentence))
        if n_words > most:
            break
        shown.append(sentence)
    return " ".join(shown)


def _format(record: Instruction, told: Mapping[str, str], params: QuestionGates) -> Verdict:
    """Return whether a question is one that stands on its own, and the reply a plain text."""
    question, n_words = told["question"], len(words(told["question"]))
    away = POINTS_AWAY.search(_said(told)) if _kind(record) != NOT_IN_PASSAGE else None
    marked = away or MARK_UP.search(_said(told))
    faults = {
        f"the question has {n_words} words": not params.stem_words_min <= n_words <= params.stem_words_max,
        "the question does not end in a question mark": not question.endswith("?"),
        f"it has {marked.group()!r}" if marked else "": marked is not None,
    }
    return _verdict("format", faults, n_words)


def _premise(kind: str, told: Mapping[str, str], passage: str, known: Set[str]) -> Verdict:
    """Return whether the question rests on what the passage does not state; the value is the share it does state."""
    premise, truth = told["premise"], told["truth"]
    new = [word for word in words(premise) if word not in known]
    inside = share_in(premise, passage)
    faults = {
        "the question does not name its premise": share_in(premise, told["question"]) < _TOLD,
        "the passage states the premise": (inside == 1 and bool(content(premise))) or holds(passage, premise),
        "no name in it is invented": kind == INVENTED and not new,
        "the passage does not state the truth": kind == FALSE_PREMISE and share_in(truth, passage) < 1,
        "premise and truth are the same": kind == FALSE_PREMISE and (holds(premise, truth) or holds(truth, premise)),
    }
    return _verdict("premise", faults, inside)


def _stance(kind: str, told: Mapping[str, str]) -> Verdict:
    """Return whether the reply declines or corrects, and never affirms the premise."""
    reply, premise = _in_full(told["reply"]), _in_full(told["premise"])
    marker = {FALSE_PREMISE: _NOT, INVENTED: _UNKNOWN, NOT_IN_PASSAGE: _SILENT}[kind]
    if not (marker.search(reply) or (kind != FALSE_PREMISE and declines(reply))):
        return Verdict("stance", "fail", 0.0, "the reply neither declines nor corrects")
    if kind == FALSE_PREMISE and share_in(told["truth"], reply) < 1:
        return Verdict("stance", "fail", 0.0, "the reply does not say what holds")
    name = re.escape(premise.split()[-1]) if kind == INVENTED else re.escape(premise)
    affirmed = [
        sentence
        for sentence in SENTENCE.split(reply)
        if (place := re.search(name, sentence, re.IGNORECASE))
        and not (marker.search(sentence) if kind != FALSE_PREMISE else _denies(sentence, *place.span()))
    ]
    return verdict("stance", not affirmed, len(affirmed), "the reply affirms the premise")


def _denies(sentence: str, first: int, last: int) -> bool:
    """Return whether a sentence denies what stands in it from ``first`` to ``last``: before it, or of it."""
    return _NOT.search(sentence, 0, first) is not None or _DENIED.match(sentence, last) is not None


def _in_full(text: str) -> str:
    """Return a text with its negations written out: "is not" for "isn't"."""
    plain = text.replace("’", "'").replace("can't", "can not").replace("cannot", "can not")
    return plain.replace("n't", " not")


def _support(told: Mapping[str, str], passage: str, params: QuestionGates) -> Verdict:
    """Return whether the quote stands in the passage and the reply says it; the value is the share standing there."""
    found = found_in(told["quote"], passage)
    if found.share < params.quote_found or found.turned:
        changed = f", but for {', '.join(map(repr, found.turned))}" if found.turned else ""
        return Verdict("support", "fail", found.share, f"{found.share:.2f} of the quote stands in the passage{changed}")
    said = share_in(told["quote"], told["reply"], told["question"])
    if said < _TOLD:
        return Verdict("support", "fail", found.share, f"the reply says {said:.2f} of the quote")
    held = share_in(told["truth"], told["quote"])
    reason = f"{held:.2f} of the truth stands in the quote"
    return verdict("support", held >= params.answer_in_quote, found.share, reason)


def _verdict(gate: str, faults: Mapping[str, bool], value: float) -> Verdict:
    """Return a verdict that fails for the faults that hold."""
    return verdict(gate, not any(faults.values()), value, "; ".join(fault for fault, own in faults.items() if own))
