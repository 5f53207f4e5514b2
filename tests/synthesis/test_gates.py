"""Each gate on planted records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import RationaleGates
from med_small_lm.schemas.rows import Option, Passage, Question, Quote, Rationale, Verdict
from med_small_lm.synthesis import gates

PARAMS = QuestionGates()
TEXT = "Scurvy is due to a lack of vitamin C. Its hallmark sign is corkscrew hairs, and gums that bleed."
PASSAGES = {"b-1": Passage("b-1", "b", 0, "C > S", 1, 1, TEXT, 18, "", "")}


def question(stem: str = "Which deficiency causes scurvy?", **changes: object) -> Question:
    options = [Option(k, t) for k, t in zip("ABCD", ["vitamin C", "vitamin A", "iron", "zinc"], strict=True)]
    quotes = [Quote("A", "Scurvy is due to a lack of vitamin C.", "", "b-1")]
    base = Question("q-1", "b", "train", "single", stem, options, ["A"], "vitamin C", quotes=quotes)
    return replace(base, passage_ids=["b-1"], **changes)  # type: ignore[arg-type]


def options(*texts: str) -> list[Option]:
    return [Option(key, text) for key, text in zip("ABCD", texts, strict=True)]


@pytest.mark.parametrize("stem", ["Why?", "What does the passage say of scurvy?", "What is shown in Figure 3 of it?"])
def test_a_stem_too_short_or_pointing_elsewhere_fails(stem: str) -> None:
    assert gates.question_format(question(stem), PARAMS).verdict == "fail"
    assert gates.question_format(question(), PARAMS).verdict == "pass"


def test_options_must_differ_and_be_alike_in_length() -> None:
    assert gates.option_texts(question(), PARAMS).verdict == "pass"
    twins = question(options=options("vitamin C", "Vitamin-C.", "iron", "zinc"))
    assert "equal" in gates.option_texts(twins, PARAMS).reason
    long = question(options=options("a deficiency of vitamin C for many months", "iron", "zinc", "lead"))
    said = gates.option_texts(long, PARAMS)
    assert said.verdict == "fail" and said.value > 4


def test_the_pocket_exams_own_options_pass(exam: list[Question]) -> None:
    failed = [q for q in exam if gates.option_texts(q, PARAMS).verdict == "fail"]
    assert len(failed) <= 0.02 * len(exam)
    assert all(gates.question_format(q, PARAMS).verdict == "pass" for q in exam)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Scurvy is due to a lack of vitamin C.", 1.0),
        ("scurvy — is due to a lack of vitamin-C", 1.0),
        ("Its hallmark sign is corkscrew hairs and also gums that bleed.", 10 / 11),
        ("Scurvy is treated with oranges and lemons.", 2 / 7),
        ("", 0.0),
    ],
)
def test_the_share_of_a_quote_that_stands_in_a_passage(quote: str, found: float) -> None:
    assert gates.share_found(quote, TEXT) == pytest.approx(found)


def test_support_wants_a_quote_from_the_passage_that_holds_the_answer() -> None:
    assert gates.question_support(question(), PASSAGES, PARAMS).verdict == "pass"
    other = question(quotes=[Quote("A", "Its hallmark sign is corkscrew hairs.", "", "b-1")])
    assert "of the answer" in gates.question_support(other, PASSAGES, PARAMS).reason
    invented = question(quotes=[Quote("A", "Vitamin C is what scurvy patients were never given.", "", "b-1")])
    assert "of the quote" in gates.question_support(invented, PASSAGES, PARAMS).reason
    assert gates.question_support(question(quotes=[]), PASSAGES, PARAMS).verdict == "fail"
    assert gates.question_support(question(), {}, PARAMS).verdict == "fail"


def test_duplicates_are_told_from_questions_about_another_subject(exam: list[Question]) -> None:
    shuffled = replace(exam[0], question_id="q-2", options=exam[0].options[::-1])
    said = gates.duplicates([*exam, shuffled], PARAMS)
    assert [verdict.verdict for verdict in said[:-1]] == ["pass"] * len(exam)
    assert said[-1].verdict == "fail" and exam[0].question_id in said[-1].reason


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
     "Scurvy means that option A is right here."],
)  # fmt: skip
def test_rationales_too_short_pointing_away_or_cut_off_fail(text: str) -> None:
    assert gates.rationale_format(rationale(text), RationaleGates()).verdict == "fail"
    assert (
        gates.rationale_format(rationale("Scurvy is due to a lack of vitamin C."), RationaleGates()).verdict == "pass"
    )


def test_only_the_right_answer_alone_is_consistent() -> None:
    for keys, said in ((["A"], "pass"), (["B"], "fail"), (["A", "B"], "fail"), ([], "fail")):
        assert gates.answer_consistency(rationale("x", keys), question()).verdict == said


def test_a_rationale_keeps_to_its_passage() -> None:
    params = RationaleGates()
    sound = rationale("Scurvy comes from a lack of vitamin C.")
    assert gates.rationale_support(sound, question(), PASSAGES, params).verdict == "pass"
    invented = rationale("Sailors drank lime juice during long voyages across oceans.")
    assert gates.rationale_support(invented, question(), PASSAGES, params).verdict == "fail"
