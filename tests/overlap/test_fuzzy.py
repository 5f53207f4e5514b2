"""Likeness against brute force, and what it must find and must leave alone."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from med_small_lm.overlap.contamination import COVERAGE, FUZZY, SAME_FACT, ContaminationIndex, hits_of
from med_small_lm.overlap.documents import Document, question_document, text_document
from med_small_lm.overlap.fuzzy import FuzzyIndex, Wording, wording
from med_small_lm.schemas.rows import Option, Question

SUBJECTS = ("scurvy", "gout", "rabies", "tetanus")
EXAM = {
    "Which cusp of the maxillary canine is sharpest when it erupts?": ["mesial", "distal", "buccal ridge", "lingual"],
    "A sailor with bleeding gums drinks only rum; which deficiency is it?": [
        "ascorbate",
        "iron",
        "zinc",
        "niacin",
    ],
    "Which nerve is hurt by a fracture of the humeral shaft?": ["radial", "ulnar", "median", "axillary"],
    "Stones of the gallbladder in sickle cell anemia are made of what?": ["bilirubin", "oxalate", "cystine", "urate"],
    "Which hormone rises first after a heavy meal of starch?": ["insulin", "glucagon", "cortisol", "ghrelin"],
    "Paralysis of the left vocal fold follows surgery on which gland?": ["thyroid", "parotid", "thymus", "adrenal"],
}


def asked(stem: str, texts: list[str], name: str = "r", context: str = "") -> Question:
    options = [Option(key, text) for key, text in zip("ABCD", texts, strict=False)]
    return Question(name, "exam", "test", "single", stem, options, ["A"], texts[0], context=context)


@pytest.fixture(scope="module")
def exam() -> list[Question]:
    return [asked(stem, texts, f"x-{n}") for n, (stem, texts) in enumerate(EXAM.items())]


@pytest.fixture(scope="module")
def index(exam: list[Question]) -> ContaminationIndex:
    return ContaminationIndex(exam, exams=exam)


def by_fuzzy(index: ContaminationIndex, document: Document) -> list[str]:
    return [hit.question_id for hit in index.hits(document) if hit.rule == FUZZY]


def test_a_reworded_question_with_its_options_shuffled_is_found_and_the_reason_says_by_what(
    index: ContaminationIndex,
) -> None:
    stem = "When it comes out, of the upper canine the cusp that is most pointed, or sharpest, is the"
    (hit,) = index.hits(question_document(asked(stem, ["lingual", "buccal ridge", "distal", "mesial"])))
    assert (hit.question_id, hit.benchmark, hit.rule) == ("x-0", "exam", FUZZY)
    assert f"likeness {hit.value:.2f}" in hit.reason and "canine" in hit.reason and hit.question_id in hit.reason
    assert index.fuzzy <= hit.value < 1


def test_half_of_a_stem_is_found(index: ContaminationIndex) -> None:
    half = asked("A fracture of the humeral shaft", ["ulnar", "radial", "axillary", "median"])
    assert by_fuzzy(index, question_document(half)) == ["x-2"]


def test_other_questions_with_some_of_the_words_are_left_alone(index: ContaminationIndex) -> None:
    for stem, texts in {
        "Which hormone does the thyroid gland store?": ["thyroxine", "insulin", "calcitonin", "cortisol"],
        "Which nerve lifts the shoulder?": ["accessory", "phrenic", "vagus", "hypoglossal"],
        "Which of these is a vitamin?": ["ascorbate", "iron", "zinc", "niacin"],  # the options alone
        "Sickle cell anemia": ["one", "two", "three", "four"],  # one term
    }.items():
        assert not by_fuzzy(index, question_document(asked(stem, texts)))


def test_long_options_are_found_without_the_stem_and_a_form_only_with_nothing_in_the_subjects_place() -> None:
    told = ["fragment bent by digastric", "stump pulled by temporalis", "ramus turned by masseter", "jaw shut by lips"]
    colours = ["blue", "green", "grey", "pink"]
    forms = [asked(f"Which cannula suits {name}?", colours, name) for name in SUBJECTS]
    others = [asked(f"Why did a{n} follow b{n}?", [f"c{n}", f"d{n}"], f"y-{n}") for n in range(100)]
    index = ContaminationIndex([asked("What happens at the break?", told, "x-0"), *forms, *others])
    assert by_fuzzy(index, question_document(asked("Examples of patients?", told[::-1]))) == ["x-0"]
    assert not by_fuzzy(index, question_document(asked("Examples of patients?", told[:1])))
    assert not by_fuzzy(index, question_document(asked("Which cannula suits anuria?", colours[::-1])))
    assert by_fuzzy(index, question_document(asked("Which cannula suits?", colours[::-1]))) == list(SUBJECTS)


def test_contexts_do_not_make_the_words_of_bare_questions_common() -> None:
    told = "Rowers in fog were slower, with kits sampled at home, than rowers in sun."
    items = [
        asked(f"Does n{n} slow m{n}?", ["yes", "no"], f"x-{n}", context=f"{told} It was about n{n}.") for n in range(80)
    ]
    bare = asked(
        "Are home kits acceptable among rowers in fog who travel often?", ["yes", "no"], "x-80", context="Yes."
    )
    index = ContaminationIndex([*items, bare])
    assert by_fuzzy(index, question_document(asked("Home kits, among rowers: are they?", ["no", "yes"]))) == ["x-80"]


def test_a_question_lost_in_a_long_text_is_no_question(index: ContaminationIndex) -> None:
    words = " ".join(f"{name}{n}" for n in range(40) for name in ("alpha", "beta"))
    stem = "Which hormone rises first after a heavy meal of starch: insulin, glucagon, cortisol or ghrelin?"
    assert by_fuzzy(index, text_document("d", stem)) == ["x-4"]
    assert not by_fuzzy(index, text_document("d", f"{words} {stem} {words}"))


def test_an_item_with_a_context_is_found_with_it_and_without(exam: list[Question]) -> None:
    context = "Forty rowers were weighed before and after a regatta in heavy fog, and their lactate was measured twice."
    item = Question("c-1", "exam", "test", "open", "Does fog slow rowers down?", [], [], "no data", context=context)
    index = ContaminationIndex([*exam, item])
    bare = asked("Are rowers slower, down in a fog?", ["a", "b"])
    assert by_fuzzy(index, question_document(bare)) == ["c-1"]
    told = "Lactate was measured twice in forty rowers, weighed before a regatta and after, with fog that was heavy."
    assert by_fuzzy(index, text_document("d", told)) == ["c-1"]


def test_documents_give_the_same_hits_alone_and_together_and_guard_by_guard(
    exam: list[Question], index: ContaminationIndex
) -> None:
    other = ContaminationIndex([asked("Which bone is the longest in a giraffe?", ["femur", "tibia"], "y-0")])
    documents = [question_document(question) for question in exam]
    together = list(hits_of(documents, [index, other]))
    assert together == [[*index.hits(one), *other.hits(one)] for one in documents]
    assert all({COVERAGE, FUZZY} <= {hit.rule for hit in hits} <= {COVERAGE, FUZZY, SAME_FACT} for hits in together)
    assert list(hits_of(documents, [])) == [[]] * len(documents)


@pytest.mark.parametrize("seed", range(5))
def test_likeness_is_what_the_definition_says(seed: int) -> None:
    draw = random.Random(seed)
    drawn = [[draw.choice([f"w{n}" for n in range(60)]) for _ in range(draw.randint(3, 12))] for _ in range(120)]
    texts = [wording([tuple(own)], []) for own in drawn]
    items, questions = texts[:80], texts[80:]
    found = {(one.question, one.item): one.similarity for one in FuzzyIndex(items, range(80), 0.3).alike(questions)}
    counts = Counter(word for item in items for word in item.all)
    weight = {w: math.log(81 / counts[w]) if counts[w] else math.log(81) for text in texts for w in text.all}
    content = {w for w in weight if counts[w] < 4}

    def sum_of(words: frozenset[str]) -> float:
        return sum(weight[word] for word in words & content)

    def likeness(question: Wording, item: Wording) -> float:
        a, b = sum_of(question.all), sum_of(item.all)
        return sum_of(question.all & item.all) / (max(min(a, b), max(a, b) / 2) + math.log(81) / 2)

    wanted = {
        (q, i): likeness(question, item)
        for q, question in enumerate(questions)
        for i, item in enumerate(items)
        if len(question.all & item.all & content) >= 3 and likeness(question, item) >= 0.3
    }
    assert found.keys() <= wanted.keys()  # words side by side are one term, and may be too little
    assert all(found[pair] == pytest.approx(wanted[pair]) for pair in found)
