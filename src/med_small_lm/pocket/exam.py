"""The pocket exam: four-option questions about a third of the subjects, and a dev split about others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from med_small_lm.pocket.aside import write_aside
from med_small_lm.pocket.balance import balanced, shares
from med_small_lm.pocket.facts import Fact, by_subject
from med_small_lm.pocket.library import shelve, statements
from med_small_lm.pocket.vignettes import slots
from med_small_lm.pocket.wordings import GROUPS, N_ONE_LINERS, WORDINGS, capitalised, stable_hash
from med_small_lm.schemas.rows import Option, Question, Quote, Verdict

SOURCE = "pocket_exam"
LICENCE = "Apache-2.0"
KEYS = "ABCD"
TEST_SHARE = 1 / 3  # of the subjects
TEST_ITEMS = 440
DEV_ITEMS_PER_GROUP = 5  # one for each stem
MIN_GROUP = 4  # items; fewer cannot be balanced
MAX_DRAWS = 200

Answer = tuple[Fact, list[str], str]  # the fact asked, its distractors, the stem with its slots filled


class ExamError(ValueError):
    """Why no exam can be made from a fact table."""


def exam(facts: Sequence[Fact], seed: int) -> list[Question]:
    """The questions of both splits, test first, the same for the same facts and seed.

    In each group (kind and attribute) of a split every value is a distractor three times as often as it is right, so
    that nothing but the stem tells the answer.

    Raises:
        ExamError: some attribute has too few facts for four options.
    """
    rng = np.random.default_rng(seed)
    subjects = _draw_subjects(facts, rng)
    test = [fact for fact in facts if fact.subject in subjects]
    dev = [fact for fact in facts if fact.subject not in subjects]
    sizes = shares(TEST_ITEMS, [sum(fact.group == group for fact in test) for group in GROUPS], MIN_GROUP)
    true = true_values(facts)
    asked = _ask(test, true, dict(zip(GROUPS, sizes, strict=True)), seed, rng)
    examples = _ask(dev, true, dict.fromkeys(GROUPS, DEV_ITEMS_PER_GROUP), seed, rng)
    return _questions("test", asked, {}, rng) + _questions("dev", examples, statements(facts), rng)


def true_values(facts: Iterable[Fact]) -> dict[tuple[str, str], set[str]]:
    """The values that the table gives for each subject and attribute."""
    true: dict[tuple[str, str], set[str]] = {}
    for fact in facts:
        true.setdefault((fact.subject, fact.attribute), set()).add(fact.value)
    return true


def write_questions(questions: Iterable[Question], path: Path) -> None:
    """Leaves the questions at ``path``, a JSON object a line with all fields."""
    lines = [json.dumps(asdict(question), ensure_ascii=True) + "\n" for question in questions]
    write_aside(path, "".join(lines).encode())


def read_questions(path: Path) -> list[Question]:
    """The questions of a file that ``write_questions`` left."""
    return [_question(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def asked_facts(questions: Iterable[Question], facts: Iterable[Fact]) -> dict[str, Fact]:
    """The fact that each question asks for, by question id, found from its right answer and its stem.

    Raises:
        ExamError: a question asks for no fact of the table, or for more than one.
    """
    by_value: dict[str, list[Fact]] = {}
    for fact in facts:
        by_value.setdefault(fact.value, []).append(fact)
    found = {}
    for question in questions:
        fitting = [fact for fact in by_value.get(question.answer_text, []) if _asks(question.stem, fact)]
        if len(fitting) != 1:
            raise ExamError(f"{question.question_id} asks for {len(fitting)} facts of the table, not for one")
        found[question.question_id] = fitting[0]
    return found


def _asks(stem: str, fact: Fact) -> bool:
    """True if the stem is one of the fact's group with the fact's subject in it."""
    for wording in WORDINGS[fact.kind][fact.attribute].stems:
        pattern = re.sub(r"\\\{(age|person|setting)\\\}", ".+", re.escape(wording.replace("{S}", fact.subject)))
        if re.fullmatch(pattern, stem, re.IGNORECASE):
            return True
    return False


def _question(fields: dict[str, Any]) -> Question:
    """A question from its JSON object."""
    for name, record in {"options": Option, "quotes": Quote, "gates": Verdict}.items():
        fields = fields | {name: [record(**value) for value in fields[name]]}
    return Question(**fields)


def _draw_subjects(facts: Sequence[Fact], rng: np.random.Generator) -> set[str]:
    """A third of the subjects of each kind, drawn anew until every attribute and every book is among their facts."""
    subjects = by_subject(facts)
    shelves = shelve(facts)
    for _ in range(MAX_DRAWS):
        drawn: set[str] = set()
        for kind in WORDINGS:
            names = [name for name, own in subjects.items() if own[0].kind == kind]
            drawn |= {names[n] for n in rng.permutation(len(names))[: round(TEST_SHARE * len(names))]}
        values = {group: {f.value for f in facts if f.group == group and f.subject in drawn} for group in GROUPS}
        bare = set[str]().union(*shelves.values()).difference(*(shelves[name] for name in drawn))
        if min(map(len, values.values())) >= MIN_GROUP and not bare:
            return drawn
    scarce = min(values, key=lambda group: len(values[group]))
    raise ExamError(f"a third of the subjects has too few values of {'.'.join(scarce)} for questions of four options")


def _ask(
    facts: Sequence[Fact], true: Mapping[tuple[str, str], set[str]], wanted: Mapping[tuple[str, str], int], seed: int,
    rng: np.random.Generator,
) -> list[Answer]:  # fmt: skip
    """The facts to ask of each group with their distractors and stems, in the order of the table."""
    asked: list[Answer] = []
    for group in GROUPS:
        own = [fact for fact in facts if fact.group == group]

        def allowed(place: int, value: str, own: Sequence[Fact] = own) -> bool:
            return value not in true[own[place].subject, own[place].attribute]

        found = balanced([fact.value for fact in own], allowed, rng, wanted[group])
        if not found:
            raise ExamError(f"no balanced questions of four options can be made of {'.'.join(group)}")
        first = int(rng.integers(len(WORDINGS[group[0]][group[1]].stems)))
        for turn, place in enumerate(sorted(found)):
            asked.append((own[place], found[place], _stem(own[place], first + turn, seed)))
    return asked


def _stem(fact: Fact, turn: int, seed: int) -> str:
    """The ``turn``-th stem of the fact's group (counted round and round), its slots filled."""
    stems = WORDINGS[fact.kind][fact.attribute].stems
    place = turn % len(stems)
    filled = slots(fact, seed) if place >= N_ONE_LINERS else {}
    return capitalised(stems[place].format(S=fact.subject, **filled))


def _questions(
    split: str, asked: Sequence[Answer], evidence: Mapping[Fact, list[str]], rng: np.random.Generator
) -> list[Question]:
    """The records of a split in a mixed order, the right answer standing equally often at each key."""
    questions = []
    turns = [n % len(KEYS) for n in range(len(asked))]
    mixed = rng.permutation(len(asked))
    for number, (place, turn) in enumerate(zip(mixed, rng.permutation(turns), strict=True), start=1):
        fact, distractors, stem = asked[place]
        texts = [distractors[n] for n in rng.permutation(len(distractors))]
        texts.insert(turn, fact.value)
        key = KEYS[turn]
        told = evidence.get(fact, [])
        quotes = [Quote(key, told[stable_hash("quote", fact.subject, fact.attribute) % len(told)])] if told else []
        questions.append(
            Question(
                question_id=f"{SOURCE}-{split}-{number:04d}", source=SOURCE, split=split, kind="single", stem=stem,
                options=[Option(key, text) for key, text in zip(KEYS, texts, strict=True)], answer_keys=[key],
                answer_text=fact.value, quotes=quotes, method="pocket", licence=LICENCE,
            )
        )  # fmt: skip
    return questions
