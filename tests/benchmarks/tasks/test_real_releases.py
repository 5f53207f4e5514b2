"""The readers on real releases, where they lie beside the project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from med_small_lm.benchmarks.defects import tally
from med_small_lm.benchmarks.published import fault_of, is_checked, read_release
from med_small_lm.benchmarks.releases import Release
from med_small_lm.benchmarks.tasks import known_tasks, units
from med_small_lm.schemas.frames import Questions
from med_small_lm.schemas.rows import Question
from med_small_lm.schemas.tables import to_frame

DATA = Path(__file__).parents[4] / "shared" / "data" / "benchmarks"
PLACES = {
    "medqa": "medqa", "medqa_5options": "medqa_5options", "medmcqa": "medmcqa/dev.jsonl", "pubmedqa": "pubmedqa",
    "mmlu_medical": "mmlu_medical", "k_qa": "k_qa",
}  # fmt: skip
SUBJECTS = {
    "anatomy": 135, "clinical_knowledge": 265, "college_biology": 144, "college_medicine": 173,
    "medical_genetics": 100, "professional_medicine": 272,
}  # fmt: skip

ASIDE = {"mmlu_medical": 5}
"""Questions of MMLU-Pro that stand as exemplars beside those of MMLU."""

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="no benchmarks beside the project"),
]


@pytest.fixture(scope="module")
def found() -> dict[str, list[Question]]:
    every = {}
    for name, place in PLACES.items():
        release = Release(known_tasks()[name], name, DATA / place)
        assert fault_of(release) == "" and is_checked(release)
        every[name], problems = read_release(release)
        assert len(problems) == ASIDE.get(name, 0)
    return every


@pytest.mark.parametrize("name", PLACES)
def test_counts_are_the_published_ones_and_every_answer_is_an_option(
    found: dict[str, list[Question]], name: str
) -> None:
    own = found[name]
    assert sum(one.split == "test" for one in own) == known_tasks()[name].n
    assert all(set(one.answer_keys) <= {option.key for option in one.options} for one in own)
    assert all(one.answer_keys or one.must_have for one in own)
    Questions.validate(to_frame(own, Question))


def test_subjects_and_splits(found: dict[str, list[Question]]) -> None:
    assert Counter(one.subject for one in found["mmlu_medical"] if one.split == "test") == SUBJECTS
    assert {(one.split, len(one.options)) for one in found["mmlu_medical"]} == {("test", 4)}
    assert Counter(one.split for one in found["pubmedqa"]) == {"test": 500, "dev": 500}
    assert Counter(one.answer_keys[0] for one in found["medqa"]) == {"A": 353, "B": 309, "C": 346, "D": 265}
    claims = [len(one.must_have) for one in found["k_qa"]], [len(one.nice_to_have) for one in found["k_qa"]]
    assert [sum(counts) for counts in claims] == [889, 697] and tally(found["k_qa"]) == {"empty_claim": 3}


def test_questions_that_nobody_answered_are_read_but_of_no_scored_split() -> None:
    questions, problems = read_release(Release(known_tasks()["k_qa"], "k_qa", DATA / "k_qa/questions.jsonl"))
    assert problems == [] and Counter(one.split for one in questions) == {"unlabelled": 1_212}


def test_doubtful_questions_are_told(found: dict[str, list[Question]]) -> None:
    assert tally(found["medqa"]) == tally(found["medqa_5options"]) == tally(found["pubmedqa"]) == {}
    told = tally(found["medmcqa"])
    assert told["equal_options"] == 21 and told["ambiguous_gold"] == 4 and told["contradicted"] == 1
    assert told["repeated_question"] + told["repeated_stem"] == 20
    assert tally(found["mmlu_medical"])["repeated_question"] == 78


def test_medqas_two_releases_are_one_unit(found: dict[str, list[Question]]) -> None:
    four, five = found["medqa"], found["medqa_5options"]
    counted = units([*four, *five])
    assert len(counted) == 2 * 1_273 and len(set(counted.values())) == 1_273
    by_unit = {counted[one.question_id]: one for one in four}
    pairs = [(by_unit[counted[one.question_id]], one) for one in five]
    assert all(a.answer_text == b.answer_text for a, b in pairs)
    assert sum(a.answer_keys == b.answer_keys for a, b in pairs) == 673, "letters are shuffled independently"


def test_healthbench_examples() -> None:
    questions, problems = read_release(
        Release(known_tasks()["healthbench"], "healthbench", DATA / "healthbench_sample")
    )
    assert problems == [] and len(questions) == 10
    assert all(one.rubric and one.stem for one in questions) and any(one.turns for one in questions)
