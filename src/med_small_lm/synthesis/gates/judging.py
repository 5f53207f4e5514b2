"""The teacher as a judge of questions: what only a reader can tell.

support      does the quote, by itself, prove the answer?
one_right    which of the options are right? exactly the keyed ones have to be (one, or several)
answerable   which option does the passage lead to? the keyed one (yes, no and maybe, too)
obvious      which option do stem and options give away without it? not the keyed one
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.schemas.rows import Passage, Question, Verdict
from med_small_lm.synthesis.asked import Asked, fault_of, is_drawn, parsed_of, text_field
from med_small_lm.synthesis.gates.verdicts import sift, verdict
from med_small_lm.synthesis.rationales import keys_of
from med_small_lm.synthesis.shots import asked_text
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

Said = tuple[bool, str]
"""Whether a reply speaks for a question, and why not."""


@dataclass(frozen=True, slots=True)
class Judge:
    """One judgement: its gate, of which questions it can be asked, what its prompt is filled with, how it is read.

    ``read`` returns None for a reply that does not say what it was asked.
    """

    gate: str
    can_judge: Callable[[Question], bool]
    slots: Callable[[Question, Passage], Mapping[str, Any]]
    read: Callable[[Question, Mapping[str, Any]], Said | None]


def judge_requests(
    judge: Judge,
    questions: Sequence[Question],
    passages: Sequence[Passage],
    prompt: Prompt,
    sampling: Mapping[str, Any] | None = None,
    share: float = 1.0,
    votes: int = 1,
) -> list[Asked]:
    """Return what to ask the teacher: ``votes`` requests for each of the ``share`` of questions that is drawn."""
    by_id = {passage.passage_id: passage for passage in passages}
    return [
        Asked(prompt.request(judge.slots(q, by_id[_passage_id(q)]), sampling or {}, sample), by_id[_passage_id(q)], q)
        for q in questions
        if judge.can_judge(q) and is_drawn(q.question_id, share)
        for sample in range(votes)
    ]


def judged(
    judge: Judge, questions: Sequence[Question], asked: Sequence[Asked], replies: Sequence[Reply], share: float = 1.0
) -> tuple[list[Question], list[Question]]:
    """Return the questions that more than half of their replies speak for, and the others.

    The verdict's value is the share of the replies that do. A call that failed speaks for nothing. What was not drawn
    is skipped, and so is what the judge cannot tell.
    """
    said: dict[str, list[Reply]] = defaultdict(list)
    for one, reply in zip(asked, replies, strict=True):
        if one.question is not None:
            said[one.question.question_id].append(reply)

    def verdict_of(question: Question) -> Verdict:
        if not is_drawn(question.question_id, share):
            return Verdict(judge.gate, "skip", 0.0, "not drawn")
        if not judge.can_judge(question):
            return Verdict(judge.gate, "skip", 0.0, f"not asked of kind {question.kind}")
        return _verdict(judge, question, said[question.question_id])

    return sift(questions, [verdict_of])


def _verdict(judge: Judge, question: Question, replies: Sequence[Reply]) -> Verdict:
    """Return what the replies say of their question, by majority."""
    if not replies:
        return Verdict(judge.gate, "fail", 0.0, "it was not asked about")
    said = [_said(judge, question, reply) for reply in replies]
    value = sum(speaks for speaks, _ in said) / len(said)
    return verdict(judge.gate, value > 0.5, value, next((why for speaks, why in said if not speaks), ""))


def _said(judge: Judge, question: Question, reply: Reply) -> Said:
    if fault := fault_of(reply):
        return False, fault
    return judge.read(question, parsed_of(reply)) or (False, f"the reply does not say whether it is {judge.gate}")


def _passage_id(question: Question) -> str:
    return question.quotes[0].passage_id if question.quotes else question.passage_ids[0]


def _of_kinds(*kinds: str) -> Callable[[Question], bool]:
    return lambda question: question.kind in kinds and bool(question.passage_ids)


def _can_prove(question: Question) -> bool:
    """Return whether one quote can prove the answer: not one of several, nor that something is left open."""
    return bool(question.quotes) and question.kind not in ("multi", "progressive") and question.answer_text != "maybe"


def _listed(question: Question, passage: Passage) -> Mapping[str, Any]:
    return _bare(question, passage) | {"passage": passage.text}


def _bare(question: Question, _: Passage) -> dict[str, Any]:
    return {"stem": asked_text(question), "options": [option.text for option in question.options]}


def _supported(_: Question, parsed: Mapping[str, Any]) -> Said | None:
    supported = parsed.get("supported")
    if not isinstance(supported, bool):
        return None
    return supported, text_field(parsed, "why") or "the quote does not prove it"


def _one_right(question: Question, parsed: Mapping[str, Any]) -> Said | None:
    """Return whether the options called right are the keyed ones, neither more nor fewer."""
    right = parsed.get("right")
    if not isinstance(right, list) or not all(isinstance(text, str) for text in right):
        return None
    said = [keys_of(text, question.options) for text in right]
    if not all(said):
        return None  # something that is no option
    named = {key for keys in said for key in keys}
    why = f"right are {', '.join(sorted(named)) or 'none'}, not {', '.join(question.answer_keys)}"
    return named == set(question.answer_keys), f"{why}: {text_field(parsed, 'why')}"


def _led_to(question: Question, parsed: Mapping[str, Any]) -> Said | None:
    """Return whether the passage leads to the keyed option."""
    if not isinstance(parsed.get("answer"), str):
        return None
    named = keys_of(text_field(parsed, "answer"), question.options)
    return named == question.answer_keys, f"the passage leads to {', '.join(named) or 'no option'}"


def _given_away(question: Question, parsed: Mapping[str, Any]) -> Said | None:
    """Return whether the keyed option is not told by the wording alone."""
    if not isinstance(parsed.get("answer"), str):
        return None
    named = keys_of(text_field(parsed, "answer"), question.options)
    return named != question.answer_keys, text_field(parsed, "why") or "the wording gives the answer away"


JUDGE = "judge"
SUPPORT = Judge(
    JUDGE,
    _can_prove,
    lambda question, _: {"quote": question.quotes[0].text, "answer": question.answer_text, "stem": question.stem},
    _supported,
)
ONE_RIGHT = Judge("one_right", _of_kinds("single", "multi"), _listed, _one_right)
ANSWERABLE = Judge("answerable", _of_kinds("single", "yes_no"), _listed, _led_to)
OBVIOUS = Judge("not_obvious", _of_kinds("single"), _bare, _given_away)


def judgements(params: GenerateQuestions) -> dict[str, tuple[Judge, float]]:
    """Return the judges by the names of their prompts, each with the share of the questions that it is asked of."""
    judges = params.judges
    return {
        "support": (SUPPORT, float(params.judge_support)),
        "one_right": (ONE_RIGHT, judges.one_right_share),
        "answerable": (ANSWERABLE, judges.answerable_share),
        "obvious": (OBVIOUS, judges.answerable_share),
    }
