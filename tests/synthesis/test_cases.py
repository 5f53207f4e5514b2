"""Progressive cases: what is asked, how replies are read, and that a case is kept, split and served whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.synthesis.conftest import make_passage

from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.generate_questions import Cases, QuestionGates
from med_small_lm.schemas.parquet import read_records, written_records
from med_small_lm.schemas.rows import Option, Passage, Question, Quote
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.cases import case_requests, cases_from, cases_of
from med_small_lm.synthesis.gates.cases import CASE, case_document, sift_cases, sift_whole, sound_cases
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, Request

FACTS = (
    "Zorvitis is caused by frozen mulberries. The hallmark sign of zorvitis is a violet tongue. "
    "Zorvitis is treated with oral balmadine. Balmadine blocks the plover receptor. A feared complication of zorvitis "
    "is total frumphosis. Nurblia is caused by wet sand."
)
PASSAGE = make_passage(FACTS)
ASKED = Asked(Request("case", {}, ()), PASSAGE)


def proposition(text: str, is_true: bool, quote: str) -> dict[str, Any]:
    return {"text": text, "is_true": is_true, "justification": "The book says so.", "quote": quote}


SENTENCES = FACTS.split(". ")
CASE_REPLY: dict[str, Any] = {
    "vignette": "A 40-year-old woman with zorvitis comes to the clinic in winter.",
    "questions": [
        {
            "stem": "Which statements on the origin of her illness are correct?",
            "propositions": [
                proposition("It comes from frozen mulberries.", True, SENTENCES[0]),
                proposition("It is caused by wet sand.", False, SENTENCES[0]),
            ],
        },
        {
            "stem": "Two days later she asks about her treatment. Which statements are correct?",
            "propositions": [
                proposition("Zorvitis is treated with oral balmadine.", True, SENTENCES[2]),
                proposition("Zorvitis is treated by surgery alone.", False, SENTENCES[2]),
            ],
        },
    ],
}


def read(reply: Callable[..., Reply], parsed: Any = CASE_REPLY, **how: Any) -> list[Question]:
    found, rejected = cases_from([ASKED], [reply(parsed)], **how)
    assert not rejected, rejected[0].gates
    return found


def test_a_long_enough_section_is_asked_about_once_with_all_its_slots(prompts: dict[str, Prompt]) -> None:
    own = [make_passage(f"{FACTS} Part {n} is told here.", ordinal=n) for n in range(3)]
    short = make_passage("One sentence alone. And another one.", "other", 9, "Short")
    shown = {"options": [Option("A", "true")], "answer_keys": ["A"], "answer_text": "", "context": "Shown vignette"}
    exemplar = [
        Question(f"e-{n}", "ecn", "train", "progressive", f"Stem {n}?", case_id="c", rank=n, **shown) for n in (2, 1)
    ]
    (asked,) = case_requests([*own, short], exemplar, prompts["case"], Cases(share=1.0), 3, {"temperature": 0.2})
    slots = asked.request.slots
    assert (
        asked.passages == tuple(own) and asked.passage is own[0] and asked.request.model_params == {"temperature": 0.2}
    )
    assert slots["passages"] == [passage.text for passage in own] and slots["language"] == "en"
    unread = [make_passage("Szkorbut jest chorobą. " * 20)]
    (other,) = case_requests(unread, [], prompts["case"], Cases(share=1.0))
    assert "in this language: that of the passages" in other.request.messages[-1].content
    assert (slots["n_questions"], slots["n_propositions"], slots["seed"]) == (3, 5, 3)
    assert [item["stem"] for item in slots["exemplars"][0]["questions"]] == ["Stem 1?", "Stem 2?"]
    assert "Shown vignette" in asked.request.messages[-1].content
    assert case_requests(own, [], prompts["case"], Cases(share=0.0)) == []
    few = case_requests(own, [], prompts["case"], Cases(share=1.0, words_max=100, propositions=4))
    assert [len(one.passages) for one in few] == [2]
    long = make_passage(f"{FACTS} " * 9, ordinal=1)
    small = Cases(share=1.0, words_max=100, questions=2, propositions=2)
    (first,) = case_requests([own[0], long, own[2]], [], prompts["case"], small)
    assert first.passages == (own[0],), "what stands behind a passage that is too long is not shown without it"


def test_a_case_becomes_a_record_for_each_question_under_one_name(reply: Callable[..., Reply]) -> None:
    first, second = read(reply)
    assert first.case_id == second.case_id and (first.rank, second.rank) == (1, 2)
    assert first.kind == "progressive" and first.context == second.context == CASE_REPLY["vignette"]
    assert (first.answer_keys, first.answer_text) == (["A"], "It comes from frozen mulberries.")
    assert first.quotes[1] == Quote("B", SENTENCES[0], "The book says so.", PASSAGE.passage_id)
    assert (first.method, first.call_id, first.passage_ids, first.split) == (
        "case",
        "c0ffee",
        [PASSAGE.passage_id],
        "train",
    )
    again = read(reply, held_out={PASSAGE.passage_id})
    assert {(question.split, question.source) for question in again} == {("test", "book_exam")}


def test_every_bad_reply_is_a_rejected_case_with_its_reason(reply: Callable[..., Reply]) -> None:
    good = CASE_REPLY["questions"]
    bad: list[tuple[Reply, str, int]] = [
        (reply(None, status="invalid", reason="no JSON"), "invalid: no JSON", 1),
        (reply({"vignette": "V"}), "no list of questions", 1),
        (reply({"vignette": "", "questions": []}), "wrote no case", 1),
        (reply({"vignette": " ", "questions": good}), "no vignette", 2),
        (reply({"vignette": "V", "questions": [*good, "text"]}), "1 questions are no objects", 2),
        (reply({"vignette": "V", "questions": [good[0], {"stem": "S"}]}), "question 2: 0 propositions", 2),
        (reply({"vignette": "V", "questions": [good[0], {"propositions": good[1]["propositions"]}]}), "no stem", 2),
    ]
    for part, why in (("quote", "has no quote"), ("is_true", "neither true nor false"), ("text", "has no text")):
        lacking = [{k: v for k, v in one.items() if k != part} for one in good[0]["propositions"]]
        bad.append((reply({"vignette": "V", "questions": [good[1], good[0] | {"propositions": lacking}]}), why, 2))
    for one, why, n in bad:
        found, rejected = cases_from([ASKED], [one])
        assert not found and len(rejected) == n, why
        assert all(q.gates[-1].gate == "reply" and why in q.gates[-1].reason for q in rejected), rejected[0].gates


def broken(case: list[Question], place: int, **changes: Any) -> list[Question]:
    return [replace(question, **changes) if n == place else question for n, question in enumerate(case)]


@pytest.mark.parametrize(
    ("gate", "place", "changes"),
    [
        ("schema", 1, {"rank": 3}),
        ("schema", 1, {"answer_keys": ["Z"]}),
        ("schema", 0, {"options": [Option("A", "It comes from frozen mulberries.")]}),
        ("format", 1, {"stem": "According to the passage, which statements are correct?"}),
        (
            "options",
            0,
            {"options": [Option("A", "It is caused by wet sand."), Option("B", "It is caused by wet sand")]},
        ),
        ("truth", 0, {"answer_keys": []}),
        ("support", 1, {"quotes": [Quote("A", "Nobody wrote this anywhere.", "", PASSAGE.passage_id)] * 2}),
        ("support", 1, {"answer_keys": []}),
        ("leak", 1, {"stem": "Given the frozen mulberries that were confirmed, which statements are correct?"}),
    ],
)
def test_a_case_falls_whole_with_one_question_and_the_others_say_which(
    reply: Callable[..., Reply], gate: str, place: int, changes: dict[str, Any]
) -> None:
    params = Cases(one_sided_max=0.7) if gate == "truth" else Cases(one_sided_max=1.0)
    assert sound_cases(read(reply), [PASSAGE], params, QuestionGates())[1] == []
    case = broken(read(reply), place, **changes)
    kept, rejected = sound_cases(case, [PASSAGE], params, QuestionGates())
    assert not kept and len(rejected) == 2
    stops = [question.gates[-1] for question in rejected]
    assert stops[place].gate == gate and stops[place].verdict == "fail" and stops[place].reason, stops
    others = [said for said in stops if said.gate != gate]
    assert all(said.gate == CASE and f"failed {gate}" in said.reason for said in others)


def test_a_case_of_which_an_exam_asks_one_question_is_stopped_whole(reply: Callable[..., Reply]) -> None:
    exam = [
        Question(f"x-{n}", "exam", "test", "single", stem, [Option("A", answer), Option("B", "iron")], ["A"], answer)
        for n, (stem, answer) in enumerate(
            [(CASE_REPLY["questions"][1]["stem"], "balmadine"), ("Which nerve moves the eye to the side?", "abducens")]
        )
    ]
    found: list[list[Hit]] = []
    kept, rejected = sift_cases(read(reply), guards_of(exam), [], QuestionGates(), found)
    assert not kept and {q.gates[-1].gate for q in rejected} == {"contamination", CASE}
    assert {hit.question_id for hit in found[0]} == {"x-0"}
    assert set(case_document(read(reply)).whole) >= {CASE_REPLY["vignette"], "Zorvitis is treated by surgery alone."}


def test_of_two_cases_that_ask_the_same_the_second_falls_and_held_out_ones_guard(reply: Callable[..., Reply]) -> None:
    first = read(reply)
    second = [replace(q, case_id="again", question_id=f"again-{q.rank}", context=f"{q.context} Anew.") for q in first]
    kept, rejected = sift_cases([*first, *second], [], [], QuestionGates())
    assert {q.case_id for q in kept} == {first[0].case_id} and {q.case_id for q in rejected} == {"again"}
    assert all(first[0].case_id in q.gates[-1].reason for q in rejected)
    held = [replace(q, split="test", source="book_exam", case_id="held", question_id=f"held-{q.rank}") for q in first]
    kept, rejected = sift_cases([*second, *held], [], [], QuestionGates())
    assert {q.case_id for q in kept} == {"held"} and rejected[0].gates[-1].gate in ("contamination", CASE)


def test_the_builtin_teachers_cases_keep_order_and_split_through_gates_and_file(
    passages: list[Passage], prompts: dict[str, Prompt], reply: Callable[..., Reply], tmp_path: Path
) -> None:
    some = passages[:160]
    asked = case_requests(some, [], prompts["case"], Cases(share=1.0))
    replies = [reply(builtin.answer("case", one.request.slots)) for one in asked]
    held = {passage.passage_id for one in asked[::4] for passage in one.passages}
    drafts, _ = cases_from(asked, replies, held)
    order = [question.question_id for question in drafts]
    random.Random(0).shuffle(drafts)
    kept, rejected = sound_cases(drafts, some, Cases(), QuestionGates())
    assert len(cases_of(kept)) >= 5 and len(cases_of(kept)) >= 0.9 * len(cases_of(kept + rejected))
    with written_records(tmp_path / "cases.parquet", Question) as write:
        write(to_frame(kept, Question).to_dict("records"))
    read_back = to_rows(read_records(tmp_path / "cases.parquet"), Question)
    for case in cases_of(read_back):
        ids = [question.question_id for question in case]
        assert ids == [name for name in order if name in ids] and [q.rank for q in case] == [1, 2, 3]
        assert [q for q in read_back if q.case_id == case[0].case_id] == case
        assert len({(question.split, question.source) for question in case}) == 1
    assert {question.split for question in read_back} == {"train", "test"}


def test_what_is_no_case_goes_neither_way(reply: Callable[..., Reply]) -> None:
    single = replace(read(reply)[0], kind="single")
    assert sift_whole([single], []) == ([], [])
