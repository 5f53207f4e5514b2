"""Rephrasings, summaries, atomic facts and links: what is asked, what is kept, and at which gate the others stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.synthesis.conftest import make_passage

from med_small_lm.params.generate_questions import Augmentation, GenerateQuestions
from med_small_lm.schemas.rows import Passage, Question, Rephrasing
from med_small_lm.synthesis.gates.rephrasings import without_exams
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rephrasings import METHODS, rephrasing_requests, rephrasings_from
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

SCURVY = make_passage(
    "Scurvy is due to a lack of vitamin C. The hallmark sign of scurvy is bleeding gums. Scurvy must not be "
    "treated with iron. Adults with scurvy are given 300 mg of vitamin C a day for two weeks.",
    section="Diseases",
)
GUMS = make_passage("Bleeding gums are due to plaque in gingivitis. Gingivitis is treated with scaling.", "teeth")
NONE = Augmentation(summary_share=0, atomic_facts_share=0, link_share=0)
EVERY = Augmentation(summary_share=1, atomic_facts_share=1, link_share=1)
Replying = Callable[..., Reply]


def kept_of(
    method: str, prompts: dict[str, Prompt], reply: Replying, *told: Any
) -> tuple[list[Rephrasing], list[Rephrasing]]:
    """What is kept and rejected of these replies to one request each."""
    params = GenerateQuestions(rephrasing_styles=("plain",), augmentation=EVERY)
    asked = [one for one in rephrasing_requests([SCURVY, GUMS], prompts, params) if one.request.task == method][:1]
    return rephrasings_from(asked * len(told), [reply(one) for one in told], params)


def stop(record: Rephrasing) -> str:
    assert record.gates[-1].verdict == "fail" and record.gates[-1].reason
    return record.gates[-1].gate


def test_each_passage_is_asked_for_in_each_style_and_the_drawn_ones_by_the_other_methods(
    prompts: dict[str, Prompt], passages: list[Passage]
) -> None:
    params = GenerateQuestions(rephrasing_styles=("a", "b"), rephrasings_per_style=2, augmentation=NONE)
    slots = [one.request.slots for one in rephrasing_requests([SCURVY], prompts, params)]
    assert [(own["style"], own["seed"]) for own in slots] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    few = Augmentation(summary_share=0.1, atomic_facts_share=0.2, link_share=0.1)
    asked = rephrasing_requests(passages, prompts, GenerateQuestions(rephrasing_styles=(), augmentation=few))
    counts = Counter(one.request.task for one in asked)
    drawn = {task: {one.passage.passage_id for one in asked if one.request.task == task} for task in METHODS}
    assert counts["link"] and 0 < counts["summary"] < 0.15 * len(passages) < counts["atomic_facts"]
    assert all(len(one.passages) == (2 if one.request.task == "link" else 1) for one in asked)
    others = rephrasing_requests(passages, prompts, GenerateQuestions(rephrasing_styles=(), augmentation=few, seed=1))
    assert drawn["summary"] != {one.passage.passage_id for one in others if one.request.task == "summary"}


def test_replies_become_records_or_rejected_ones(prompts: dict[str, Prompt], reply: Replying) -> None:
    told = {"text": "A lack of vitamin C leads to scurvy."}
    params = GenerateQuestions(rephrasing_styles=("a", "b", "c"), rephrasings_per_style=2, augmentation=NONE)
    replies = [
        reply(told), reply(told), reply({"text": SCURVY.text}), reply({"text": "What is it that causes scurvy?"}),
        reply({"text": "Scurvy."}), reply(None, "error", "down"),
    ]  # fmt: skip
    found, rejected = rephrasings_from(rephrasing_requests([SCURVY], prompts, params), replies, params)
    assert [one.text for one in found] == [told["text"]] and found[0].method == "rephrasing: a"
    assert found[0].passage_ids == [SCURVY.passage_id] and found[0].licence == SCURVY.licence
    assert [one.gates[-1].gate for one in rejected] == ["duplicate", "duplicate", "statements", "format", "reply"]


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("Scurvy, according to the passage, is due to a lack of vitamin C.", "format"),
        ("Le scorbut est dans le manque de la vitamine C et il est une maladie des gencives.", "language"),
        ("Scurvy is due to a lack of vitamin C. Propranolol slows a rapid heartbeat in thyrotoxicosis.", "support"),
        ("Adults with scurvy are given 500 mg of vitamin C a day.", "fidelity"),
        ("Adults with scurvy are given 300 g of vitamin C a day.", "fidelity"),
        ("Scurvy is to be treated with iron.", "fidelity"),
        ("The hallmark sign of scurvy is never bleeding gums.", "fidelity"),
    ],
)  # fmt: skip
def test_what_a_rephrasing_stops_at(prompts: dict[str, Prompt], reply: Replying, text: str, gate: str) -> None:
    _, (rejected,) = kept_of("rephrasing", prompts, reply, {"text": text})
    assert stop(rejected) == gate


def test_a_faithful_rephrasing_passes_every_gate(prompts: dict[str, Prompt], reply: Replying) -> None:
    text = "In scurvy the gums are bleeding. Iron is to be avoided. Vitamin C, 300 mg a day, is given to adults."
    (found,), _ = kept_of("rephrasing", prompts, reply, {"text": text})
    gates = [said.gate for said in found.gates]
    assert gates == ["format", "statements", "language", "support", "fidelity", "duplicate"]


def test_a_summary_is_shorter_than_its_passage(prompts: dict[str, Prompt], reply: Replying) -> None:
    short = {"summary": "Scurvy: lack of vitamin C, bleeding gums, 300 mg of vitamin C a day, not iron."}
    long = {"summary": SCURVY.text.replace("Scurvy is due to", "The cause of scurvy is")}
    (found,), (rejected,) = kept_of("summary", prompts, reply, short, long)
    assert found.method == "summary" and stop(rejected) == "shorter" and rejected.gates[-1].value > 0.9


def test_atomic_facts_are_records_that_stand_alone(prompts: dict[str, Prompt], reply: Replying) -> None:
    told = [
        "Scurvy is due to a lack of vitamin C.",
        "Its hallmark sign is bleeding gums.",
        "Vitamin C treats scurvy.",
        "However, scurvy must not be treated with iron.",
        "The hallmark sign of scurvy. It is bleeding.",
        "Scurvy: gums",
    ]
    found, rejected = kept_of("atomic_facts", prompts, reply, {"facts": told}, {"facts": []}, {"facts": 3})
    assert [one.text for one in found] == [told[0], told[2]] and len({one.rephrasing_id for one in found}) == 2
    assert [stop(one) for one in rejected] == ["stands_alone"] * 3 + ["format", "reply", "reply"]


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("Bleeding gums have two causes: scurvy, for lack of vitamin C, and plaque in gingivitis.", ""),
        ("The hallmark sign of scurvy, for lack of vitamin C, is one that plaque brings in gingivitis.", "linked"),
        ("Bleeding gums are the hallmark sign of scurvy, which a lack of vitamin C brings.", "linked"),
    ],
    ids=["both", "subject not named", "one passage alone"],
)
def test_a_link_names_the_subject_and_draws_on_both(
    prompts: dict[str, Prompt], reply: Replying, text: str, gate: str
) -> None:
    found, rejected = kept_of("link", prompts, reply, {"text": text})
    (record,) = [*found, *rejected]
    assert record.method == "link" and record.passage_ids == [SCURVY.passage_id, GUMS.passage_id]
    assert (stop(record) if rejected else "") == gate


def test_a_text_that_copies_an_exam_stops_and_one_that_states_its_fact_does_not(exam: list[Question]) -> None:
    item = next(question for question in exam if question.split == "test" and len(question.stem.split()) > 25)
    passage = make_passage(f"The books know one answer: {item.answer_text}. It is {item.answer_text} in this disease.")
    copied = f"{item.stem.rstrip('?')} has these options: {', '.join(option.text for option in item.options)}."
    texts = [copied, f"The one answer is {item.answer_text}."]
    records = [Rephrasing(f"p-{n}", "summary", text, "c", [passage.passage_id], "own") for n, text in enumerate(texts)]
    found: list[Any] = []
    (kept,), (stopped,) = without_exams(records, [passage], exam, guards_of(exam), found)
    assert kept.text == texts[1] and stop(stopped) == "contamination"
    assert [bool(hits) for hits in found] == [True, False]


def test_the_builtin_teachers_texts_pass_the_gates(
    prompts: dict[str, Prompt], passages: list[Passage], exam: list[Question], reply: Replying
) -> None:
    """What the rules write of the pocket books' statements is kept, but for what they have written before."""
    own = passages[::4]
    params = GenerateQuestions(augmentation=EVERY)
    asked = rephrasing_requests(own, prompts, params)
    replies = [reply(builtin.answer(one.request.task, one.request.slots)) for one in asked]
    found, rejected = rephrasings_from(asked, replies, params)
    kept, copies = without_exams(found, own, exam, guards_of(exam), [])
    counts = Counter(one.method.partition(":")[0] for one in kept)
    assert counts["rephrasing"] > 1.9 * len(own) and counts["summary"] > 0.95 * len(own)
    assert counts["atomic_facts"] > 5 * len(own) and counts["link"] > 0
    assert not copies and {stop(one) for one in rejected} <= {"duplicate", "reply", "linked"}


