"""Lanes are loaded frame by frame and checked on the way; what was not read lies in quarantine while it is bad."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from med_small_lm.datasets.lanes import LaneDataset, QuarantineDataset
from med_small_lm.datasets.records import RecordsDataset
from med_small_lm.params.ingest_textbooks import IngestTextbooks, Library
from med_small_lm.schemas.parquet import ROWS
from med_small_lm.schemas.rows import Passage
from med_small_lm.schemas.streams import EachFrame, Frames
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.textbooks import SourceFile
from med_small_lm.textbooks.library import read_library


def passage(number: int) -> Passage:
    return Passage(f"a-{number}", "a", number, "One", 1, 1, "Text.", 1, "0" * 64, "own")


def frames(*many: int) -> Frames:
    """Frames of so many passages each."""
    begins = [sum(many[:n]) for n in range(len(many))]
    made = [to_frame(map(passage, range(begin, begin + n)), Passage) for begin, n in zip(begins, many, strict=True)]
    return Frames(lambda: iter(made))


@pytest.fixture
def lane(tmp_path):
    """A lane that was read of two small files, each a shard."""
    for name in ("one", "two"):
        (tmp_path / f"books/{name}.md").parent.mkdir(exist_ok=True)
        (tmp_path / f"books/{name}.md").write_text(f"# On {name}\n\n" + f"It is about {name} and nothing else. " * 20)
    params = IngestTextbooks(library=Library(files=1))
    return read_library(SourceFile("b", tmp_path / "books", "own"), tmp_path / "lane", params)


def dataset(lane, part="passages"):
    return LaneDataset(filepath=str(lane.folder), part=part)


def test_a_lane_is_loaded_shard_by_shard_and_saved_where_it_lies(lane):
    dataset(lane).save(lane.part("passages"))
    loaded = dataset(lane).load()
    assert len(loaded.files) == 2 and [frame["book"].iloc[0] for frame in loaded] == ["b/one", "b/two"]
    assert [frame["book"].iloc[0] for frame in loaded] == ["b/one", "b/two"], "it can be gone through again"
    assert dataset(lane).exists() and dataset(lane).preview(1)["data"][0][1] == "b/one"
    with pytest.raises(DatasetError, match="lie elsewhere"):
        dataset(lane).save(lane.part("report"))


def test_a_lane_that_was_not_read_to_its_end_is_none(lane):
    (lane.folder / "manifest.json").unlink()
    assert not dataset(lane).exists() and dataset(lane).preview()["data"] == []
    with pytest.raises(DatasetError, match="holds no lane that was read"):
        dataset(lane).load()


def test_each_frame_is_checked_when_it_passes():
    good = frames(3, 2)
    checked = EachFrame("Passages").validate(good)
    assert [len(frame) for frame in checked] == [3, 2]
    bad = good.mapped(lambda frame: frame.assign(page_first=9) if len(frame) == 2 else frame)
    passing = iter(EachFrame("Passages").validate(bad))
    assert len(next(passing)) == 3
    with pytest.raises(Exception, match="pages_in_order"):
        next(passing)


def test_frames_that_break_a_rule_leave_the_old_file(tmp_path):
    validator = {"class": "med_small_lm.schemas.streams.EachFrame", "options": {"model": "Passages"}}
    entry = {"type": "med_small_lm.datasets.records.RecordsDataset", "record": "Passage", "validator": validator}
    catalog = DataCatalog.from_config({"passages": entry | {"filepath": str(tmp_path / "p.parquet")}})
    catalog.save("passages", frames(3))
    with pytest.raises(DatasetError, match="pages_in_order"):
        catalog.save("passages", frames(2, 2).mapped(lambda frame: frame.assign(page_first=9)))
    assert to_rows(catalog.load("passages"), Passage) == [passage(n) for n in range(3)]
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_the_same_records_give_the_same_bytes_however_they_come(tmp_path):
    number, written = ROWS + 10, []
    for many in ([number], [7, number - 7], [ROWS, 0, 10]):
        RecordsDataset(filepath=str(tmp_path / "p.parquet"), record="Passage").save(frames(*many))
        written.append((tmp_path / "p.parquet").read_bytes())
    assert written[0] == written[1] == written[2]
    RecordsDataset(filepath=str(tmp_path / "p.parquet"), record="Passage").save(next(iter(frames(number))))
    assert (tmp_path / "p.parquet").read_bytes() == written[0]


COLUMNS = ["book", "file", "status", "reason"]


@pytest.fixture
def bad(tmp_path):
    """Two files that were not read: one of its own, one deep in a library."""
    (tmp_path / "shelf/deep").mkdir(parents=True)
    files = {"own": tmp_path / "shelf/broken.pdf", "lib/deep/page": tmp_path / "shelf/deep/page.pdf"}
    for book, file in files.items():
        file.write_text(book)
    rows = [(book, str(file), "quarantined", 'it is "empty", they say') for book, file in files.items()]
    return pd.DataFrame(rows, columns=COLUMNS, dtype="str")


@pytest.mark.parametrize("refused", [[], ["symlink"], ["symlink", "link"]], ids=["symbolic", "hard", "copy"])
def test_quarantine_links_to_each_file_and_says_why(tmp_path, bad, monkeypatch, refused):
    def refuse(*_):
        raise OSError("not on this file system")

    for way in refused:
        monkeypatch.setattr(os, way, refuse)
    quarantine = QuarantineDataset(filepath=str(tmp_path / "quarantine"))
    assert not quarantine.exists()
    quarantine.save(bad)
    quarantine.save(bad)
    assert (tmp_path / "quarantine/own.pdf").read_text() == "own"
    assert (tmp_path / "quarantine/lib/deep/page.pdf").read_text() == "lib/deep/page"
    assert (tmp_path / "quarantine/own.pdf").is_symlink() == (refused == [])
    assert quarantine.load().to_dict("list") == bad.to_dict("list")
    assert quarantine.preview()["columns"] == COLUMNS


def test_each_file_has_a_link_of_its_own(tmp_path):
    """Also where the name of one is that of another and its suffix."""
    names = {"lib/a": "a.pdf", "lib/a.pdf": "a.pdf.pdf"}
    rows = [(book, str(tmp_path / file), "quarantined", "broken") for book, file in names.items()]
    QuarantineDataset(filepath=str(tmp_path / "q")).save(pd.DataFrame(rows, columns=COLUMNS, dtype="str"))
    assert {path.readlink().name for path in (tmp_path / "q/lib").iterdir()} == set(names.values())


def test_quarantine_is_emptied_of_files_that_are_read_now(tmp_path, bad):
    quarantine = QuarantineDataset(filepath=str(tmp_path / "quarantine"))
    quarantine.save(bad)
    quarantine.save(bad.iloc[:1])
    left = {path.relative_to(tmp_path / "quarantine") for path in (tmp_path / "quarantine").rglob("*")}
    assert left == {Path("own.pdf"), Path("reasons.csv")}
    quarantine.save(bad.iloc[:0])
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["reasons.csv"]
    assert quarantine.load().empty and list(quarantine.load().columns) == COLUMNS
    assert (tmp_path / "shelf/broken.pdf").read_text() == "own", "the files themselves stay"


def test_a_file_that_is_gone_is_still_named(tmp_path, bad):
    shutil.rmtree(tmp_path / "shelf")
    QuarantineDataset(filepath=str(tmp_path / "quarantine")).save(bad)
    assert len(QuarantineDataset(filepath=str(tmp_path / "quarantine")).load()) == 2
