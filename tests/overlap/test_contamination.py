"""The gate against an independent check that knows the subjects by name, and against planted questions."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace

import pytest

from med_small_lm.overlap.contamination import COVERAGE, SAME_FACT, ContaminationIndex, hits_of
from med_small_lm.overlap.documents import Document, question_document, text_document
from med_small_lm.pocket.exam import exam as exam_of
from med_small_lm.pocket.facts import Fact
from med_small_lm.pocket.library import statements
from med_small_lm.schemas.rows import Option, Question, Quote, Rationale

KEYS = "ABCD"
INVENTED = (
    "zorvadil", "Brelk syndrome", "tamovir B4", "Quist disease", "norbal nerve", "acute perlitis", "vitamin Q",
    "Ostrea velumis", "left dorsal commissure", "mivast cell", "drexin hormone", "Hale-Porter syndrome",
)  # fmt: skip


def plain(text: str) -> str:
    """Text as the check compares it, by code that the gate does not share."""
    return f" {re.sub('[^a-z0-9]+', ' ', text.lower()).strip()} "


def training_question(stem: str, right: str, wrong: list[str], quote: str = "") -> Question:
    options = [Option(key, text) for key, text in zip(KEYS, [right, *wrong], strict=False)]
    return Question("q-0", "book", "train", "single", stem, options, ["A"], right, quotes=[Quote("A", quote)])


def everything(question: Question, rationale: str = "") -> str:
    texts = [question.stem, *(o.text for o in question.options), *(q.text for q in question.quotes), rationale]
    return plain(" | ".join(texts))


def covered(index: ContaminationIndex, document: Document) -> dict[str, float]:
    return {hit.question_id: hit.value for hit in index.hits(document) if hit.rule == COVERAGE}


def given_away(text: str, items: list[Question], asked: dict[str, Fact]) -> set[str]:
    """Brute force: the items whose real subject and answer stand anywhere in a text."""
    return {
        item.question_id
        for item in items
        if plain(asked[item.question_id].subject) in text and plain(item.answer_text) in text
    }


@pytest.fixture(scope="module")
def training(exam: list[Question], facts: list[Fact]) -> list[Question]:
    """1,500 questions about the whole table, as a teacher without scruples would ask them of the books' sentences."""
    rng = random.Random(0)
    told = statements(facts)
    forms = exam_of(facts, seed=5)  # the same forms of stems, drawn about other subjects
    groups: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        groups.setdefault(fact.group, []).append(fact.value)
    found = []
    for question in [*forms, *exam]:
        fitting = [f for f in facts if f.value == question.answer_text and plain(f.subject) in plain(question.stem)]
        for fact in fitting[:1]:
            wrong = rng.sample(sorted(set(groups[fact.group]) - {fact.value}), 3)
            found.append(training_question(question.stem, fact.value, wrong, rng.choice(told[fact])))
    return rng.sample(found, min(1_500, len(found)))


def test_no_exam_fact_stands_in_a_kept_record_and_no_other_record_is_stopped(
    training: list[Question], items: list[Question], asked: dict[str, Fact], index: ContaminationIndex
) -> None:
    kept = [question for question in training if not index.hits(question_document(question))]
    assert len(kept) > 300
    assert not [q for q in kept if given_away(everything(q), items, asked)]
    stopped = [question for question in training if index.hits(question_document(question))]
    needless = [q for q in stopped if not given_away(everything(q), items, asked)]
    assert len(needless) <= 0.05 * len(kept)


def test_the_fact_is_found_in_every_wording_of_the_books_and_as_a_wrong_option(
    items: list[Question], asked: dict[str, Fact], facts: list[Fact], index: ContaminationIndex
) -> None:
    told = statements(facts)
    for item in items:
        fact = asked[item.question_id]
        for text in told[fact]:
            assert item.question_id in {hit.question_id for hit in index.hits(text_document("t", text))}, text
        aside = training_question(f"Which of these goes with {fact.subject}?", "ice", [fact.value, "fire", "earth"])
        assert item.question_id in {hit.question_id for hit in index.hits(question_document(aside))}


@pytest.mark.parametrize("answers", ["other", "same"])
def test_questions_that_only_share_the_wording_survive(
    answers: str, items: list[Question], dev: list[Question], asked: dict[str, Fact], index: ContaminationIndex
) -> None:
    rng = random.Random(1)
    others = sorted({asked[question.question_id].subject for question in dev}) + list(INVENTED)
    survived = 0
    for item in rng.sample(items, 200):
        subject = asked[item.question_id].subject
        stem = re.sub(re.escape(subject), rng.choice(others), item.stem, flags=re.IGNORECASE)
        assert stem != item.stem
        wrong = [option.text for option in item.options if option.key not in item.answer_keys]
        right = item.answer_text if answers == "same" else wrong.pop()
        planted = training_question(stem, right, wrong)
        survived += not index.hits(question_document(planted))
    assert survived >= 190


def test_a_copy_is_found_by_coverage_with_other_options(items: list[Question], index: ContaminationIndex) -> None:
    for item in items[:100]:
        copy = training_question(item.stem, "one", ["two", "three", "four"])
        assert covered(index, question_document(copy))[item.question_id] == 1.0


