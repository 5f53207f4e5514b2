"""Instruction sets in the pipeline: guarded, counted, rewritten by the teacher, paraphrased, and trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.teacher.endpoint import Answer, serving

from med_small_lm.benchmarks.items import read_questions
from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import Pilot, TeacherParams
from med_small_lm.pipelines.instruction_tune import nodes as tuning
from med_small_lm.pipelines.synthesize_cot import instructions
from med_small_lm.schemas import frames
from med_small_lm.schemas.rows import CorpusText, Instruction, Question, Rationale
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.tuning.instructions.sources import InstructionSource

ROOT = Path(__file__).resolve().parents[2]
PARAMS = SynthesizeCot()
CHECKS = (
    frames.Instructions,
    frames.Instructions,
    frames.RejectedInstructions,
    frames.InstructionReports,
    frames.Contaminations,
)
NONE = to_frame([], Instruction)


@pytest.fixture(scope="module")
def exam() -> list[Question]:
    file = ROOT / "data/01_raw/benchmarks/pocket_exam.jsonl"
    return [replace(question, source="pocket_exam") for question in read_questions(file)[0][::12]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers.model_validate(yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())["answers"])


def prompt(name: str) -> Prompt:
    return Prompt.parse(yaml.safe_load((ROOT / f"conf/base/prompts/{name}.yml").read_text()))


def a_set(folder: Path, said: Sequence[tuple[str, str]], **more: Any) -> InstructionSource:
    file = folder / "a.jsonl"
    file.write_text("".join(f"{json.dumps({'instruction': one, 'output': two})}\n" for one, two in said))
    return InstructionSource("a_set", file, "alpaca", "CC BY-NC 4.0", **more)


def gathered(exam: list[Question], **sets: InstructionSource) -> tuple[pd.DataFrame, ...]:
    made = instructions.gather_instructions(to_frame(exam, Question), to_frame([], Question), PARAMS, **sets)
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    return made


def assembled(answers: Answers, paraphrases: pd.DataFrame = NONE, **chats: pd.DataFrame) -> pd.DataFrame:
    given = dict.fromkeys(tuning.CHATS, NONE) | chats
    none = {name: to_frame([], Rationale if "rationales" in name else Question) for name in tuning.SOLVED}
    made = tuning.assemble_conversations(
        **none, **given, paraphrases=paraphrases, coverage_check="", answers=answers, params=InstructionTune()
    )
    frames.Conversations.validate(made)
    return made


def test_without_sets_nothing_is_added(exam: list[Question]) -> None:
    assert all(frame.empty for frame in gathered(exam))


def test_a_set_is_guarded_counted_and_added(exam: list[Question], tmp_path: Path, answers: Answers) -> None:
    leak = next(question for question in exam if question.split == "test")
    right = next(option.text for option in leak.options if option.key in leak.answer_keys)
    chats = [("How are you?", "I am a program."), (leak.stem, right), ("How are you?", "I am a program."), ("", "")]
    kept, raw, rejected, report, contamination = gathered(exam, set_a_set=a_set(tmp_path, chats, chats=True))
    assert [record.parent_ids for record in to_rows(kept, Instruction)] == [["a.jsonl:1"]] and raw.empty
    gates = {record.parent_ids[0]: record.gates[-1].gate for record in to_rows(rejected, Instruction)}
    assert gates == {"a.jsonl:2": "contamination", "a.jsonl:3": "duplicate", "a.jsonl:4": "schema"}
    assert report["read"].item() == 4 and report["kept"].item() == 1
    assert "names have no form and were not looked for" in report["looked_for"].item()
    assert contamination["n_records"].eq(2).all() and contamination["n_flagged"].sum() >= 1
    conversations = assembled(answers, instructions=kept)
    assert conversations["licence"].tolist() == ["CC BY-NC 4.0"]
    ledger = tuning.list_licences(to_frame([], CorpusText), conversations)
    frames.Licences.validate(ledger)
    assert ledger["non_commercial"].tolist() == [True]


def test_the_teacher_rewrites_a_set_and_what_it_spoils_is_kept_apart(
    exam: list[Question], tmp_path: Path, answers: Answers
) -> None:
    """Over HTTP: one answer is cleaned, one loses a number, one call is refused; only the first is trained on."""
    told = {"cough": "Take 500 mg of codeine.", "knee": "Rest for 3 days.", "ear": "Take 5 drops of oil."}
    chats = [(f"My {part} hurts.", f"Hello. {said} Best wishes.") for part, said in told.items()]
    source = a_set(tmp_path, chats, rewrite="clean")

    def decide(body: dict[str, Any], number: int) -> Answer:
        asked = body["messages"][-1]["content"]
        if "ear" in asked.partition("Doctor:")[0].rpartition("Patient:")[2]:
            return Answer(refusal="I would rather not.")
        part = "cough" if "My cough" in asked else "knee"
        return Answer(json.dumps({"answer": told[part] if part == "cough" else "Rest for 30 days."}))

    kept, raw, *_ = gathered(exam, set_a_set=source)
    assert kept.empty and len(raw) == 3
    with serving(decide) as endpoint:
        params = TeacherParams(model="m", base_url=endpoint.url, pilot=Pilot(calls=0, share=0), repairs=0, sample=0)
        made, rejected, contamination, use = instructions.rewrite_instructions(
            raw, to_frame(exam, Question), to_frame([], Question), *map(prompt, ("clean", "flashcard", "heading")),
            TeacherAccess(tmp_path / "teacher.sqlite"), params, PARAMS, set_a_set=source,
        )  # fmt: skip
    frames.Instructions.validate(made), frames.RejectedInstructions.validate(rejected)
    frames.Contaminations.validate(contamination)
    [record] = to_rows(made, Instruction)
    assert record.messages[-1].content == told["cough"] and record.call_id and record.parent_ids[0] == "a.jsonl:1"
    gates = {one.parent_ids[0]: one.gates[-1] for one in to_rows(rejected, Instruction)}
    assert {place: said.gate for place, said in gates.items()} == {"a.jsonl:2": "facts", "a.jsonl:3": "reply"}
    assert gates["a.jsonl:3"].reason.startswith("refusal")
    assert use["calls"].item() == 3 and use["failed"].item() == 1 and use["records_kept"].item() == 1
    assert assembled(answers, rewritings=made)["example_id"].tolist() == [record.example_id]


def test_a_shared_instruction_gets_paraphrases_of_which_each_example_has_one(tmp_path: Path, answers: Answers) -> None:
    chats = [(f"Answer as a physician.\n\nWhat is {n}?", f"It is {n}.") for n in range(30)]
    kept, *_ = gathered([], set_a_set=a_set(tmp_path, chats))
    params = PARAMS.model_copy(update={"paraphrases": PARAMS.paraphrases.model_copy(update={"per_instruction": 3})})
    given = prompt("paraphrase"), TeacherAccess(tmp_path / "teacher.sqlite"), TeacherParams()
    made, rejected, use = instructions.paraphrase_instructions(kept, NONE, NONE, answers, *given, params)
    frames.Instructions.validate(made)
    asked = {record.messages[0].content for record in to_rows(made, Instruction)}
    assert asked == {"Answer as a physician.", "Explain.", "Answer."} and use["calls"].item() == 3 and rejected.empty
    worded = assembled(answers, made, instructions=kept)
    assert worded["messages"].map(lambda said: said[0]["content"].partition("\n\n")[0]).nunique() == 4
    assert worded["messages"].map(lambda said: said[0]["content"].partition("\n\n")[2]).tolist() == [
        f"What is {n}?" for n in range(30)
    ]
    nothing, *_ = instructions.paraphrase_instructions(kept, NONE, NONE, answers, *given, PARAMS)
    assert nothing.empty
