"""Conversations of the books alone, and with instruction sets beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from med_small_lm.answers.forms import forms_of
from med_small_lm.benchmarks.items import read_questions
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.pipelines.instruction_tune import nodes
from med_small_lm.schemas import frames
from med_small_lm.schemas.parquet import read_records
from med_small_lm.schemas.rows import Conversation, CorpusText, Instruction, Question, Rationale
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.instructions.sources import InstructionSource

EXAM = Path(__file__).resolve().parents[2] / "data/01_raw/benchmarks/pocket_exam.jsonl"
CHECKS = (frames.Instructions, frames.RejectedInstructions, frames.InstructionReports, frames.Contaminations)
PARAMS = InstructionTune()


@pytest.fixture(scope="module")
def exam() -> list[Question]:
    return [replace(question, source="pocket_exam") for question in read_questions(EXAM)[0]]


@pytest.fixture
def no_questions() -> tuple[pd.DataFrame, pd.DataFrame]:
    return to_frame([], Question), to_frame([], Rationale)


def test_without_sets_nothing_is_added(exam: list[Question]) -> None:
    empty = to_frame([], Question)
    made = nodes.gather_instructions(to_frame(exam, Question), empty, PARAMS)
    for frame, check in zip(made, CHECKS, strict=True):
        assert frame.empty and check.validate(frame) is not None


def test_a_set_is_guarded_counted_and_added(
    exam: list[Question], tmp_path: Path, no_questions: tuple[pd.DataFrame, pd.DataFrame], answers: Answers
) -> None:
    leak = next(question for question in exam if question.split == "test")
    right = next(option.text for option in leak.options if option.key in leak.answer_keys)
    chats = [("How are you?", "I am a program."), (leak.stem, right), ("How are you?", "I am a program."), ("", "")]
    lines = [{"instruction": asked, "output": said} for asked, said in chats]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    source = InstructionSource("a_set", file, "alpaca", "CC BY-NC 4.0")
    made = nodes.gather_instructions(to_frame(exam, Question), to_frame([], Question), PARAMS, set_a_set=source)
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    kept, rejected, report, contamination = made
    assert [record.parent_ids for record in to_rows(kept, Instruction)] == [["a.jsonl:1"]]
    gates = {record.parent_ids[0]: record.gates[-1].gate for record in to_rows(rejected, Instruction)}
    assert gates == {"a.jsonl:2": "contamination", "a.jsonl:3": "duplicate", "a.jsonl:4": "schema"}
    assert report["read"].item() == 4 and report["kept"].item() == 1
    assert contamination["n_records"].eq(2).all() and contamination["n_flagged"].sum() >= 1
    conversations = nodes.assemble_conversations(*no_questions, kept, kept.head(0), answers, PARAMS)
    frames.Conversations.validate(conversations)
    assert conversations["licence"].tolist() == ["CC BY-NC 4.0"]
    ledger = nodes.list_licences(to_frame([], CorpusText), conversations)
    frames.Licences.validate(ledger)
    assert ledger["non_commercial"].tolist() == [True]


@pytest.fixture
def answers() -> Answers:
    conf = Path(__file__).resolve().parents[2] / "conf/base/parameters.yml"
    return Answers.model_validate(yaml.safe_load(conf.read_text())["answers"])


def test_the_books_conversations_are_what_they_were(finished, answers) -> None:  # type: ignore[no-untyped-def]
    """A run without sets: what is trained on is what questions and rationales give, and the ledger counts it."""

    def rows(name, record):  # type: ignore[no-untyped-def]
        return to_rows(read_records(finished.data / f"{name}.parquet"), record)

    questions, rationales = rows("04_feature/questions", Question), rows("04_feature/rationales", Rationale)
    made = build_conversations(questions, rationales, forms_of(answers), PARAMS.conversations, PARAMS.seed)
    assert rows("05_model_input/conversations", Conversation) == made
    assert finished.read("04_feature/instructions").empty
    ledger = finished.read("08_reporting/licences")
    assert set(ledger["licence"]) == {"own"} and ledger["records"].sum() == len(made) + len(
        finished.read("05_model_input/corpus")
    )


def test_the_command_exports_a_run(finished, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, said = finished.forked("export", "axolotl", str(tmp_path / "out"), "--model", "a-model")
    assert code == 0 and "Terms that bind what is built from it: own (terms unknown)" in said
    rows = (tmp_path / "out/conversations.jsonl").read_text().splitlines()
    assert len(rows) == len(finished.read("05_model_input/conversations"))
    code, said = finished.forked("export", "axolotl", str(tmp_path / "out"))
    assert code == 1 and "holds something already" in said.replace("\n", " ")
