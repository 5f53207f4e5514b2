"""Knowledge graphs in the pipeline: nothing by default, guarded, and trained on where the user lists them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import Project

from med_small_lm.benchmarks.items import read_questions
from med_small_lm.errors import UserError
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.pipelines.generate_questions.graphs import prompt_graphs
from med_small_lm.schemas import frames
from med_small_lm.schemas.rows import Question
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.graphs.model import GraphSource

EXAM = Path(__file__).resolve().parents[2] / "data/01_raw/benchmarks/pocket_exam.jsonl"
CHECKS = (frames.Instructions, frames.RejectedInstructions, frames.GraphFiles, frames.Contaminations)
COLUMNS = {"head": "head", "description": "text"}


@pytest.fixture(scope="module")
def leak() -> Question:
    exam = (replace(question, source="pocket_exam") for question in read_questions(EXAM)[0])
    return next(question for question in exam if question.split == "test")


def prompts(leak: Question, **graphs: GraphSource) -> tuple[pd.DataFrame, ...]:
    made = prompt_graphs(to_frame([leak], Question), to_frame([], Question), GenerateQuestions(), **graphs)
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    return made


def table(folder: Path, *rows: tuple[str, str]) -> Path:
    file = folder / "toy.tsv"
    file.write_text("head\ttext\n" + "".join(f"{head}\t{text}\n" for head, text in rows))
    return file


def test_without_graphs_all_is_empty(leak: Question) -> None:
    assert all(frame.empty for frame in prompts(leak))


def test_what_holds_an_exams_fact_is_kept_apart_with_the_reason(leak: Question, tmp_path: Path) -> None:
    right = next(option.text for option in leak.options if option.key in leak.answer_keys)
    file = table(tmp_path, (f"{leak.stem} {right}", f"{leak.stem} {right}"), ("zostalgia", "A made-up pain."))
    source = GraphSource("toy", file, "tsv", "own", 0, columns=COLUMNS)
    kept, rejected, files, contamination = prompts(leak, graph_toy=source)
    assert kept["parent_ids"].tolist() == [["toy.tsv:3", "zostalgia"]]
    assert rejected["parent_ids"].str[0].tolist() == ["toy.tsv:2"]
    said = rejected["gates"].item()[-1]
    assert said["gate"] == "contamination" and leak.question_id in said["reason"]
    assert files["used"].item() == 2
    assert contamination["n_flagged"].max() == 1 and set(contamination["source"]) == {"toy"}


def test_graphs_that_say_nothing_stop_the_run(leak: Question, tmp_path: Path) -> None:
    file = tmp_path / "toy.obo"
    file.write_bytes(b"%PDF-1.7\0")
    source = GraphSource("toy", file, "obo", "own", 0)
    with pytest.raises(UserError, match=r"no knowledge graph .*toy\.obo is quarantined: the file is binary"):
        prompts(leak, graph_toy=source)


def test_a_choice_that_leaves_nothing_says_what_it_left_out(leak: Question, tmp_path: Path) -> None:
    (tmp_path / "MRCONSO.RRF").write_text("C0000001|ENG|P|L|PF|S|Y|A||M|D|MSH|PT|D|zoster|0|N||\n")
    source = GraphSource("umls", tmp_path, "rrf", "own", 0, language="eng")
    with pytest.raises(UserError, match="MRCONSO.RRF gives nothing: 1 of 1 rows left out: another language 1"):
        prompts(leak, graph_umls=source)


def test_a_run_trains_on_the_graphs_that_the_user_lists(scratch: Project) -> None:
    before = scratch.read("05_model_input/conversations")
    file = table(scratch.root, ("zostalgia", "A made-up pain."), ("too", "many\tcells"))
    scratch.configure(
        graphs=f"toy: {{file: {file}, kind: tsv, licence: CC0-1.0, columns: {{head: head, description: text}}}}"
    )
    code, said = scratch.forked("run", "--nodes", "prompt_graphs,assemble_conversations")
    assert code == 0, said
    assert "1 malformed of 3 rows skipped: line 3: 3 cells, not 2" in " ".join(said.split())
    after = scratch.read("05_model_input/conversations")
    added = after.iloc[len(before) :]
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)
    assert added["source"].tolist() == ["toy"] and added["licence"].tolist() == ["CC0-1.0"]
    assert list(added["parent_ids"].item()) == ["toy.tsv:2", "zostalgia"]
