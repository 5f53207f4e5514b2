"""Dialogues and refusals as their nodes make them, over HTTP: what is asked, kept, rejected and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.teacher.endpoint import Answer, serving

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import Pilot, TeacherParams
from med_small_lm.pipelines.generate_questions.refusals import write_refusals
from med_small_lm.pipelines.synthesize_cot.chats import write_dialogues
from med_small_lm.schemas import frames
from med_small_lm.schemas.rows import Instruction, Option, Passage, Question, Rationale
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.heldout import held_out_passages
from med_small_lm.teacher.prompts import Prompt

ROOT = Path(__file__).resolve().parents[2]
CAUSES = {"scurvy": "vitamin C", "rickets": "vitamin D", "goiter": "iodine", "pellagra": "niacin"}
TEXTS = {ill: f"The cause of {ill} is a lack of {cause}." for ill, cause in CAUSES.items()}
PASSAGES = [
    Passage(f"b-{ill}", "b", n, f"Chapter > {ill}", 1, 1, text, 9, "0" * 64, "CC0")
    for n, (ill, text) in enumerate(TEXTS.items())
]
NONE = to_frame([], Question)
CHECKS = (frames.Instructions, frames.RejectedInstructions, frames.Contaminations, frames.TeacherReport)


def prompt(name: str) -> Prompt:
    return Prompt.parse(yaml.safe_load((ROOT / f"conf/base/prompts/{name}.yml").read_text()))


def question(ill: str) -> Question:
    options = [Option(key, text) for key, text in zip("ABCD", CAUSES.values(), strict=True)]
    right = [option.key for option in options if option.text == CAUSES[ill]]
    return Question(f"q-{ill}", "b", "train", "single", f"What is lacking in {ill}?", options, right, CAUSES[ill],
                    passage_ids=[f"b-{ill}"], licence="CC0")  # fmt: skip


def decide(body: dict[str, Any], number: int) -> Answer:
    """Right about all but rickets, of which the doctor says nothing and the refusal fails."""
    asked = body["messages"][-1]["content"]
    ill = next(ill for ill in CAUSES if asked.rpartition("Passage")[2].partition("Other")[0].count(ill))
    if "conversation" in asked:
        end = f"{TEXTS[ill]} The answer is {CAUSES[ill]}." if ill != "rickets" else "I do not know."
        said = ["What is wrong?", "Where?", f"I have {ill}. What do I lack?", end]
        turns = [{"speaker": ("patient", "doctor")[n % 2], "text": text} for n, text in enumerate(said)]
        return Answer(json.dumps({"messages": turns}))
    if ill == "rickets":
        return Answer(status=400)
    told = {"question": f"Why does a lack of iron cause {ill}?", "premise": "iron", "truth": CAUSES[ill]}
    return Answer(json.dumps(told | {"quote": TEXTS[ill], "reply": f"That is not so. {TEXTS[ill]}"}))


@pytest.fixture
def teacher(tmp_path: Path):  # type: ignore[no-untyped-def]
    with serving(decide) as endpoint:
        params = TeacherParams(model="m", base_url=endpoint.url, pilot=Pilot(calls=0, share=0), repairs=0, attempts=1)
        yield TeacherAccess(tmp_path / "teacher.sqlite"), params


def test_dialogues_are_kept_with_question_rationale_and_passage(teacher) -> None:  # type: ignore[no-untyped-def]
    questions = [question(ill) for ill in CAUSES]
    reasons = [
        Rationale(f"r-{ill}", f"q-{ill}", "passage_cot", TEXTS[ill], [], [], "c", [f"b-{ill}"], "CC0")
        for ill in list(CAUSES)[:3]
    ]
    letters = replace(reasons[0], rationale_id="r-o", method="gold_shown: optionwise", text="Option A is TRUE.")
    reasons += [letters, replace(letters, question_id="q-pellagra")]  # nobody in a dialogue may speak of letters
    made = write_dialogues(
        to_frame(questions, Question), to_frame(reasons, Rationale), to_frame(PASSAGES, Passage), NONE, NONE,
        prompt("dialogue"), *teacher, SynthesizeCot(dialogues={"share": 1.0}),
    )  # fmt: skip
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    kept, rejected, _, use = made
    assert [record.parent_ids for record in to_rows(kept, Instruction)] == [
        ["q-scurvy", "r-scurvy"], ["q-goiter", "r-goiter"]
    ]  # fmt: skip
    assert kept["call_id"].str.len().gt(0).all() and set(kept["licence"]) == {"CC0"}
    [stopped] = to_rows(rejected, Instruction)
    assert stopped.question_id == "q-rickets" and stopped.gates[-1].gate == "answer"
    assert (use["calls"].item(), use["failed"].item(), use["records_kept"].item()) == (3, 0, 2)


def test_held_out_sections_lend_no_refusals(teacher) -> None:  # type: ignore[no-untyped-def]
    params = GenerateQuestions(refusals={"share": 1.0, "kinds": ["false_premise"]}, held_out_share=0.25)
    [held] = held_out_passages(PASSAGES, params.held_out_share, params.seed)
    empty = to_frame([], Instruction)
    made = write_refusals(to_frame(PASSAGES, Passage), NONE, NONE, empty, prompt("refusal"), *teacher, params)
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    kept, rejected, _, use = made
    told = {
        record.passage_ids[0]: record.gates[-1] for frame in (kept, rejected) for record in to_rows(frame, Instruction)
    }
    assert set(told) == {passage.passage_id for passage in PASSAGES} - {held} and use["calls"].item() == 3
    lost = told.pop("b-rickets", None)
    assert all(said.verdict == "pass" for said in told.values()) and (lost is None) == (held == "b-rickets")
    assert lost is None or (lost.gate == "reply" and use["failed"].item() == 1)