def test_planted_faults_are_found(prompts: dict[str, Prompt], passages: list[Passage], reply: Replying) -> None:
    """A negation put into a rule's text, or a sentence of another passage: nearly all are stopped."""
    own = passages[::6]
    params = GenerateQuestions(rephrasing_styles=("plain",), augmentation=NONE)
    asked = rephrasing_requests(own, prompts, params)
    texts = [builtin.answer("rephrasing", one.request.slots)["text"] for one in asked]
    denied = [text.replace(" is ", " is never ", 1) for text in texts]
    foreign = [f"{text} {other.split('. ')[0]}." for text, other in zip(texts, [*texts[9:], *texts[:9]], strict=True)]
    for planted, wanted in ((denied, "fidelity"), (foreign, "support")):
        _, rejected = rephrasings_from(asked, [reply({"text": text}) for text in planted], params)
        caught = sum(one.gates[-1].gate == wanted for one in rejected) / len(planted)
        assert caught > 0.85, (wanted, caught, [one for one in planted if one not in {r.text for r in rejected}][:3])


def test_licences_of_both_passages_go_over_to_a_link(prompts: dict[str, Prompt], reply: Replying) -> None:
    params = GenerateQuestions(
        rephrasing_styles=(), augmentation=Augmentation(summary_share=0, atomic_facts_share=0, link_share=1)
    )
    asked = rephrasing_requests([SCURVY, replace(GUMS, licence="CC BY-NC 4.0")], prompts, params)
    text = "Bleeding gums have two causes: scurvy, for lack of vitamin C, and plaque in gingivitis."
    (found,), _ = rephrasings_from(asked, [reply({"text": text})], params)
    assert found.licence == "CC-BY-4.0 and CC BY-NC 4.0"
