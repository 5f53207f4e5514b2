"""A published benchmark as a dataset: read once, told once, and refused where what was fetched is no such release."""

import json

import pytest
from kedro.io import DatasetError

from med_small_lm import hub
from med_small_lm.datasets import benchmark
from med_small_lm.datasets.benchmark import BenchmarkDataset, BenchmarkFaultsDataset

ITEM = {"question": "Which?", "options": {key: key * 2 for key in "ABCD"}, "answer": "AA", "answer_idx": "A"}


@pytest.fixture
def release(tmp_path):
    """What the datasets of a release are told: three questions, and a record that is none."""
    rows = [ITEM | {"question": f"Which {n}?"} for n in range(3)] + [ITEM | {"answer_idx": "Z", "answer": ""}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"filepath": str(tmp_path), "exam": "mine", "task": "medqa"}


def test_a_release_is_read_and_told_once(release, caplog, monkeypatch):
    reads, real = [], benchmark.read_release
    monkeypatch.setattr(benchmark, "read_release", lambda told: reads.append(told) or real(told))
    with caplog.at_level("INFO"):
        assert len(BenchmarkDataset(**release).load()) == 3
        faults = BenchmarkFaultsDataset(**release).load()
    assert faults["reason"].tolist() == ["test.jsonl: the answer Z is no option"] and len(reads) == 1
    said = [one.message for one in caplog.records if one.name == benchmark.LOG.name]
    assert [one.partition(",")[0] for one in said] == [
        "mine: 3 test questions",
        "mine: 3 test questions",
        f"{faults_place(release)}: 1 of 4 records are no question and are set aside; the first: line 4: test.jsonl: "
        "the answer Z is no option",
    ]
    assert said[0] == "mine: 3 test questions, not a copy that was checked"


def faults_place(release):
    """The name of a release in the log."""
    return release["filepath"].rpartition("/")[2]


def test_a_file_that_was_changed_is_read_again(release, tmp_path):
    BenchmarkDataset(**release).load()
    (tmp_path / "test.jsonl").write_text(json.dumps(ITEM) + "\n")
    assert BenchmarkFaultsDataset(**release).load().empty


def test_of_a_benchmark_without_a_digest_no_copy_was_checked(tmp_path, caplog):
    row = {"id": "Text-0", "question": "Which?", "options": ITEM["options"], "label": "A"}
    (tmp_path / "test.jsonl").write_text(json.dumps(row) + "\n")
    with caplog.at_level("INFO"):
        BenchmarkDataset(filepath=str(tmp_path), exam="mine", task="medxpertqa").load()
    assert "mine: 1 test questions, no copy was checked" in caplog.messages


def test_what_was_fetched_is_looked_at_as_what_lies_there(tmp_path, monkeypatch):
    (tmp_path / "step1.json").write_text(json.dumps([ITEM | {"no": 1}]))
    monkeypatch.setattr(hub, "dataset_folder", lambda *_told, **_more: tmp_path)
    exam = BenchmarkDataset(hub="own/exam", exam="mine", task="usmle_sample", allow_download=True)
    with pytest.raises(DatasetError, match="mine: there is no question_with_images.json beside the questions"):
        exam.load()
