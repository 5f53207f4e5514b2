"""Lanes of files and of folders become one set of passages, exercises and reports; nothing is dropped silently."""

import logging

import pytest

from med_small_lm.errors import UserError
from med_small_lm.params.ingest_textbooks import Duplicates, IngestTextbooks, Library
from med_small_lm.pipelines.ingest_textbooks.nodes import merge_lanes, read_lane
from med_small_lm.schemas.rows import Passage, SourceReport
from med_small_lm.schemas.streams import Frames
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks import SourceFile

PARAMS = IngestTextbooks(library=Library(files=1))


@pytest.fixture
def shelf(tmp_path):
    """A file, a folder of three files of which one is broken and one is a copy of the first file, and a broken file."""
    (tmp_path / "lib").mkdir()
    for name, subject in {"alone": "heart", "lib/copy": "heart", "lib/own": "liver"}.items():
        told = "\n\n".join(f"The {subject} number {n} keeps its balance by exchange with {n * n}." for n in range(12))
        (tmp_path / f"{name}.md").write_text(f"# All about it\n\n{told}\n")
    (tmp_path / "lib/broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    (tmp_path / "empty.md").touch()
    return {name: tmp_path / path for name, path in {"alone": "alone.md", "lib": "lib", "bad": "empty.md"}.items()}


def ingest(shelf, tmp_path, params=PARAMS):
    lanes = {}
    for name, path in shelf.items():
        parts = read_lane(SourceFile(name, path, "CC0"), params, str(tmp_path / "books"))
        lanes |= dict(zip((f"{name}__passages", f"{name}__exercises", f"{name}__report"), parts, strict=True))
    return merge_lanes(params, str(tmp_path / "books"), **lanes)


def rows(frames: Frames, kind):
    return [row for frame in frames for row in to_rows(frame, kind)]


def test_all_lanes_come_together_in_the_order_of_the_shelf(shelf, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    passages, exercises, reports, quarantine = ingest(shelf, tmp_path)
    assert list(dict.fromkeys(row.book for row in rows(passages, Passage))) == ["alone", "lib/own"]
    told = ["alone", "lib/broken", "lib/copy", "lib/own", "bad"]
    assert [row.book for row in rows(reports, SourceReport)] == told
    assert list(quarantine["book"]) == ["lib/broken", "bad"] and rows(exercises, Passage) == []
    assert "5 files; 2 files not read; lib/broken: " in caplog.text
    assert "repeat one of another book and are linked to it" in caplog.text


def test_a_repeat_is_linked_on_disk_as_in_memory(shelf, tmp_path):
    on_disk = rows(ingest(shelf, tmp_path)[0], Passage)
    in_memory = ingest(shelf | {"lib": shelf["lib"] / "copy.md", "own": shelf["lib"] / "own.md"}, tmp_path / "b")[0]
    places = [[(place.book, place.page_first) for place in row.also_in] for row in on_disk if row.book == "alone"]
    assert places and all(place == [("lib/copy", 1)] for place in places)
    assert [row.text for row in rows(in_memory, Passage)] == [row.text for row in on_disk]
    off = PARAMS.model_copy(update={"duplicates": Duplicates(threshold=None)})
    assert {row.book for row in rows(ingest(shelf, tmp_path, off)[0], Passage)} == {"alone", "lib/copy", "lib/own"}


def test_nothing_readable_at_all_stops_and_names_the_first(tmp_path):
    (tmp_path / "lib").mkdir()
    for number in range(15):
        (tmp_path / f"lib/{number:02d}.md").touch()
    with pytest.raises(UserError, match=r"^nothing could be read; lib/00: quarantined .*lib/09: .*; and 5 more$"):
        ingest({"lib": tmp_path / "lib"}, tmp_path)
