"""The pocket exam: complete, balanced, and of no help to a reader of the options alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import fields
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from med_small_lm.pocket.balance import balanced, shares
from med_small_lm.pocket.exam import asked_facts, exam, read_questions, true_values, write_questions
from med_small_lm.pocket.facts import BOOKS, Fact
from med_small_lm.pocket.library import shelve, statements
from med_small_lm.pocket.wordings import GROUPS, WORDINGS
from med_small_lm.schemas.rows import Question

SPLITS = ("test", "dev")


def _split(questions: list[Question], split: str) -> list[Question]:
    return [question for question in questions if question.split == split]


def test_the_test_split_covers_groups_and_books_and_asks_no_fact_twice(
    questions: list[Question], facts: list[Fact]
) -> None:
    test = _split(questions, "test")
    asked = list(asked_facts(test, facts).values())
    shelves = shelve(facts)
    assert 420 <= len(test) <= 460
    assert len(set(asked)) == len(test)
    assert {fact.group for fact in asked} == set(GROUPS)
    assert {book for fact in asked for book in shelves[fact.subject]} == set(BOOKS)


def test_the_splits_share_no_subject_and_a_third_is_examined(questions: list[Question], facts: list[Fact]) -> None:
    test, dev = ({f.subject for f in asked_facts(_split(questions, s), facts).values()} for s in SPLITS)
    assert not test & dev
    assert abs(len(test) / len({fact.subject for fact in facts}) - 1 / 3) < 0.05


def test_dev_asks_each_group_in_each_of_its_ways(questions: list[Question], facts: list[Fact]) -> None:
    dev = _split(questions, "dev")
    asked = asked_facts(dev, facts)
    told = statements(facts)
    ways: dict[tuple[str, str], set[int]] = defaultdict(set)
    for question in dev:
        fact = asked[question.question_id]
        start = question.stem.lower().startswith
        ways[fact.group] |= {
            n for n, stem in enumerate(WORDINGS[fact.kind][fact.attribute].stems)
            if start(stem.replace("{S}", fact.subject).split("{")[0].lower())
            and question.stem.lower().endswith(stem.replace("{S}", fact.subject).split("}")[-1].lower())
        }  # fmt: skip
        assert [quote.option for quote in question.quotes] == question.answer_keys
        assert question.quotes[0].text in told[fact]
    assert all(ways[group] == set(range(5)) for group in GROUPS)
    assert not any(question.quotes for question in _split(questions, "test"))


def test_options_differ_and_only_the_key_is_right(questions: list[Question], facts: list[Fact]) -> None:
    true = true_values(facts)
    asked = asked_facts(questions, facts)
    values = defaultdict(set)
    for fact in facts:
        values[fact.group].add(fact.value)
    for question in questions:
        fact = asked[question.question_id]
        texts = {option.key: option.text for option in question.options}
        assert list(texts) == list("ABCD")
        assert len(set(texts.values())) == 4
        assert set(texts.values()) <= values[fact.group]
        assert set(texts.values()) & true[fact.subject, fact.attribute] == {question.answer_text}
        assert question.answer_keys == [key for key, text in texts.items() if text == question.answer_text]
        assert "{" not in question.stem and question.answer_text.lower() not in question.stem.lower()


@pytest.mark.parametrize("split", SPLITS)
def test_a_value_is_three_times_as_often_a_distractor_as_right(
    split: str, questions: list[Question], facts: list[Fact]
) -> None:
    own = _split(questions, split)
    asked = asked_facts(own, facts)
    right: Counter[tuple[tuple[str, str], str]] = Counter()
    wrong: Counter[tuple[tuple[str, str], str]] = Counter()
    for question in own:
        group = asked[question.question_id].group
        right[group, question.answer_text] += 1
        wrong.update((group, option.text) for option in question.options if option.text != question.answer_text)
    assert wrong == Counter({value: 3 * n for value, n in right.items()})
    keys = Counter(question.answer_keys[0] for question in own)
    assert max(keys.values()) - min(keys.values()) <= 1
    lengths = [(len(o.text), o.text == q.answer_text) for q in own for o in q.options]
    assert mean(n for n, good in lengths if good) == pytest.approx(mean(n for n, good in lengths if not good))


def test_an_oracle_of_the_most_frequent_right_option_is_at_chance(questions: list[Question], facts: list[Fact]) -> None:
    test = _split(questions, "test")
    asked = asked_facts(test, facts)
    right = Counter((asked[q.question_id].group, q.answer_text) for q in test)
    hits = 0.0
    for question in test:
        counts = {o.text: right[asked[question.question_id].group, o.text] for o in question.options}
        best = [text for text, n in counts.items() if n == max(counts.values())]
        hits += (question.answer_text in best) / len(best)
    assert hits / len(test) <= 0.30


def test_the_exam_depends_on_seed_alone_and_reads_back(
    questions: list[Question], facts: list[Fact], tmp_path: Path
) -> None:
    assert exam(facts, seed=0) == questions
    assert exam(facts, seed=1) != questions
    write_questions(questions, tmp_path / "exam.jsonl")
    assert read_questions(tmp_path / "exam.jsonl") == questions
    first = (tmp_path / "exam.jsonl").read_text().splitlines()[0]
    assert all(f'"{field.name}": ' in first for field in fields(Question))


@pytest.mark.parametrize("seed", range(20))
def test_every_seed_gives_a_full_exam(seed: int, facts: list[Fact]) -> None:
    sizes = Counter(question.split for question in exam(facts, seed))
    assert 420 <= sizes["test"] <= 460
    assert sizes["dev"] == 200


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("answers", ["abcd", "abcde", "aabcdefgh", "aaabbbcdefghijkl", "aaaabc", "abc"])
def test_balance_holds_for_any_multiset_of_answers(answers: str, seed: int) -> None:
    found = balanced(answers, lambda place, value: True, np.random.default_rng(seed))
    right = Counter(answers[place] for place in found)
    assert Counter(value for row in found.values() for value in row) == Counter({v: 3 * n for v, n in right.items()})
    assert all(len({answers[place], *row}) == 4 for place, row in found.items())
    assert bool(found) == (len(set(answers)) >= 4)


def test_balance_keeps_away_from_values_that_are_not_allowed() -> None:
    for seed in range(10):
        found = balanced("abcdefgh", lambda place, value: (place, value) != (0, "b"), np.random.default_rng(seed))
        assert 0 in found and "b" not in found[0]


def test_shares_are_proportional_with_a_floor() -> None:
    assert shares(20, [100, 50, 5, 3], least=4) == [9, 4, 4, 3]
    assert shares(100, [3, 5], least=4) == [3, 5]
