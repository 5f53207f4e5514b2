"""Records go to Parquet and come back the same; another version is refused; a file is whole or not there."""

import errno
import os

import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from med_small_lm.atomic import written_aside
from med_small_lm.datasets.records import RecordsDataset
from med_small_lm.schemas.parquet import VERSION_KEY
from med_small_lm.schemas.rows import SCHEMA_VERSION, Dropped, Passage, Place, SourceReport
from med_small_lm.schemas.tables import to_frame, to_rows

PASSAGES = [
    Passage(
        "a-1", "a", 0, "One > Two", 1, 2, "Text.", 1, "0" * 64, "own", "book", [Place("b", 3, 4), Place("c", 5, 5)]
    ),
    Passage("a-2", "a", 1, "", 2, 2, "Mehr Text, größer.", 3, "1" * 64, "own"),
]
REPORTS = [SourceReport("a", "a.pdf", "quarantined", "it is empty", 0, 0, 0, [Dropped("captions", 7)], 0.5)]


@pytest.fixture
def passages(tmp_path):
    return RecordsDataset(filepath=str(tmp_path / "deep/passages.parquet"), record="Passage")


@pytest.mark.parametrize("rows", [PASSAGES, REPORTS, []], ids=["nested", "other", "none"])
def test_records_come_back_as_they_went(tmp_path, rows):
    kind = type(rows[0]) if rows else Passage
    dataset = RecordsDataset(filepath=str(tmp_path / "x.parquet"), record=kind.__name__)
    dataset.save(to_frame(rows, kind))
    assert to_rows(dataset.load(), kind) == rows
    assert list(dataset.load().columns) == list(to_frame([], kind).columns)


def test_the_same_records_give_the_same_bytes(passages, tmp_path):
    files = []
    for _ in range(2):
        passages.save(to_frame(PASSAGES, Passage))
        files.append((tmp_path / "deep/passages.parquet").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("version", ["0", None])
def test_another_version_is_refused_with_the_cure(passages, tmp_path, version):
    passages.save(to_frame(PASSAGES, Passage))
    file = tmp_path / "deep/passages.parquet"
    assert pq.read_schema(file).metadata[VERSION_KEY].decode() == SCHEMA_VERSION
    table = pq.read_table(file).replace_schema_metadata({VERSION_KEY: version} if version else None)
    pq.write_table(table, file)
    with pytest.raises(DatasetError, match=rf"version {version or 'none'}, .* run the pipeline that writes it again"):
        passages.load()


def test_a_frame_that_is_no_record_leaves_the_old_file(passages):
    passages.save(to_frame(PASSAGES, Passage))
    with pytest.raises(DatasetError):
        passages.save(pd.DataFrame([{"passage_id": 1, "page_first": "one"}]))
    assert to_rows(passages.load(), Passage) == PASSAGES


def test_preview_is_a_table_of_the_first_rows(passages):
    assert passages.preview(nrows=5)["data"] == []
    passages.save(to_frame([], Passage))
    assert passages.preview(nrows=5)["data"] == [] and "text" in passages.preview(nrows=5)["columns"]
    passages.save(to_frame(PASSAGES, Passage))
    shown = passages.preview(nrows=1)
    assert shown["index"] == [0] and shown["columns"][:2] == ["passage_id", "book"] and shown["data"][0][0] == "a-1"


@pytest.mark.parametrize("at", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_half_of_a_new_one(passages, tmp_path, monkeypatch, at):
    passages.save(to_frame(PASSAGES, Passage))
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_args, **_kwargs):
        raise full

    monkeypatch.setattr(
        *{"write": (pq.ParquetWriter, "write_table"), "fsync": (os, "fsync"), "replace": (os, "replace")}[at], refuse
    )
    with pytest.raises(DatasetError) as caught:
        passages.save(to_frame(PASSAGES[:1], Passage))
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["passages.parquet"]
    assert to_rows(passages.load(), Passage) == PASSAGES

    from med_small_lm.cli import user_message

    assert user_message(caught.value).startswith("the disk is full ([Errno 28] No space left on device): make room")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_aside(target) as aside:
        aside.write_text("half of the n")
        raise KeyboardInterrupt
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
