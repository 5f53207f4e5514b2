"""Questions put to a model in one way, and what came back before anything is read from it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.benchmarks import permuting
from med_small_lm.benchmarks.answered import Raw, Reply, keys_of
from med_small_lm.benchmarks.open_book import Pages, opened
from med_small_lm.benchmarks.progressive import answered_so, earlier_of, waves, with_earlier
from med_small_lm.benchmarks.prompts import LAYOUTS
from med_small_lm.benchmarks.runs import CONTEXT, LIKELIHOOD, PERMUTED, STEM_HIDDEN, Run
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore, Question


class Asker(Protocol):
    """What can be asked: a model that is loaded here, or an endpoint."""

    def write(self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]) -> list[Reply]:
        """A written reply to each question."""

    def score(
        self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]
    ) -> list[list[KeyScore]]:
        """The log-probability of each option of each question; nothing where it does not fit."""

    def fits(self, question: Question, run: Run, form: Form, shots: Sequence[Question]) -> bool:
        """Whether a question and the answer to it fit the context."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all questions of a benchmark are asked with.

    Attributes:
        params: limits, seed and contexts.
        forms: by name.
        shots: the examples that stand before questions, by ``shots_of`` a way of asking.
        pages: with the books open, what was found for each question.
    """

    params: Evaluate
    forms: Mapping[str, Form]
    shots: Mapping[str, Sequence[Question]] = field(default_factory=dict)
    pages: Pages | None = None


@dataclass(frozen=True, slots=True)
class _Put:
    """One question as it is put, once or as its propositions."""

    question: Question
    sample: int
    asked: list[Question]


def answered(
    run: Run, questions: Sequence[Question], asker: Asker, setting: Setting, counts: Counter[str] | None = None
) -> list[Raw]:
    """Returns what came back to each question and sample, sample by sample of each question.

    Args:
        run: how they are put.
        questions: all questions of the cases that they belong to.
        asker: who answers.
        setting: what they are asked with.
        counts: gains what was left out: earlier questions, passages.
    """
    form, seen = setting.forms[run.form], counts if counts is not None else Counter()
    if run.beside != CONTEXT or run.value != "model":
        earlier = earlier_of(questions) if run.beside == CONTEXT and run.value == "gold" else {}
        return _asked(run, list(_put(run, questions, earlier, asker, setting, seen)), asker, form, setting)
    made: list[Raw] = []
    known: dict[str, Question] = {}
    before = earlier_of(questions)
    for wave in waves(questions):
        told = {q.question_id: [known[one.question_id] for one in before.get(q.question_id, ())
                                if one.question_id in known] for q in wave}  # fmt: skip
        unread = sum(len(before.get(name, ())) - len(own) for name, own in told.items())
        seen.update({"earlier": unread, "earlier left out": unread})
        raws = _asked(run, list(_put(run, wave, told, asker, setting, seen)), asker, form, setting)
        for question, raw in zip(wave, raws, strict=True):
            state, keys = keys_of(run, raw, question, form)
            if state in ("parsed", "repaired"):  # what cannot be read cannot be shown
                text = " ".join(reply.text for reply in raw.replies)
                known[question.question_id] = answered_so(question, keys, text)
        made += raws
    return made


def _put(
    run: Run, questions: Sequence[Question], earlier: Mapping[str, Sequence[Question]], asker: Asker,
    setting: Setting, counts: Counter[str],
) -> Iterator[_Put]:  # fmt: skip
    """The questions as they are put, sample by sample."""
    form, shots = setting.forms[run.form], examples(run, setting)

    def fits(one: Question) -> bool:
        return asker.fits(one, run, form, shots)

    for question in questions:
        own = earlier.get(question.question_id, ())
        for sample in range(run.samples):
            put = as_shown(run, question, sample, setting.params.seed)
            if run.beside == STEM_HIDDEN:
                put = replace(put, stem="", context="", turns=[])
            put = _in_case(put, own, form, fits, counts)
            if setting.pages is not None:
                put = _with_pages(put, setting.pages.get(question.question_id, []), own, form, fits, counts)
            yield _Put(question, sample, _parts(put, form, own))


def _in_case(
    question: Question, earlier: Sequence[Question], form: Form, fits: Callable[[Question], bool], counts: Counter[str]
) -> Question:
    """The question behind the earlier ones of its case; propositions have them in their own prompt."""
    if isinstance(form, PropositionForm):
        kept = sum(len(form.shown(question, option, earlier)) for option in question.options)
        counts["earlier"] += len(earlier) * len(question.options)
        counts["earlier left out"] += len(earlier) * len(question.options) - kept
        return question
    put, left_out = with_earlier(question, earlier, form, fits) if earlier else (question, 0)
    counts["earlier"] += len(earlier)
    counts["earlier left out"] += left_out
    return put


def _with_pages(
    question: Question, pages: Sequence[str], earlier: Sequence[Question], form: Form,
    fits: Callable[[Question], bool], counts: Counter[str],
) -> Question:  # fmt: skip
    """The question behind the passages that leave room for all that is asked of it."""
    put, shown = opened(question, pages, lambda one: all(map(fits, _parts(one, form, earlier))))
    counts["passages"] += len(pages)
    counts["passages left out"] += len(pages) - shown
    return put


def _parts(question: Question, form: Form, earlier: Sequence[Question]) -> list[Question]:
    """The question itself, or its propositions."""
    return form.propositions(question, earlier) if isinstance(form, PropositionForm) else [question]


def _asked(run: Run, put: Sequence[_Put], asker: Asker, form: Form, setting: Setting) -> list[Raw]:
    """What came back to each question as it was put."""
    flat, shots = [one for entry in put for one in entry.asked], examples(run, setting)
    if run.mode == LIKELIHOOD:
        scores = iter(asker.score(flat, run, form, shots))
        return [Raw(e.question.question_id, e.sample, [], [next(scores) for _ in e.asked]) for e in put]
    said = iter(asker.write(flat, run, form, shots))
    return [Raw(e.question.question_id, e.sample, [next(said) for _ in e.asked], []) for e in put]


def as_shown(run: Run, question: Question, sample: int, seed: int) -> Question:
    """Returns the question with its options in the order of a sample."""
    if run.beside != PERMUTED:
        return question
    return permuting.shown(question, permuting.order_of(question, sample, seed))


def shots_of(run: Run, params: Evaluate) -> str:
    """Returns what tells the examples of a way of asking from another's: their number, and whose they are."""
    return f"{run.shots} of each subject" if are_by_subject(run, params) else str(run.shots)


def are_by_subject(run: Run, params: Evaluate) -> bool:
    """Returns whether each subject has examples of its own: in the plain layout of MMLU."""
    is_plain = run.mode == LIKELIHOOD and run.how != "proposition" and params.layout != "chat"
    return is_plain and LAYOUTS[params.layout].is_by_subject


def examples(run: Run, setting: Setting) -> Sequence[Question]:
    """Returns the examples that stand before questions; of propositions, a true or a false one of each by turns."""
    form, shots = setting.forms[run.form], setting.shots.get(shots_of(run, setting.params), ())
    if not isinstance(form, PropositionForm):
        return shots
    draw, picked = random.Random(setting.params.seed), list[Question]()
    for place, shot in enumerate(shots):
        wanted = "T" if place % 2 == 0 else "F"
        own = form.propositions(shot)
        picked.append(draw.choice([one for one in own if one.answer_keys == [wanted]] or own))
    return picked