def test_coverage_counts_one_document_and_respects_the_threshold() -> None:
    stem = " ".join(f"word{n}" for n in range(27))  # 20 grams
    item = Question("x-1", "x", "test", "single", stem, [Option("A", "gold"), Option("B", "tin")], ["A"], "gold")
    index = ContaminationIndex([item], coverage=0.2)
    four_grams, three_grams = " ".join(stem.split()[:11]), " ".join(stem.split()[:10])
    assert covered(index, text_document("d", four_grams)) == {"x-1": 0.2}
    assert not covered(index, text_document("d", three_grams))
    halves = [question_document(training_question(" ".join(stem.split()[:10]), " ".join(stem.split()[9:19]), []))]
    # 3 grams and 3 grams; none stands across the texts
    assert {round(value, 2) for value in covered(index, halves[0]).values()} == {0.3}


def test_a_text_shorter_than_a_gram_is_found_whole() -> None:
    item = Question("x-1", "x", "test", "single", "Cause of zorvadil rash?", [Option("A", "heat")], ["A"], "heat")
    index = ContaminationIndex([item])
    assert covered(index, text_document("d", "The cause of zorvadil rash.")) == {"x-1": 1.0}
    assert not covered(index, text_document("d", "The rash of zorvadil"))


def test_half_of_the_content_words_in_order_with_the_answer_is_the_same_fact() -> None:
    stem = "A sailor with bleeding gums and corkscrew hairs drinks only rum; which deficiency explains this?"
    item = Question("x-1", "x", "test", "single", stem, [Option("A", "ascorbate"), Option("B", "iron")], ["A"], "x")
    others = [replace(item, question_id=f"x-{n}", stem=f"Unlike story number {n} about which thing?") for n in (2, 3)]
    index = ContaminationIndex([item, *others])
    said = "The sailor had gums that bled, corkscrew hairs, and drinks rum daily: give ascorbate."
    assert ("x-1", SAME_FACT) in [(h.question_id, h.rule) for h in index.hits(text_document("d", said))]
    backwards = "Rum drinks, hairs of corkscrew, gums of a sailor: give ascorbate."
    assert SAME_FACT not in [hit.rule for hit in index.hits(text_document("d", backwards))]
    wrong = training_question("The sailor had gums, corkscrew hairs, drinks rum: which?", "iron", ["ascorbate"])
    assert SAME_FACT not in [hit.rule for hit in index.hits(question_document(wrong))]


def test_a_subject_of_forms_is_known_in_other_stems_but_within_the_answer_it_tells_nothing(
    items: list[Question], dev: list[Question]
) -> None:
    def item(name: str, stem: str, answer: str) -> Question:
        options = [Option("A", answer), Option("B", "ice")]
        return Question(name, "x", "test", "single", stem, options, ["A"], answer)

    spoken = item(
        "x-1", "In its own odd and roundabout manner vasopressin answers to which remote influence?", "cold showers"
    )
    within = item("x-2", "Which is a sour acid?", "strong acid")
    index = ContaminationIndex([*items, spoken, within], dev)

    def found(text: str) -> list[str]:
        return [hit.question_id for hit in index.hits(text_document("d", text)) if hit.rule == SAME_FACT]

    assert found("Cold showers bring out vasopressin.") == ["x-1"]
    assert not found("He drank a strong acid.")


def test_grams_with_one_content_word_are_no_copy() -> None:
    options = [Option("A", "sham surgery"), Option("B", "herbs")]
    item = Question(
        "x-1", "x", "test", "single", "Which of the following is an example of placebo?", options, ["A"], "sham surgery"
    )
    index = ContaminationIndex([item])
    assert not covered(index, text_document("d", "Which of the following is an example of a normal loop?"))
    assert covered(index, text_document("d", item.stem)) == {"x-1": 1.0}


def test_the_rationale_is_part_of_the_document(items: list[Question], asked: dict[str, Fact]) -> None:
    item = items[0]
    fact = asked[item.question_id]
    question = training_question("Which of these is meant?", "one", ["two", "three", "four"])
    told = Rationale("r-0", "q-0", "m", f"{fact.subject}: {fact.value}.", ["A"], [], "c", [], "")
    index = ContaminationIndex(items)
    assert not index.hits(question_document(question))
    assert item.question_id in {hit.question_id for hit in index.hits(question_document(question, [told]))}


@pytest.mark.parametrize("answer", ["yes", "No", "oui", "Peut-être", "faux", "Ja", "sí", "None of the above"])
def test_yes_and_no_are_no_facts_in_whatever_language(answer: str) -> None:
    names = ["zorvadil", "melanotrin", "quelazine", "brivostat", "tarnopril"]
    stems = [f"Does {name} cause {loss} in rats?" for name in names for loss in ("hair loss", "deafness")]
    options = [Option("A", answer), Option("B", "else")]
    items = [Question(f"x-{n}", "x", "test", "yes_no", s, options, ["A"], answer) for n, s in enumerate(stems)]
    assert not ContaminationIndex(items).hits(text_document("d", f"{answer}, we gave them zorvadil."))
    known = [replace(one, options=[Option("A", "by mouth")], answer_text="by mouth") for one in items]
    assert ContaminationIndex(known).hits(text_document("d", "By mouth, we gave them zorvadil."))


def test_an_empty_benchmark_guards_nothing() -> None:
    assert not ContaminationIndex([]).hits(text_document("d", "anything"))


def test_ten_thousand_records_take_seconds(training: list[Question], index: ContaminationIndex) -> None:
    documents = [question_document(question) for question in training]
    many = [documents[n % len(documents)] for n in range(10_000)]
    started = time.perf_counter()
    assert len(list(hits_of(many, [index]))) == 10_000
    assert time.perf_counter() - started < 20  # about 1.5 s; the rest is for a busy machine
