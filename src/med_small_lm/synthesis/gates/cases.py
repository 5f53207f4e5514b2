"""The gates of progressive cases: a case is kept whole or rejected whole, and each record says at which question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.overlap.documents import Asked, Document, question_document
from med_small_lm.overlap.minhash import repeats
from med_small_lm.params.generate_questions import Cases, QuestionGates
from med_small_lm.schemas.rows import Passage, Question, Verdict
from med_small_lm.synthesis.cases import PROGRESSIVE, cases_of
from med_small_lm.synthesis.gates.language import language_of
from med_small_lm.synthesis.gates.leaks import Leaks
from med_small_lm.synthesis.gates.options import clash
from med_small_lm.synthesis.gates.questions import question_format, question_language, question_support
from med_small_lm.synthesis.gates.verdicts import DUPLICATE, POINTS_AWAY, contamination, passed, verdict
from med_small_lm.synthesis.heldout import guards_of

CASE = "case"
"""The gate of the questions that are rejected because another one of their case is."""

Case = Sequence[Question]
CaseGate = Callable[[Case], list[Verdict]]
"""What one gate says of a case: a verdict for each question."""

_LEAST = 2  # questions of a case, propositions of a question


def sound_cases(
    candidates: Sequence[Question],
    passages: Sequence[Passage],
    params: Cases,
    gates: QuestionGates,
) -> tuple[list[Question], list[Question]]:
    """Return the questions of the cases that pass the gates that look at each case alone, and of the rejected ones.

    The order is schema, format, options, truth, language, support, leak. ``passages`` are all of the books: they are
    quoted, and tell how rare a word is.
    """
    by_id = {passage.passage_id: passage for passage in passages}
    asked_about = {name for question in candidates for name in question.passage_ids if name in by_id}
    languages = {name: language_of(by_id[name].text) for name in asked_about}
    leaks = Leaks(passages if candidates else [])
    return sift_whole(
        candidates,
        [
            case_schema,
            lambda case: case_format(case, gates),
            lambda case: [_distinct(question) for question in case],
            lambda case: truth_spread(case, params),
            lambda case: [question_language(question, languages) for question in case],
            lambda case: [question_support(question, by_id, gates) for question in case],
            lambda case: no_leak(case, leaks),
        ],
    )


def sift_cases(
    sound: Sequence[Question],
    guards: Sequence[ContaminationIndex],
    background: Sequence[Question],
    params: QuestionGates,
    found: list[list[Hit]] | None = None,
) -> tuple[list[Question], list[Question]]:
    """Return the questions of the cases that pass the gates that look at all, and of the rejected ones.

    The cases on held-out sections lose their duplicates and become a guard of their own; training cases pass
    contamination, each question alone and the case as one text, and then lose theirs. ``background`` are questions that
    show what is form; ``found`` takes what the contamination gate finds in each case.
    """
    held, rejected = _without_repeats([q for q in sound if q.split != "train"], params)
    train = [question for question in sound if question.split == "train"]
    every = [*guards, *guards_of(held, [*background, *train], coverage=params.coverage, fuzzy=params.fuzzy)]
    clean, stopped = sift_whole(train, [lambda case: _uncontaminated(case, every, found)])
    kept, again = _without_repeats(clean, params)
    return [*kept, *held], [*rejected, *stopped, *again]


def sift_whole(questions: Sequence[Question], gates: Sequence[CaseGate]) -> tuple[list[Question], list[Question]]:
    """Return the questions of the cases that pass all gates and of those that do not, in their order.

    A case ends at the first gate that stops one of its questions. The others then carry a verdict at the gate ``case``.
    """
    kept: list[Question] = []
    rejected: list[Question] = []
    for case in cases_of(questions):
        judged = list(case)
        for gate in gates:
            judged = [replace(q, gates=[*q.gates, said]) for q, said in zip(judged, gate(judged), strict=True)]
            if not all(map(passed, judged)):
                judged = _stopped_together(judged)
                break
        (kept if all(map(passed, judged)) else rejected).extend(judged)
    return kept, rejected


def case_schema(case: Case) -> list[Verdict]:
    """Return whether a case is whole: ranks from 1 without a gap, each question with propositions and their keys."""
    ranks = [question.rank for question in case]
    faults = {
        f"{len(case)} questions": len(case) < _LEAST,
        f"ranks {ranks}": ranks != list(range(1, len(case) + 1)),
        "no vignette": not case[0].context.strip(),
        "two vignettes": len({question.context for question in case}) > 1,
        "two splits": len({(question.split, question.source) for question in case}) > 1,
    }
    whole = [fault for fault, holds in faults.items() if holds]
    said: list[Verdict] = []
    for question in case:
        found = [*whole, *_faults(question)]
        said.append(verdict("schema", not found, len(found), "; ".join(found)))
    return said


def case_format(case: Case, params: QuestionGates) -> list[Verdict]:
    """Return whether the stems have a fit length and neither they nor vignette and propositions point at a passage."""
    said: list[Verdict] = []
    for question in case:
        away = POINTS_AWAY.search("\n".join([question.context, *(option.text for option in question.options)]))
        points = Verdict("format", "fail", 0.0, f"the case points at {away.group()!r}") if away else None
        said.append(points or question_format(question, params))
    return said


def truth_spread(case: Case, params: Cases) -> list[Verdict]:
    """Return whether true and false propositions are mixed over the case; the value is the larger one's share."""
    n_true, n = sum(len(q.answer_keys) for q in case), sum(len(q.options) for q in case)
    share = max(n_true, n - n_true) / n
    one = verdict("truth", share <= params.one_sided_max, share, f"{n_true} of {n} propositions are true")
    return [one] * len(case)


