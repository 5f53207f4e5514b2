"""Rationales for the exams' own train splits: what is asked, with what beside it, and which are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from med_small_lm.params.generate_questions import QuestionGates
from med_small_lm.params.synthesize_cot import ExamRationales, RationaleGates
from med_small_lm.schemas.rows import Option, Passage, Question, Quote, Rationale
from med_small_lm.synthesis.exam_rationales import METHOD, exam_requests, train_items
from med_small_lm.synthesis.gates.sifting import sift_exam_rationales
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rationales import rationales_from
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

TEXTS = ("Scurvy is due to a lack of vitamin C.", "Goiter is due to a lack of iodine.", "The heart pumps blood.")
PASSAGES = [Passage(f"b-{n}", "b", n, "S", 1, 1, text, 9, "", "own") for n, text in enumerate(TEXTS)]
KEYS = "ABCD"


def item(name: str, stem: str, *options: str, split: str = "train", licence: str = "MIT", **more: object) -> Question:
    """An exam's item; its first option is right."""
    told = [Option(key, text) for key, text in zip(KEYS, options, strict=False)]
    base = Question(name, "medqa", split, "single", stem, told, ["A"], options[0], licence=licence)
    return replace(base, **more)  # type: ignore[arg-type]


SCURVY = item("t-1", "The lack of which causes scurvy?", "vitamin C", "iodine", "zinc", "iron")
GOITER = item("t-2", "A lack of which brings about goiter in adults?", "iodine", "zinc", "iron", "gold", licence="")
DEV = item("d-1", "What is it that pumps blood around?", "heart", "liver", "lung", split="dev",
           quotes=[Quote("A", "It is the heart that pumps.")])  # fmt: skip


def asked_of(prompt: Prompt, **params: int) -> list[tuple[str, list[str]]]:
    """The last message to each item, and the passages that it names."""
    asked = exam_requests([SCURVY, GOITER], [DEV], PASSAGES, prompt, ExamRationales(**params))
    assert all("right" not in one.request.slots for one in asked)
    return [(one.request.messages[-1].content, one.question.passage_ids) for one in asked if one.question]


def test_train_items_keep_their_ids_and_are_never_without_a_licence() -> None:
    items = train_items([SCURVY, GOITER, DEV], 1.0)
    assert [(one.question_id, one.method, one.licence) for one in items] == [
        ("t-1", "exam", "MIT"), ("t-2", "exam", "unknown"),
    ]  # fmt: skip
    several, case = replace(SCURVY, kind="multi", answer_keys=["A", "B"]), replace(SCURVY, kind="progressive")
    assert train_items([several, case], 1.0) == [], "asked for one answer, nobody can tell several; a case stays whole"
    many = [replace(SCURVY, question_id=f"t-{n}") for n in range(400)]
    some = train_items(many, 0.25)
    assert 70 < len(some) < 130 and train_items(many, 0.0) == []
    assert {one.question_id for one in some} < {one.question_id for one in train_items(many, 0.5)}


def test_no_passage_is_shown_unless_a_parameter_says_so(prompts: dict[str, Prompt]) -> None:
    prompt = prompts["exam_rationale"]
    (bare, none), _ = asked_of(prompt)
    assert none == [] and "(none)" in bare and SCURVY.stem in bare and "- vitamin C" in bare
    (first, one), (second, two) = asked_of(prompt, passages=2)
    assert one == ["b-0", "b-1"] and two == ["b-1", "b-0"], "the nearest first, none that shares no word"
    assert TEXTS[0] in first and "heart" not in first and TEXTS[1] in second


def test_the_context_and_exemplars_stand_before_the_question(prompts: dict[str, Prompt]) -> None:
    case = replace(SCURVY, context="A sailor's gums bleed around his heart.", stem="What pumps blood?")
    (asked,) = exam_requests([case], [DEV, SCURVY], PASSAGES, prompts["exam_rationale"], ExamRationales(exemplars=3))
    roles = [message.role for message in asked.request.messages]
    assert roles == ["system", "user", "assistant", "user"], "of the exemplars only one says why its answer is right"
    assert asked.request.messages[-1].content.count("A sailor's gums bleed around his heart. What pumps blood?") == 1
    assert "It is the heart that pumps." in asked.request.messages[2].content
    assert "(none)" in asked.request.messages[1].content


def test_only_consistent_clean_and_new_items_are_kept(prompts: dict[str, Prompt], reply: Callable[..., Reply]) -> None:
    leak = item("t-3", "Which organ is it that pumps blood around?", "heart", "liver", "lung")
    again = replace(GOITER, question_id="t-4", stem="The lack of which brings about goiter in the adult?")
    items = train_items([SCURVY, GOITER, leak, again, replace(SCURVY, question_id="t-5", stem="Scurvy?")], 1.0)
    asked = exam_requests(items, [], PASSAGES, prompts["exam_rationale"], ExamRationales(passages=1))
    told = [
        {"rationale": "Scurvy is known to follow a lack of vitamin C.", "answer": "vitamin C"},
        {"rationale": "The goiter of the adult is due to a lack of iodine.", "answer": "iodine"},
        {"rationale": "The heart is the organ that pumps the blood.", "answer": "heart"},
        {"rationale": "Goiter is due to a lack of it in the food.", "answer": "iodine"},
        {"rationale": "Scurvy is due to a lack of iodine in the food.", "answer": "iodine"},
    ]
    drafts, misses = rationales_from(asked, [*map(reply, told)], METHOD)
    guards = guards_of([*items, DEV], splits=("dev",))
    found: list[list[object]] = []
    kept, rejected = sift_exam_rationales(drafts, items, guards, RationaleGates(), QuestionGates(), found)  # type: ignore[arg-type]
    assert misses == [] and [(one.question_id, one.licence) for one in kept] == [
        ("t-1", "MIT and own"), ("t-2", "unknown and own"),
    ], "the terms of the passages that were shown go over to what is made of them"  # fmt: skip
    assert [one.passage_ids for one in kept] == [["b-0"], ["b-1"]] and {one.method for one in kept} == {"exam_cot"}
    stops = {one.question_id: one.gates[-1].gate for one in rejected}
    assert stops == {"t-3": "contamination", "t-4": "duplicate", "t-5": "answer"}
    assert len(found) == 4 and sum(map(bool, found)) == 1


def test_a_duplicate_does_not_fall_for_one_that_is_not_clean() -> None:
    items = [item(f"t-{n}", "The lack of which causes scurvy in sailors?", "vitamin C", "iodine") for n in (1, 2)]
    texts = ["It is the heart that is the organ which pumps the blood around.", "Scurvy lacks vitamin C in the food."]
    drafts = [Rationale(f"r-{n}", f"t-{n}", METHOD, text, ["A"], [], "c", [], "MIT") for n, text in enumerate(texts, 1)]
    guards = guards_of([replace(DEV, stem="Which organ pumps the blood around?")], splits=("dev",))
    kept, rejected = sift_exam_rationales(drafts, items, guards, RationaleGates(), QuestionGates())
    assert [one.question_id for one in kept] == ["t-2"] and rejected[0].gates[-1].gate == "contamination"
