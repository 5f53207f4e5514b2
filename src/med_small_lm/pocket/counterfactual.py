"""The counterfactual: some facts of the table changed, and the exam's keys with them.

A model that learnt from the books follows the change; one that knew the answers from elsewhere does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from med_small_lm.pocket.exam import ExamError, asked_facts
from med_small_lm.pocket.facts import Fact, by_subject
from med_small_lm.schemas.rows import Question

N_CHANGES = 40


@dataclass(frozen=True, slots=True)
class Change:
    """A fact whose value was changed, and the exam item that asks for it."""

    subject: str
    kind: str
    attribute: str
    old: str
    new: str
    question_id: str


def counterfactual(
    facts: Sequence[Fact], questions: Sequence[Question], seed: int, n: int = N_CHANGES
) -> tuple[list[Fact], list[Change], list[Question]]:
    """The table with ``n`` values changed, the changes, and the exam with the keys that are right for that table.

    Each new value is a distractor of the item that asks for the fact, so that the item keeps its options and one
    right answer. The items are drawn by seed; no subject is changed twice.

    Raises:
        ExamError: fewer than ``n`` items can be changed, or an item asks for no fact of the table.
    """
    test = [question for question in questions if question.split == "test"]
    asked = asked_facts(test, facts)
    order = np.random.default_rng(seed).permutation(len(test))
    known = {name: {fact.value for fact in own} for name, own in by_subject(facts).items()}
    changes: dict[str, Change] = {}
    for question in (test[place] for place in order):
        fact = asked[question.question_id]
        wrong = [option.text for option in question.options if option.text not in known[fact.subject]]
        new = next((text for text in wrong if not _names_itself(fact, text)), None)
        if new is not None and fact.subject not in changes and len(changes) < n:
            change = Change(fact.subject, fact.kind, fact.attribute, fact.value, new, question.question_id)
            changes[fact.subject] = change
    if len(changes) < n:
        raise ExamError(f"only {len(changes)} facts can be changed, not {n}")
    return _changed(facts, changes), list(changes.values()), _rekeyed(questions, changes)


def _names_itself(fact: Fact, value: str) -> bool:
    """True if the value repeats a word of the subject's name and would so give itself away."""
    return bool(set(fact.subject.lower().split()) & set(value.lower().split()))


def _changed(facts: Sequence[Fact], changes: dict[str, Change]) -> list[Fact]:
    """The table with the new values, in its order."""
    new = {(change.subject, change.attribute, change.old): change.new for change in changes.values()}
    return [replace(fact, value=new.get((fact.subject, fact.attribute, fact.value), fact.value)) for fact in facts]


def _rekeyed(questions: Sequence[Question], changes: dict[str, Change]) -> list[Question]:
    """The exam in its order, the changed items with the key of the new value."""
    new = {change.question_id: change.new for change in changes.values()}
    rekeyed = []
    for question in questions:
        if value := new.get(question.question_id):
            keys = [option.key for option in question.options if option.text == value]
            question = replace(question, answer_keys=keys, answer_text=value)
        rekeyed.append(question)
    return rekeyed