def no_leak(case: Case, leaks: Leaks) -> list[Verdict]:
    """Return for each question whether what stands there gives an earlier answer away, or the vignette its own."""
    found = leaks.of(case)
    said: list[Verdict] = []
    for question in case:
        own = [leak for leak in found if (leak.rank or leak.answers) == question.rank]
        worst = max(own, key=lambda leak: leak.share, default=None)
        said.append(verdict("leak", worst is None, worst.share if worst else 0.0, worst.reason if worst else ""))
    return said


def case_document(case: Case) -> Document:
    """Return a case as the one text that a training example of it makes."""
    own = [question_document(question) for question in case]
    asked = Asked(
        tuple(dict.fromkeys([case[0].context, *(question.stem for question in case)])),
        tuple(dict.fromkeys(option.text for question in case for option in question.options)),
    )
    whole = tuple(dict.fromkeys(text for one in own for text in one.whole))
    asserted = tuple(dict.fromkeys(text for one in own for text in one.asserted))
    return Document(case[0].case_id, whole, asserted, (asked,))


def _faults(question: Question) -> list[str]:
    """Return what is wrong with one question of a case."""
    keys, right = [option.key for option in question.options], question.answer_keys
    faults = {
        f"kind {question.kind!r}": question.kind != PROGRESSIVE,
        "no stem": not question.stem.strip(),
        f"{len(keys)} propositions": len(keys) < _LEAST,
        "two propositions have one key": len(set(keys)) < len(keys),
        "a right answer is no proposition": not set(right) <= set(keys) or len(set(right)) < len(right),
        "no passage": bool(question.call_id) and not question.passage_ids,
    }
    return [fault for fault, holds in faults.items() if holds]


def _distinct(question: Question) -> Verdict:
    fault = clash(question.options)
    return verdict("options", not fault, float(bool(fault)), fault)


def _uncontaminated(case: Case, guards: Sequence[ContaminationIndex], found: list[list[Hit]] | None) -> list[Verdict]:
    """Return whether each question holds no guarded item; where only the whole case does, all of them fail."""
    hits: list[list[Hit]] = []
    *own, whole = contamination([*map(question_document, case), case_document(case)], guards, hits)
    if found is not None:
        found.append(list(dict.fromkeys(chain(*hits))))
    together = whole.verdict == "fail" and all(said.verdict != "fail" for said in own)
    return [whole] * len(case) if together else own


def _without_repeats(questions: Sequence[Question], params: QuestionGates) -> tuple[list[Question], list[Question]]:
    """Return the cases that no earlier one repeats, whole or in one of its questions, and those that one does."""
    parts = [
        (case[0].case_id, text)
        for case in cases_of(questions)
        for own in [[_text(question) for question in case]]
        for text in (*own, " ".join([case[0].context, *own]))
    ]
    again: dict[str, tuple[float, str]] = {}
    for (name, _), found in zip(parts, repeats([text for _, text in parts], params.duplicate_similarity), strict=True):
        if (first := parts[found.first][0]) != name:
            again.setdefault(name, (found.similarity, first))

    def said(case: Case) -> list[Verdict]:
        value, first = again.get(case[0].case_id, (0.0, ""))
        return [verdict(DUPLICATE, not first, value, f"asks the same as {first}")] * len(case)

    return sift_whole(questions, [said])


def _text(question: Question) -> str:
    return " ".join([question.stem, *sorted(option.text for option in question.options)])


def _stopped_together(case: Case) -> list[Question]:
    """Return a case of which some questions failed, the others stopped with them."""
    first = next(question for question in case if not passed(question))
    why = f"question {first.rank} failed {first.gates[-1].gate}"
    return [
        question
        if not passed(question)
        else replace(question, gates=[*question.gates, Verdict(CASE, "fail", 0.0, why)])
        for question in case
    ]
