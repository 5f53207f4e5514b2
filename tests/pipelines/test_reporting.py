"""The account of a finished run: the ledger reconciles, pictures and page are there, too little is a loud failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import LOCAL, Project
from tests.teacher.endpoint import Answer, serving

from med_small_lm.synthesis.accounts.coverage import step_of

PICTURES = ("coverage", "gates", "books", "answers", "lengths")
CHECK = ("run", "--nodes", "report_synthesis,check_coverage")


def test_every_passage_of_a_run_is_accounted_for(finished: Project) -> None:
    lines, use = finished.read("08_reporting/coverage"), finished.read("08_reporting/teacher_report")
    passages = set(finished.read("03_primary/passages")["passage_id"])
    assert not (lines["state"] == "missing").any()
    steps = lines[~lines["step"].isin(["reading", "exercises"])].groupby("step")
    assert {"exam_like", "rephrasing", "passage_cot"} <= set(steps.groups)
    of_step = use.groupby(use["method"].map(step_of))["calls"].sum()
    for step, own in steps:
        told = own[own["unit"] == "passage"]["name"]
        assert set(told) in (passages, set()) and own["name"].is_unique
        assert own["asked"].sum() == of_step[step]
    kept = {step: own["kept"].sum() for step, own in steps}
    assert kept["passage_cot"] + kept["gold_shown"] == len(finished.read("04_feature/rationales"))
    assert kept["rephrasing"] == finished.read("04_feature/rephrasings")["method"].str.startswith("rephrasing").sum()
    made = sum(len(finished.read(f"04_feature/{name}")) for name in ("questions", "book_exam", "questions_rejected"))
    assert lines.loc[lines["step"] == "exam_like", "made"].sum() == made


def test_the_page_and_the_pictures_are_there(finished: Project) -> None:
    folder = finished.data / "08_reporting"
    assert "All counts agree" in (folder / "synthesis_report.md").read_text(encoding="utf-8")
    for name in PICTURES:
        assert json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["data"]


def test_too_little_of_a_book_ends_the_run_unless_a_parameter_says_otherwise(scratch: Project) -> None:
    code, said = scratch.forked(*CHECK, "--params", "synthesize_cot.coverage.kept_min=0.99")
    last = said.splitlines()[-1]
    assert code == 1 and "passages have a kept record" in last and "kept_min" in last and "Traceback" not in said
    code, said = scratch.forked(*CHECK, "--params", "synthesize_cot.coverage.kept_min=0")
    assert code == 0, said


ALL_PASS = "synthesize_cot.coverage.kept_min=0,synthesize_cot.coverage.failed_max=1"
CHAIN = ("run", "--pipelines", "generate_questions,synthesize_cot,knowledge_injection,instruction_tune")
SOUND_FORM = {"stem": "What is it?", "options": ["one", "two", "three", "four"], "answer": 0, "quote": "Nothing."}


def nonsense(body: dict[str, Any], number: int) -> Answer:
    """No object, an object of another form, and one of the form that is asked for which says nothing, in turns."""
    told = ["As a poet, I sing.", json.dumps({"song": [number]}), json.dumps({"questions": [SOUND_FORM]})]
    return Answer(told[number % 3])


def test_a_teacher_that_answers_nonsense_ends_the_run_before_training(scratch: Project) -> None:
    """Nothing is kept, the page says why, and with other limits the run goes on as far as it can."""
    scratch.configure(parameters=LOCAL["parameters.yml"] + "generate_questions: {rephrasing_styles: []}\n")
    with serving(nonsense) as endpoint:
        at = f"teacher.model=test-model,teacher.base_url={endpoint.url},teacher.repairs=0"
        code, said = scratch.forked(*CHAIN, "--params", at)
        last = said.splitlines()[-1]
        assert code == 1 and "Traceback" not in said and "assemble_co" not in said, said
        assert "exam_like: 0 of" in last and "calls failed (invalid" in last and f"--params {ALL_PASS}" in last
        assert not any(len(scratch.read(f"04_feature/{name}")) for name in ("questions", "book_exam", "rationales"))
        page = (scratch.data / "08_reporting/synthesis_report.md").read_text(encoding="utf-8")
        assert "All counts agree" in page and "invalid" in page and "0 kept." in page
        code, said = scratch.forked("run", "--nodes", "check_coverage,assemble_conversations", "--params", ALL_PASS)
    assert code == 1 and "2 of 2: assemble_conversations" in said, said
    assert "no question was kept with a rationale" in said.splitlines()[-1]


def test_a_record_that_is_lost_ends_the_run(scratch: Project) -> None:
    file = scratch.data / "04_feature/rationales.parquet"
    cut(file)
    code, said = scratch.forked(*CHECK)
    last = said.splitlines()[-1]
    assert code == 1 and "does not reconcile" in last and "1 of its questions have no record" in last, said
    page = (scratch.data / "08_reporting/synthesis_report.md").read_text(encoding="utf-8")
    assert "These counts do not agree" in page


def cut(file: Path) -> None:
    """Take the first record away; the schema's version stays."""
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    file.unlink()  # it may be a link
    pq.write_table(table.slice(1), file)


@pytest.mark.parametrize("step", ["exam_like", "rephrasing"])
def test_a_books_holes_are_named_with_their_reason(finished: Project, step: str) -> None:
    lines = finished.read("08_reporting/coverage")
    holes: pd.DataFrame = lines[(lines["step"] == step) & (lines["kept"] == 0)]
    assert len(holes) and (holes["reason"] != "").all()
