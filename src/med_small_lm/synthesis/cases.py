"""Progressive cases on the passages of a section: the requests, and the records that the replies amount to.

A case is a vignette and an ordered chain of questions; each is a set of propositions, true or false, with the sentence
of the book that proves or refutes it (MQG; the French ECN's "dossiers progressifs"). Each question is one record, and
all of a case have its ``case_id``: they are kept, split and served together, in the order of ``rank``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from itertools import accumulate
from typing import Any

from med_small_lm.params.generate_questions import Cases
from med_small_lm.schemas.rows import Passage, Question, Quote
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, record_id, text_field
from med_small_lm.synthesis.exemplars import SENTENCE
from med_small_lm.synthesis.gates.language import UNKNOWN, language_of
from med_small_lm.synthesis.gates.quoting import found_in
from med_small_lm.synthesis.gates.verdicts import unread
from med_small_lm.synthesis.kinds import propositions
from med_small_lm.synthesis.questions import HELD_OUT_SOURCE
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

METHOD = "case"
PROGRESSIVE = "progressive"


def case_requests(
    passages: Sequence[Passage],
    exemplars: Sequence[Question],
    prompt: Prompt,
    params: Cases,
    seed: int = 0,
    sampling: Mapping[str, Any] | None = None,
) -> list[Asked]:
    """Return what to ask the teacher: one case on each section that is drawn among those that are long enough.

    ``exemplars`` are the exam's questions of other splits than test; its progressive cases among them are shown whole.
    """
    shown = [case_slot(case) for case in cases_of(exemplars)][: params.exemplars]
    asked: list[Asked] = []
    for name, own in _sections(passages, params).items():
        if not is_drawn(f"{METHOD} {seed} {name}", params.share):
            continue
        first, *others = own
        slots = {
            "section": first.section,
            "passages": [passage.text for passage in own],
            "language": _language(own),
            "exemplars": shown,
            "n_questions": params.questions,
            "n_propositions": params.propositions,
            "seed": seed,
        }
        asked.append(Asked(prompt.request(slots, sampling or {}), first, beside=tuple(others)))
    return asked


def cases_of(questions: Iterable[Question]) -> list[list[Question]]:
    """Return the progressive cases among questions, each whole and in the order of its ranks."""
    found: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        if question.kind == PROGRESSIVE and question.case_id:
            found[question.source, question.case_id].append(question)
    return [sorted(case, key=lambda question: question.rank) for case in found.values()]


def case_slot(case: Sequence[Question]) -> dict[str, Any]:
    """Return a case as the prompt shows and wants it."""
    return {
        "vignette": case[0].context,
        "questions": [
            {
                "stem": question.stem,
                "propositions": [
                    {"text": option.text, "is_true": option.key in question.answer_keys} for option in question.options
                ],
            }
            for question in case
        ],
    }


def cases_from(
    asked: Sequence[Asked], replies: Sequence[Reply], held_out: Set[str] = frozenset()
) -> tuple[list[Question], list[Question]]:
    """Return the questions of the cases in the replies, and what is none: failed calls, cases that lack a part.

    A case on a passage of ``held_out`` is of split ``test``, all of it. Where one question lacks a part, the whole case
    is rejected at the gate ``reply``, each record with the reason.
    """
    found: list[Question] = []
    rejected: list[Question] = []
    for one, reply in zip(asked, replies, strict=True):
        case, fault = _of_reply(one, reply)
        if any(passage.passage_id in held_out for passage in one.passages):
            case = [replace(question, split="test", source=HELD_OUT_SOURCE) for question in case]
        if fault:
            rejected += [unread(question, fault) for question in case]
        else:
            found += case
    return found, rejected


def _sections(passages: Sequence[Passage], params: Cases) -> dict[str, list[Passage]]:
    """Return the first passages of each section that has a sentence for each proposition, under the section's name."""
    every: dict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        every[f"{passage.book} {passage.section}"].append(passage)
    for own in every.values():  # none is left out in between
        del own[max(sum(n <= params.words_max for n in accumulate(one.n_words for one in own)), 1) :]
    least = params.questions * params.propositions
    long = {name: sum(len(SENTENCE.split(passage.text)) for passage in own) for name, own in every.items()}
    return {name: own for name, own in every.items() if long[name] >= least}


def _language(passages: Sequence[Passage]) -> str:
    """Return the language of passages as the prompt names it."""
    found = language_of(" ".join(passage.text for passage in passages))
    return "that of the passages" if found == UNKNOWN else found


def _of_reply(one: Asked, reply: Reply) -> tuple[list[Question], str]:
    """Return the records of one reply, with as much as it has, and what it lacks; at least one record."""
    parsed = parsed_of(reply)
    vignette, items = text_field(parsed, "vignette"), parsed.get("questions")
    told = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    case_id = record_id("case", *(passage.passage_id for passage in one.passages), vignette or reply.call_id)
    case = [_question(one, reply, case_id, rank, item, vignette) for rank, item in enumerate(told, 1)]
    fault = fault_of(reply)
    if not fault and not isinstance(items, list):
        fault = "the reply has no list of questions"
    elif not fault and not vignette and not items:
        fault = "the teacher wrote no case"
    elif not fault and isinstance(items, list):
        faults = [] if vignette else ["no vignette"]
        faults += [f"{len(items) - len(told)} questions are no objects"] if len(told) < len(items) else []
        faults += [f"question {rank} has no stem" for rank, item in enumerate(told, 1) if not text_field(item, "stem")]
        faults += [f"question {rank}: {lack}" for rank, item in enumerate(told, 1) for lack in propositions(item)[3]]
        fault = "; ".join(faults or ([] if case else ["no question"]))
    return case or [_question(one, reply, case_id, 0, {}, vignette)], fault


def _question(one: Asked, reply: Reply, case_id: str, rank: int, item: Mapping[str, Any], vignette: str) -> Question:
    """Return the record of one question of a case, with as much as the reply has."""
    options, right, told, _ = propositions(item)
    return Question(
        question_id=f"{case_id}-{rank}",
        source=one.passage.book,
        split="train",
        kind=PROGRESSIVE,
        stem=text_field(item, "stem"),
        options=options,
        answer_keys=right,
        answer_text="; ".join(option.text for option in options if option.key in right),
        case_id=case_id,
        rank=rank,
        context=vignette,
        quotes=[_quote(option.key, said, one.passages) for option, said in zip(options, told, strict=True)],
        method=METHOD,
        call_id=reply.call_id,
        passage_ids=[passage.passage_id for passage in one.passages],
        licence=one.passage.licence,
    )


def _quote(key: str, proposition: Mapping[str, Any], passages: Sequence[Passage]) -> Quote:
    """Return a proposition's quote, under the passage that holds most of it."""
    text = text_field(proposition, "quote")
    held = max(passages, key=lambda passage: found_in(text, passage.text).share)
    return Quote(key, text, text_field(proposition, "justification"), held.passage_id)
