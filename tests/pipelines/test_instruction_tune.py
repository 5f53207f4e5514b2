"""Conversations of the books alone, and with instruction sets beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from med_small_lm.answers.forms import forms_of
from med_small_lm.export_commands import makers
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.pipelines.instruction_tune.nodes import CHATS, SOLVED
from med_small_lm.schemas.parquet import read_records
from med_small_lm.schemas.rows import Conversation, Instruction, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_rows
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.instructions.gather import conversations_of

PARAMS = InstructionTune()


@pytest.fixture
def answers() -> Answers:
    conf = Path(__file__).resolve().parents[2] / "conf/base/parameters.yml"
    return Answers.model_validate(yaml.safe_load(conf.read_text())["answers"])


def test_the_books_conversations_are_what_they_were(finished, answers) -> None:  # type: ignore[no-untyped-def]
    """What is trained on is what questions, rationales and the teacher's conversations give; the ledger counts it."""

    def rows(name, record):  # type: ignore[no-untyped-def]
        return to_rows(read_records(finished.data / f"{name}.parquet"), record)

    solved = {name: rows(f"04_feature/{name}", Rationale if "rationales" in name else Question) for name in SOLVED}
    made = build_conversations(
        [*solved["questions"], *solved["exam_questions"]],
        [*solved["rationales"], *solved["exam_rationales"]],
        forms_of(answers),
        PARAMS.conversations,
        PARAMS.seed,
    )
    beside = [example for name in CHATS for example in conversations_of(rows(f"04_feature/{name}", Instruction))]
    assert rows("05_model_input/conversations", Conversation) == [*made, *beside]
    assert {example.method.partition(":")[0] for example in beside} <= {"dialogue", "refusal"} and beside
    ledger = finished.read("08_reporting/licences")
    assert ledger["records"].sum() == len(made) + len(beside) + len(finished.read("05_model_input/corpus"))


def test_the_card_names_every_model_that_made_a_method() -> None:
    asked = [("write", "cot", "a"), ("write", "cot", "b"), ("ask", "q", "a")]
    use = [TeacherUse(*names, 1, 0, 0, 1, 1, 0.0, 1) for names in asked]
    assert makers(use) == {"write (cot)": "a, b", "ask (q)": "a"}


def test_the_command_exports_a_run(finished, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, said = finished.forked("export", "axolotl", str(tmp_path / "out"), "--model", "a-model")
    assert code == 0 and "Terms that bind what is built from it: own (terms unknown)" in said
    rows = (tmp_path / "out/conversations.jsonl").read_text().splitlines()
    assert len(rows) == len(finished.read("05_model_input/conversations"))
    code, said = finished.forked("export", "axolotl", str(tmp_path / "out"))
    assert code == 1 and "holds something already" in said.replace("\n", " ")
