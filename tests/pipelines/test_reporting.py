"""The account of a finished run: the ledger reconciles, pictures and page are there, too little is a loud failure."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import Project

PICTURES = ("coverage", "gates", "books", "answers", "lengths")
CHECK = ("run", "--nodes", "report_synthesis,check_coverage")


def test_every_passage_of_a_run_is_accounted_for(finished: Project) -> None:
    lines, use = finished.read("08_reporting/coverage"), finished.read("08_reporting/teacher_report")
    passages = set(finished.read("03_primary/passages")["passage_id"])
    assert not (lines["state"] == "missing").any()
    steps = lines[~lines["step"].isin(["reading", "exercises"])].groupby("step")
    assert {"exam_like", "rephrasing", "passage_cot"} <= set(steps.groups)
    for step, own in steps:
        assert set(own["name"]) == passages and own["name"].is_unique
        assert own["asked"].sum() == use.loc[use["method"] == step, "calls"].sum()
    kept = {step: own["kept"].sum() for step, own in steps}
    assert kept["passage_cot"] == len(finished.read("04_feature/rationales"))
    assert kept["rephrasing"] == len(finished.read("04_feature/rephrasings"))
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


def test_a_record_that_is_lost_ends_the_run(scratch: Project) -> None:
    file = scratch.data / "04_feature/rationales.parquet"
    cut(file)
    code, said = scratch.forked(*CHECK)
    last = said.splitlines()[-1]
    assert code == 1 and "does not reconcile" in last and "1 of its questions have no record" in last, said
    page = (scratch.data / "08_reporting/synthesis_report.md").read_text(encoding="utf-8")
    assert "These counts do not agree" in page


def cut(file: Path) -> None:
    """Take the last record away; the schema's version stays."""
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    file.unlink()  # it may be a link
    pq.write_table(table.slice(0, table.num_rows - 1), file)


@pytest.mark.parametrize("step", ["exam_like", "rephrasing"])
def test_a_books_holes_are_named_with_their_reason(finished: Project, step: str) -> None:
    lines = finished.read("08_reporting/coverage")
    holes: pd.DataFrame = lines[(lines["step"] == step) & (lines["kept"] == 0)]
    assert len(holes) and (holes["reason"] != "").all()
