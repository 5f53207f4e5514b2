"""What MLflow holds of one ``kedro run``, and that no file holds a secret."""

import hashlib
import json
import re
import sqlite3

import pytest
from mlflow.tracking import MlflowClient

SECRET = "sk-not-for-any-file-0123456789"


@pytest.fixture(scope="module")
def client(finished):
    return MlflowClient(f"sqlite:///{finished.data / 'mlflow.db'}")


@pytest.fixture(scope="module")
def run(client):
    runs = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert len(runs) == 1, "one run for one `kedro run`"
    return runs[0]


def test_the_run_is_finished_and_named_after_its_pipeline(run):
    assert run.info.status == "FINISHED" and run.info.run_name == "__default__"


def test_parameters_are_there_by_their_leaves(run):
    params = run.data.params
    assert params["knowledge_injection.injection.optimiser.learning_rate"] == "0.003"
    assert params["knowledge_injection.injection.tokens"] == "30000"
    assert params["instruction_tune.tune.steps"] == "15"
    assert params["teacher.model"] == "builtin"
    assert params["ingest_textbooks.passages.words"] == "120"
    assert not any("{" in value for value in params.values()), "a model or a mapping was logged as one string"


@pytest.mark.parametrize("stage", ["injection", "tuning"])
@pytest.mark.parametrize("curve", ["loss", "learning_rate", "grad_norm", "tokens_per_second"])
def test_the_trainings_leave_curves(client, run, stage, curve):
    points = client.get_metric_history(run.info.run_id, f"{stage}/{curve}")
    assert len({point.step for point in points}) >= 3
    assert all(point.value >= 0 for point in points)


def test_the_held_out_perplexity_falls(client, run):
    points = sorted(client.get_metric_history(run.info.run_id, "injection/perplexity"), key=lambda point: point.step)
    assert len(points) >= 3 and points[-1].value < points[0].value


def test_scores_are_metrics(finished, run):
    scores = finished.read("08_reporting/scores")
    whole = scores[(scores.subset == "all") & (scores.metric == "accuracy")]
    named = {name: value for name, value in run.data.metrics.items() if name.startswith("accuracy/")}
    assert len(named) == len(whole)
    assert "accuracy/pocket_exam/tuned/likelihood/option_text/0-shot" in named
    assert sorted(named.values()) == pytest.approx(sorted(whole.value))


def test_inputs_are_there_with_their_digests(finished, run):
    logged = {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}
    for book in ("biochemistry", "pharmacology", "physiology"):
        pdf = (finished.data / f"01_raw/textbooks/{book}.pdf").read_bytes()
        assert logged[f"ingest_textbooks.{book}.pdf"] == hashlib.sha256(pdf).hexdigest()[:32]
    exam = (finished.data / "01_raw/benchmarks/few.jsonl").read_bytes()
    assert logged["evaluate.pocket_exam.questions"] == hashlib.sha256(exam).hexdigest()[:32]


def test_the_data_of_each_training_is_there_with_its_digest(finished, run):
    logged = [entry for entry in run.inputs.dataset_inputs if entry.tags[0].value == "training"]
    told = {entry.dataset.name: entry.dataset.digest for entry in logged}
    for model in ("injected", "tuned"):
        manifest = json.loads((finished.data / f"06_models/{model}/manifest.json").read_text())
        assert "corpus" in manifest["data"]
        for name, digest in manifest["data"].items():
            assert told[f"{model}.{name}"] == digest[:32]


def test_the_machine_is_watched_while_models_are_at_work(client, run):
    read = client.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage")
    assert len(read) >= 3 and len({point.step for point in read}) == len(read), "readings of two nodes lie together"
    assert run.data.metrics["system/system_memory_usage_megabytes"] > 0


def test_what_tells_about_a_checkpoint_is_kept_and_its_weights_are_not(finished, client, run):
    for model in ("base", "injected", "tuned"):
        kept = {file.path for file in client.list_artifacts(run.info.run_id, model)}
        assert {f"{model}/manifest.json", f"{model}/README.md"} <= kept
        assert kept <= {f"{model}/{name}" for name in ("manifest.json", "README.md", "samples.md")}
    samples = finished.data / "06_models/tuned/samples.md"
    copied = finished.data / "mlartifacts" / run.info.run_id / "artifacts/tuned/samples.md"
    assert copied.read_text() == samples.read_text()


def test_the_report_and_the_pictures_are_artifacts(finished, client, run):
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    pictures = {"curves.json", "perplexities.json", "pocket_exam_scores.json", "book_exam_scores.json"}
    assert {"report.md", "report.html"} | pictures <= names
    for file in ("report.md", "report.html", "scores.parquet", "comparisons.parquet"):
        kept = finished.data / "mlartifacts" / run.info.run_id / "artifacts" / file
        assert kept.read_bytes() == (finished.data / "08_reporting" / file).read_bytes()


def test_differences_between_models_are_metrics(finished, run):
    named = {name for name in run.data.metrics if name.startswith("difference/")}
    assert len(named) == len(finished.read("08_reporting/comparisons"))
    assert "difference/pocket_exam/open_book-tuned/likelihood/option_text/0-shot" in named
    assert run.data.metrics["failed/pocket_exam/tuned/likelihood/option_text/0-shot"] == 0


def test_no_file_but_the_credentials_holds_the_key(finished):
    given = finished.root / "conf/local/credentials.yml"
    assert SECRET in given.read_text()
    code, said = finished.forked("catalog", "describe-datasets")
    assert code == 0 and SECRET not in said
    places = [file for file in finished.root.rglob("*") if file.is_file() and file != given]
    assert {"run.log", "mlflow.db", "teacher.sqlite", "report.md"} <= {file.name for file in places}
    assert [file for file in places if SECRET.encode() in file.read_bytes()] == []


def test_the_key_reaches_the_teacher_and_nothing_that_prints(finished):
    with sqlite3.connect(finished.data / "02_intermediate/teacher.sqlite") as ledger:
        assert ledger.execute("SELECT count(*) FROM calls").fetchone()[0] > 0
    from med_small_lm.datasets.teacher import TeacherDataset

    dataset = TeacherDataset(filepath="ledger.sqlite", credentials={"api_key": SECRET})
    assert dataset.load().api_key == SECRET
    assert not re.search(SECRET, f"{dataset} {dataset!r} {dataset._describe()} {dataset.load()!r}")
