"""A preview: a few passages through every paid step, shown and forecast, and no file of an earlier run replaced."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.teacher.endpoint import Answer, serving
from tests.teacher.replaying import LEDGER, replaying

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.teacher import Pilot, TeacherParams
from med_small_lm.pipelines.preview import Preview
from med_small_lm.pipelines.teaching import ask, log_outcome
from med_small_lm.schemas.rows import Message, Passage, Rationale, Verdict
from med_small_lm.synthesis.asked import Asked
from med_small_lm.teacher.requests import Request

PASSAGES = [Passage(f"p-{k}", "book", k, "One", 1, 1, "Text.", 1, "0" * 64, "own") for k in range(20)]
ASKED = [Asked(Request("say", {}, (Message("user", f"Say {one.passage_id}."),)), one) for one in PASSAGES]
PRICES = "price_in: 2.0, price_out: 8.0"


def digests(folder: Path) -> dict[str, str]:
    layers = ("03_primary", "04_feature", "08_reporting")
    made = [path for layer in layers for path in (folder / layer).rglob("*.parquet")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


def test_what_the_pilot_paid_is_new_and_what_is_paid_is_not_forecast(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO", "med_small_lm")
    access, pilot = TeacherAccess(tmp_path / "teacher.sqlite"), Pilot(calls=4, share=0)
    with serving(lambda body, number: Answer("Said.")) as endpoint:
        params = TeacherParams(model="m", base_url=endpoint.url, price_in=1e5, price_out=0, pilot=pilot)
        preview = params.model_copy(update={"sample": 2})
        shown, _ = ask("sayings", ASKED, access, preview, PASSAGES)
        assert len(shown) == 4 and [group.waiting for group in access.forecasts] == [16]
        _, replies = ask("sayings", ASKED, access, params, PASSAGES)
        assert [reply.from_ledger for reply in replies].count(True) == 4
        assert "forecast from 4 calls" in caplog.text and len(endpoint.seen) == 20
        assert (
            "20 requests, 4 answered by the ledger" in caplog.text and "160 tokens in, 80 out, cost 16" in caplog.text
        )
        access.forecasts.clear()
        ask("sayings", ASKED, access, preview, PASSAGES)
        assert [group.waiting for group in access.forecasts] == [0] and len(endpoint.seen) == 20


def test_a_preview_warns_of_a_step_without_requests_and_shows_verdicts_of_what_stands_in_no_book(
    tmp_path: Path, caplog
) -> None:
    caplog.set_level("INFO", "med_small_lm")
    access = TeacherAccess(tmp_path / "teacher.sqlite")
    preview = TeacherParams(sample=1, pilot=Pilot(calls=1, share=0))
    (first,) = Preview.of(PASSAGES, preview).shown
    elsewhere = [one for one in ASKED if one.passage.passage_id != first]
    ask("later", elsewhere, access, preview, PASSAGES)
    assert "forecast has none" not in caplog.text, "what waits is forecast like the other steps' calls"
    ask("later", [], access, preview, PASSAGES)
    assert "later: no passage of the preview leads to a request" in caplog.text
    exam = Rationale("r", first, "exam_cot", "So it is.", ["A"], [], "c", [], "MIT", [Verdict("format", "pass", 3.0)])
    log_outcome("exam rationales", [exam], [], PASSAGES, preview)
    assert f"exam rationales, {first}: So it is.\n  format pass" in caplog.text


@pytest.mark.slow
def test_a_preview_shows_forecasts_and_replaces_nothing(scratch):
    before = digests(scratch.data)
    with replaying(scratch.data / LEDGER) as endpoint:
        teacher = f"teacher: {{model: test-model, base_url: '{endpoint.url}', backoff: 0.0, {PRICES}}}"
        scratch.configure(parameters=teacher)
        code, said = scratch.kedro("run", "--params", "teacher.sample=5")
        assert code == 0, said
        asked = len(endpoint.seen)
        again, _ = scratch.kedro("run", "--params", "teacher.sample=5")
        assert again == 0 and len(endpoint.seen) == asked, "a preview was paid for twice"
    assert digests(scratch.data) == before
    assert "tune_on_instructions" not in said and "write_rationales" in said
    for shown in ("questions, ", "support, ", "rationales, ", "rephrasings, "):
        assert len(re.findall(rf"{shown}\S+, prompt:", said)) in range(1, 11), shown
    assert "[user]" in said and "reply (ok)" in said and "format pass" in said
    (line,) = re.findall(r"forecast from [\d,]+ calls.*", said)
    assert re.search(r"cost [\d.]+ \(", line), line


@pytest.mark.slow
def test_a_preview_of_one_pipeline_ends_with_its_gates_and_goes_on_where_nothing_passes(scratch):
    before = digests(scratch.data)
    code, said = scratch.forked("run", "--pipelines", "generate_questions", "--params", "teacher.sample=5")
    assert code == 0 and "contamination pass" in said and "questions: kept" in said, said
    every, short = "generate_questions,synthesize_cot", "teacher.sample=5,generate_questions.gates.stem_words_min=100"
    code, said = scratch.forked("run", "--pipelines", every, "--params", short)
    assert code == 0 and "format fail" in said and "the forecast has none of this step" in said, said
    assert "calls more, which cost nothing with the built-in teacher" in said
    assert digests(scratch.data) == before
    code, said = scratch.forked("run", "--params", "teacher=2")
    assert code == 1 and said.count("\n") == 1 and "teacher: " in said


@pytest.mark.slow
def test_a_sample_in_a_file_is_refused_because_training_would_follow(scratch):
    scratch.configure(parameters="teacher: {sample: 2}")
    code, said = scratch.kedro("run")
    assert code == 1 and said.count("\n") == 1 and "give it with --params" in said


@pytest.mark.slow
def test_a_whole_run_makes_a_pilot_first_and_reports_what_a_kept_record_cost(scratch):
    with replaying(scratch.data / LEDGER) as endpoint:
        teacher = f"teacher: {{model: test-model, base_url: '{endpoint.url}', backoff: 0.0, traces: 3, {PRICES}}}"
        scratch.configure(parameters=teacher)
        code, said = scratch.kedro("run", "--pipelines", "generate_questions,synthesize_cot")
    assert code == 0, said
    assert len(re.findall(r"forecast from [\d,]+ calls", said)) == 4
    report = scratch.read("08_reporting/teacher_report")
    assert set(report["method"]) >= {"exam_like", "support", "rephrasing", "passage_cot"}
    kept = report[report["records_kept"] > 0]
    assert (kept["cost"] > 0).all()
    assert list(kept["cost_per_kept"] * kept["records_kept"]) == pytest.approx(list(kept["cost"]))
    with closing(sqlite3.connect(scratch.data / "mlflow.db")) as database:
        traces = dict(database.execute("SELECT name, count(*) FROM spans GROUP BY name").fetchall())
        counted = "SELECT count(*) FROM spans WHERE content LIKE '%mlflow.chat.tokenUsage%total_tokens%15%'"
        assert database.execute(counted).fetchone() == (sum(traces.values()),)
    whole = ("questions: question", "support: support", "rephrasings: rephrasing", "rationales: rationale")
    assert {traces[name] for name in whole} == {3} and max(traces.values()) == 3
