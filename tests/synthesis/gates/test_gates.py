"""Each gate on planted records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Option, Passage, Question, Quote, Rationale, Verdict
from med_small_lm.synthesis.gates import duplicates
from med_small_lm.synthesis.gates import questions as question_gates
from med_small_lm.synthesis.gates import rationales as rationale_gates
from med_small_lm.synthesis.gates import verdicts as gates
from med_small_lm.synthesis.gates.language import language_of

PARAMS = QuestionGates()
TEXT = "Scurvy is due to a lack of vitamin C. Its hallmark sign is corkscrew hairs, and gums that bleed."
PASSAGES = {"b-1": Passage("b-1", "b", 0, "C > S", 1, 1, TEXT, 18, "", "")}


def question(stem: str = "Which deficiency causes scurvy?", **changes: object) -> Question:
    options = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "iron", "zinc"], strict=True)]
    quotes = [Quote("A", "Scurvy is due to a lack of vitamin C.", "", "b-1")]
    base = Question("q-1", "b", "train", "single", stem, options, ["A"], "vitamin C", quotes=quotes)
    return replace(base, passage_ids=["b-1"], **changes)  # type: ignore[arg-type]


def options(*texts: str) -> list[Option]:
    return [Option(key, text) for key, text in zip("ABCD", texts, strict=False)]


@pytest.mark.parametrize("stem", ["Why?", "What does the passage say of scurvy?", "What is shown in Figure 3 of it?"])
def test_a_stem_too_short_or_pointing_elsewhere_fails(stem: str) -> None:
    assert question_gates.question_format(question(stem), PARAMS).verdict == "fail"
    assert question_gates.question_format(question(), PARAMS).verdict == "pass"


def test_options_must_differ_and_be_alike_in_length() -> None:
    assert question_gates.option_texts(question(), PARAMS).verdict == "pass"
    twins = question(options=options("vitamin C", "Vitamin-C.", "iron", "zinc"))
    assert "equal" in question_gates.option_texts(twins, PARAMS).reason
    long = question(options=options("a deficiency of vitamin C for many months", "iron", "zinc", "lead"))
    said = question_gates.option_texts(long, PARAMS)
    assert said.verdict == "fail" and said.value > 4


def test_the_pocket_exams_own_options_pass(exam: list[Question]) -> None:
    failed = [q for q in exam if question_gates.option_texts(q, PARAMS).verdict == "fail"]
    assert len(failed) <= 0.02 * len(exam)
    assert all(question_gates.question_format(q, PARAMS).verdict == "pass" for q in exam)


def test_support_wants_a_quote_from_the_passage_that_holds_the_answer() -> None:
    assert question_gates.question_support(question(), PASSAGES, PARAMS).verdict == "pass"
    other = question(quotes=[Quote("A", "Its hallmark sign is corkscrew hairs.", "", "b-1")])
    assert "of the answer" in question_gates.question_support(other, PASSAGES, PARAMS).reason
    invented = question(quotes=[Quote("A", "Vitamin C is what scurvy patients were never given.", "", "b-1")])
    assert "of the quote" in question_gates.question_support(invented, PASSAGES, PARAMS).reason
    turned = question(quotes=[Quote("A", "Scurvy is due to a lack of vitamin A.", "", "b-1")])
    said = question_gates.question_support(turned, PASSAGES, PARAMS)
    assert said.verdict == "fail" and "of the quote" in said.reason
    denied = question(quotes=[Quote("A", f"{TEXT[:-6].replace('is due', 'is not due')} bleed.", "", "b-1")])
    assert "'not'" in question_gates.question_support(denied, PASSAGES, PARAMS).reason
    spelled = question(answer_text="2 gums", quotes=[Quote("A", "two gum", "", "b-2")])
    book = {"b-2": replace(PASSAGES["b-1"], passage_id="b-2", text="There are two gum sores.")}
    assert question_gates.question_support(spelled, book, PARAMS).verdict == "pass"
    assert question_gates.question_support(question(quotes=[]), PASSAGES, PARAMS).verdict == "fail"
    assert question_gates.question_support(question(), {}, PARAMS).verdict == "fail"


def test_duplicates_are_told_from_questions_about_another_subject(exam: list[Question]) -> None:
    shuffled = replace(exam[0], question_id="q-2", options=exam[0].options[::-1])
    said = duplicates.duplicates([*exam, shuffled], PARAMS)
    assert [verdict.verdict for verdict in said[:-1]] == ["pass"] * len(exam)
    assert said[-1].verdict == "fail" and exam[0].question_id in said[-1].reason


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stem": "What makes up for the deficiency that causes scurvy?"},
        {"options": options("zinc", "Vitamin-C", "retinol", "Iron"), "answer_keys": ["B"]},
        {"options": options("vitamin C", "vitamin K", "copper", "selenium")},
    ],
)
def test_the_same_asked_in_other_small_words_is_a_duplicate_unless_the_choice_is_another(
    changes: dict[str, object], exam: list[Question]
) -> None:
    first = question("Which deficiency causes scurvy in the sailor?")
    again = replace(question("The deficiency of which causes scurvy in sailors?"), question_id="q-2", **changes)
    found = duplicates.duplicates([*exam, first, again], PARAMS)[-1]
    assert (found.verdict == "fail") == ("copper" not in str(changes) and "makes up" not in str(changes))


def test_a_stem_with_another_answer_or_another_subject_asks_something_else(exam: list[Question]) -> None:
    first = question("Which deficiency causes scurvy in sailors?")
    others = [
        replace(
            first,
            question_id="q-2",
            answer_keys=["B"],
            answer_text="vitamin A",
            options=options("x", "vitamin A", "y", "z"),
        ),
        replace(first, question_id="q-3", stem="Which deficiency causes rickets in sailors?"),
        replace(first, question_id="q-4", kind="yes_no", stem="Does scurvy cause which deficiency in sailors?"),
    ]
    said = duplicates.duplicates([*exam, first, *others], PARAMS)[-3:]
    assert [one.verdict for one in said] == ["pass"] * 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "essay"}, "kind"),
        ({"stem": " "}, "no stem"),
        ({"options": options("vitamin C")}, "fewer than two"),
        ({"options": [*options("vitamin C", "iron"), Option("A", "zinc")]}, "one key"),
        ({"answer_keys": ["E"]}, "no option"),
        ({"answer_keys": []}, "0 right answers"),
        ({"answer_keys": ["A", "B"]}, "2 right answers"),
        ({"answer_text": "iron"}, "not the right option's text"),
        ({"call_id": "c", "passage_ids": []}, "no passage"),
        ({"kind": "open", "options": [], "answer_keys": [], "answer_text": ""}, "no answer"),
        ({"kind": "multi", "answer_keys": []}, "0 right answers"),
    ],
)
def test_a_record_that_is_no_question_of_its_kind_fails(changes: dict[str, object], why: str) -> None:
    said = question_gates.question_schema(replace(question(), **changes))  # type: ignore[arg-type]
    assert said.verdict == "fail" and why in said.reason and said.value >= 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "multi", "answer_keys": ["A", "B"], "answer_text": "vitamin C; vitamin A"},
        {"kind": "yes_no", "options": options("yes", "no", "maybe"), "answer_text": "yes"},
        {"kind": "open", "options": [], "answer_keys": [], "answer_text": "vitamin C"},
        {"kind": "progressive", "answer_keys": [], "answer_text": ""},
    ],
)
def test_every_kind_has_a_record_that_passes(changes: dict[str, object]) -> None:
    assert question_gates.question_schema(replace(question(), **changes)).verdict == "pass"  # type: ignore[arg-type]


def test_the_exams_questions_are_well_formed_and_english(exam: list[Question]) -> None:
    assert {question_gates.question_schema(one).verdict for one in exam} == {"pass"}
    said = [question_gates.question_language(replace(one, passage_ids=["p"]), {"p": "en"}).verdict for one in exam]
    assert "fail" not in said and said.count("pass") > 0.95 * len(said)


FRENCH = "Quelle est la carence qui est responsable du scorbut chez le marin ?"
GERMAN = "Welcher Mangel ist bei einem Matrosen mit Blutungen der Haut die Ursache für den Skorbut?"
SPANISH = "¿Cuál es la carencia que causa el escorbuto en los marineros con sangrado de las encías?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FRENCH, "fr"),
        (GERMAN, "de"),
        (SPANISH, "es"),
        (TEXT, "en"),
        ("Scorbut: vitamine C", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_language_of_a_text_is_told_by_its_small_words(text: str, code: str) -> None:
    assert language_of(text) == code


def test_a_question_in_another_language_than_its_passage_fails() -> None:
    asked = question(FRENCH)
    assert question_gates.question_language(asked, {"b-1": "fr"}).verdict == "pass"
    said = question_gates.question_language(asked, {"b-1": "en"})
    assert (said.verdict, said.reason) == ("fail", "fr, not en")
    assert question_gates.question_language(asked, {"b-1": "unknown"}).verdict == "skip"
    assert question_gates.question_language(question("Scurvy?"), {"b-1": "en"}).reason == "unknown"


def test_the_first_failing_gate_stops_a_record_and_its_verdicts_stay() -> None:
    calls: list[str] = []

    def gate(name: str, passes: bool) -> object:
        def said(_: Question) -> Verdict:
            calls.append(name)
            return gates.verdict(name, passes, 1.0, "because")

        return said

    kept, rejected = gates.sift([question()], [gate("a", True), gate("b", False), gate("c", True)])  # type: ignore[list-item]
    assert not kept and calls == ["a", "b"]
    assert [(v.gate, v.verdict, v.reason) for v in rejected[0].gates] == [("a", "pass", ""), ("b", "fail", "because")]


def rationale(text: str, keys: list[str] | None = None) -> Rationale:
    return Rationale("r-1", "q-1", "m", text, ["A"] if keys is None else keys, [], "c", ["b-1"], "")


@pytest.mark.parametrize(
    "text",
    ["Vitamin C.", "According to the passage, scurvy is due to a lack of vitamin C.", "Scurvy is due to a lack of",
     "Scurvy means that option A is right here.", "Scurvy lacks vitamin C. The answer is (A) vitamin C.",
     "I cannot determine what scurvy is due to.", "Scurvy is due to a lack of, e.g.", "Scurvy is due to the.",
     "Scurvy is due (as sailors know to a lack of vitamin C.", "Scurvy is due to a lack of vitamin C...",
     "1. Scurvy is a deficiency. 2. It is of vitamin C.", "What is given: - bleeding gums - a sailor. It is scurvy.",
     "Based on the provided text, scurvy is due to a lack of vitamin C.",
     "Scurvy is due to a lack of **vitamin C**."],
)  # fmt: skip
def test_rationales_too_short_pointing_away_or_cut_off_fail(text: str) -> None:
    assert rationale_gates.rationale_format(rationale(text), RationaleGates()).verdict == "fail"
    assert (
        rationale_gates.rationale_format(rationale("Scurvy is due to a lack of vitamin C."), RationaleGates()).verdict
        == "pass"
    )


def test_what_medicine_cannot_do_is_no_refusal() -> None:
    text = "Steroids do not help in scurvy, for they cannot give vitamin C."
    assert rationale_gates.rationale_format(rationale(text), RationaleGates()).verdict == "pass"


def test_only_the_right_answer_alone_is_consistent() -> None:
    for keys, said in ((["A"], "pass"), (["B"], "fail"), (["A", "B"], "fail"), ([], "fail")):
        assert rationale_gates.answer_consistency(rationale("x", keys), question()).verdict == said
    for text in ("So the answer is vitamin A.", "The answer is vitamin C or vitamin A.", "The correct answer is zinc."):
        assert rationale_gates.answer_consistency(rationale(text), question()).verdict == "fail"
    for text in ("A lack is the answer to most questions.", "So the answer is vitamin C.", "Vitamin A is fat-soluble."):
        assert rationale_gates.answer_consistency(rationale(text), question()).verdict == "pass"


def test_a_rationale_keeps_to_its_passage() -> None:
    params = RationaleGates()
    sound = rationale("Scurvy comes from a lack of vitamin C.")
    assert rationale_gates.rationale_support(sound, question(), PASSAGES, params).verdict == "pass"
    invented = rationale("Sailors drank lime juice during long voyages across oceans.")
    assert rationale_gates.rationale_support(invented, question(), PASSAGES, params).verdict == "fail"
