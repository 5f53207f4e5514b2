"""A library is read in shards: whole or not there, never read twice, the same wherever it is read."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
from datatrove.executor.base import ExecutorJSONEncoder
from hypothesis import given
from hypothesis import strategies as st

from med_small_lm.errors import UserError
from med_small_lm.overlap.duplicates import link_duplicates
from med_small_lm.params.ingest_textbooks import Duplicates, IngestTextbooks, Library, PassageBudget
from med_small_lm.schemas.rows import Passage, Question, SourceReport
from med_small_lm.schemas.tables import to_rows
from med_small_lm.textbooks import SourceFile, ocr, read_file
from med_small_lm.textbooks.library import Lane, lane, read_library
from med_small_lm.textbooks.library.executors import Share, Work, deal
from med_small_lm.textbooks.library.repeats import find_repeats
from med_small_lm.textbooks.library.shards import cut, files_of

SMALL = IngestTextbooks(library=Library(files=2, jobs=2, memory=1))
FILES = 12


def write(path: Path, subject: str, sentences: int = 12) -> Path:
    """A small book in Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [f"The {subject} number {n} keeps its balance by exchange with organ {n * n}." for n in range(sentences)]
    path.write_text(f"# All about {subject}\n\n" + "\n\n".join(told) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def books(tmp_path):
    """A folder of small books, in folders of their own."""
    for number in range(FILES):
        write(tmp_path / f"books/{number % 3}/book {number}.md", f"cell{number}")
    return tmp_path / "books"


@pytest.fixture
def source(books):
    return SourceFile("lib", books, "CC0")


@pytest.fixture
def opened(monkeypatch):
    """The files that were really read, in order; ``opened.stop`` at the file of that number raises."""

    class Opened(list):
        stop = -1

    seen = Opened()
    real = lane.read_files

    def spied(files, params):
        for file in files:
            if len(seen) == seen.stop:
                raise KeyboardInterrupt
            seen.append(file.path.stem)
            yield from real([file], params)

    monkeypatch.setattr(lane, "read_files", spied)
    return seen


def rows(read: Lane, part: str = "passages", kind: type = Passage):
    return [row for frame in read.part(part) for row in to_rows(frame, kind)]


def written(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Inode and bytes of the lane's passages and exercises."""
    files = [*folder.rglob("passages.parquet"), *folder.rglob("exercises.parquet")]
    return {str(file.relative_to(folder)): (file.stat().st_ino, file.read_bytes()) for file in files}


def content(folder: Path) -> dict[str, bytes]:
    return {name: data for name, (_, data) in written(folder).items()}


def test_a_folder_gives_what_its_files_give_in_the_order_of_their_paths(source, tmp_path):
    read = read_library(source, tmp_path / "out", SMALL)
    assert len(read.keys) > 1
    own = [read_file(file, SMALL) for file in files_of(source)]
    assert rows(read) == [passage for one in own for passage in one.passages]
    assert rows(read, "exercises", Question) == [question for one in own for question in one.exercises]
    told = [replace(report, seconds=0.0) for report in rows(read, "report", SourceReport)]
    assert told == [replace(one.report, seconds=0.0) for one in own]
    assert [report.book for report in told] == sorted(f"lib/{n % 3}/book {n}" for n in range(FILES))
    assert Lane.at(tmp_path / "out") == read


def test_a_file_is_a_library_of_one(books, tmp_path):
    file = SourceFile("one", books / "0/book 0.md", "CC0")
    assert rows(read_library(file, tmp_path / "out", SMALL)) == read_file(file, SMALL).passages


def test_names_that_differ_in_the_suffix_alone_keep_it(tmp_path):
    for name in ("a.md", "a.txt", "a.md.md", "b.txt", ".hidden.md", "picture.png", "deep/a.md"):
        write(tmp_path / name, "cell")
    found = {
        file.path.name: file.book for file in files_of(SourceFile("lib", tmp_path, "CC0")) if "deep" not in file.book
    }
    assert found == {"a.md": "lib/a.md", "a.txt": "lib/a.txt", "a.md.md": "lib/a.md.md", "b.txt": "lib/b"}
    assert len({file.book for file in files_of(SourceFile("lib", tmp_path, "CC0"))}) == 5


@given(st.sets(st.text("abcdefgh", min_size=1, max_size=5), min_size=1, max_size=60), st.text("abcdefgh", min_size=1))
def test_shards_hold_all_files_in_order_and_a_new_file_changes_few(names, new):
    folder = Path("/library")

    def runs(of):
        files = [SourceFile(name, folder / f"{name}.pdf", "CC0") for name in sorted(of)]
        cuts = list(cut(files, folder, 5))
        assert [file for run in cuts for file in run] == files
        assert all(1 <= len(run) <= 20 for run in cuts)
        return {tuple(file.book for file in run) for run in cuts}

    if all(len(run) < 20 for run in runs(names) | runs(names | {new})):  # else the longest run moves
        assert len(runs(names) - runs(names | {new})) <= 1
        assert len(runs(names | {new}) - runs(names)) <= 2


def test_what_did_not_change_is_not_read_again(source, tmp_path, opened, caplog):
    caplog.set_level(logging.INFO)
    read_library(source, tmp_path / "out", SMALL)
    before = written(tmp_path / "out")
    assert len(opened) == FILES
    read_library(source, tmp_path / "out", SMALL)
    assert len(opened) == FILES and written(tmp_path / "out") == before
    assert "lib: unchanged, not read again" in caplog.text


def change(path: Path) -> None:
    write(path / "1/book 4.md", "kidney")


def touch(path: Path) -> None:
    os.utime(path / "1/book 4.md", ns=(1, 1))


def add(path: Path) -> None:
    write(path / "1/book 40.md", "kidney")


def remove(path: Path) -> None:
    (path / "1/book 4.md").unlink()


@pytest.mark.parametrize("step", [change, touch, add, remove])
def test_a_file_that_changes_comes_or_goes_costs_its_own_shard(source, tmp_path, opened, step):
    read_library(source, tmp_path / "out", SMALL)
    opened.clear()
    step(source.path)
    read = read_library(source, tmp_path / "out", SMALL)
    assert len(opened) < FILES / 2
    assert content(tmp_path / "out") == content(read_library(source, tmp_path / "anew", SMALL).folder)
    assert {path.name for path in (tmp_path / "out/shards").iterdir()} == set(read.keys)


@pytest.mark.parametrize(
    "other",
    [{"passages": PassageBudget(words=60, words_min=20)}, {"licence": "own"}, {"title": "All"}, {"password": "x"}],
    ids=lambda other: next(iter(other)),
)
def test_a_parameter_that_changes_costs_all(source, tmp_path, opened, other):
    read_library(source, tmp_path / "out", SMALL)
    params = SMALL.model_copy(update={k: v for k, v in other.items() if k == "passages"})
    read_library(replace(source, **{k: v for k, v in other.items() if k != "passages"}), tmp_path / "out", params)
    assert len(opened) == 2 * FILES


def test_tesseracts_data_that_come_cost_all(source, tmp_path, opened, monkeypatch):
    """What needed them was set aside."""
    monkeypatch.setattr(ocr, "data_folder", lambda: tmp_path)
    read_library(source, tmp_path / "out", SMALL)
    read_library(source, tmp_path / "out", SMALL)
    assert len(opened) == FILES
    (tmp_path / "eng.traineddata").touch()
    read_library(source, tmp_path / "out", SMALL)
    assert len(opened) == 2 * FILES


def test_parameters_that_say_where_or_whether_to_stop_cost_nothing(source, tmp_path, opened):
    read_library(source, tmp_path / "out", SMALL)
    read_library(
        source, tmp_path / "out", SMALL.model_copy(update={"strict": True, "duplicates": Duplicates(shingle=9)})
    )
    assert len(opened) == FILES


@pytest.mark.parametrize("at", [1, 5, FILES - 1])
def test_a_killed_run_goes_on_with_the_shards_that_it_did_not_finish(source, tmp_path, opened, at):
    whole = content(read_library(source, tmp_path / "whole", SMALL).folder)
    opened.clear()
    opened.stop = at
    with pytest.raises(KeyboardInterrupt):
        read_library(source, tmp_path / "out", SMALL)
    opened.stop = -1
    finished = {name.split("/")[1] for name in written(tmp_path / "out")}
    before = written(tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        Lane.at(tmp_path / "out")
    read = read_library(source, tmp_path / "out", SMALL)
    assert content(tmp_path / "out") == whole
    assert {name: written(tmp_path / "out")[name] for name in before} == before
    sizes = {key: json.loads((read.folder / "shards" / key / "done.json").read_text())["files"] for key in read.keys}
    assert len(opened) == at + sum(size for key, size in sizes.items() if key not in finished)


def test_a_run_that_fails_leaves_the_lane_of_the_one_before(source, tmp_path, opened):
    read = read_library(source, tmp_path / "out", SMALL)
    before, opened.stop = rows(read), len(opened) + 3
    with pytest.raises(KeyboardInterrupt):
        read_library(source, tmp_path / "out", SMALL.model_copy(update={"passages": PassageBudget(words=60)}))
    assert rows(Lane.at(tmp_path / "out")) == before


def test_a_file_that_cannot_be_read_is_a_warning_of_one_line(source, tmp_path, caplog):
    (source.path / "1/book 4.md").write_bytes(b"")
    read = read_library(source, tmp_path / "out", SMALL)
    assert len({passage.book for passage in rows(read)}) == FILES - 1
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 1 and warned[0].startswith("lib/1/book 4: quarantined (the file is empty)")


def test_a_file_that_goes_before_it_is_read_is_told_and_not_kept(source, tmp_path, monkeypatch):
    """By then it is on the list."""
    file, real = source.path / "1/book 4.md", lane.read_shard

    def late(shard, **how):
        file.unlink(missing_ok=True)
        real(shard, **how)

    with monkeypatch.context() as patch:
        patch.setattr(lane, "read_shard", late)
        told = rows(read_library(source, tmp_path / "out", SMALL), "report", SourceReport)
    gone = next(report for report in told if report.book == "lib/1/book 4")
    assert (gone.status, gone.reason) == ("quarantined", "it is gone") and len(told) == FILES
    assert len(rows(read_library(source, tmp_path / "out", SMALL), "report", SourceReport)) == FILES - 1


def test_strict_stops_at_the_first_file_that_cannot_be_read(source, tmp_path, opened):
    for number in (4, 7):
        (source.path / f"1/book {number}.md").write_bytes(b"")
    strict = SMALL.model_copy(update={"strict": True})
    said = r"^strict: a file could not be read; lib/1/book 4: quarantined \(the file is empty\), .*book 4.md$"
    with pytest.raises(UserError, match=said):
        read_library(source, tmp_path / "out", strict)
    assert opened[-1] == "book 4"
    read_library(source, tmp_path / "out", SMALL)
    with pytest.raises(UserError, match=said):  # also where there is nothing left to read
        read_library(source, tmp_path / "out", strict)
    write(source.path / "1/book 4.md", "cell4"), write(source.path / "1/book 7.md", "cell7")
    assert len(rows(read_library(source, tmp_path / "out", strict), "report", SourceReport)) == FILES


SBATCH = """#!{python}
import os, re, subprocess, sys
from pathlib import Path
script = Path(sys.argv[-1])
options = dict(re.findall(r"^#SBATCH --([\\w-]+)=?(.*)$", script.read_text(), re.M))
(Path(__file__).parent / f"{{options['job-name']}}.{{len(list(Path(__file__).parent.glob('*.job')))}}.job").write_text(
    script.read_text()
)
failed = 0
for task in range(int(options["array"].split("-")[1].split("%")[0]) + 1):
    env = os.environ | {{"SLURM_ARRAY_TASK_ID": str(task), "SLURM_NODELIST": "localhost", "SLURM_JOB_ID": "1"}}
    failed |= subprocess.run(["bash", str(script)], env=env, stdout=sys.stderr).returncode
print("Submitted batch job 1")
sys.exit(bool(failed))
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """The folder of an ``sbatch`` that runs each task of an array at once, and keeps the scripts."""
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in {
        "sbatch": SBATCH.format(python=sys.executable),
        "scontrol": "#!/bin/sh\necho localhost\n",
    }.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path.endswith("src")))
    return place


def on(executor: str, **settings) -> IngestTextbooks:
    return SMALL.model_copy(update={"library": SMALL.library.model_copy(update={"executor": executor, **settings})})


@pytest.mark.slow
def test_slurm_reads_the_same_and_its_script_asks_for_what_the_parameters_say(source, tmp_path, slurm):
    asked = on("slurm", partition="long", time="01:30:00", cpus=3, memory=5, qos="low")
    read = read_library(source, tmp_path / "out", asked)
    assert content(tmp_path / "out") == content(read_library(source, tmp_path / "here", SMALL).folder)
    script = (slurm / "lib.0.job").read_text()
    for option in (
        "partition=long",
        "time=01:30:00",
        "cpus-per-task=3",
        "mem-per-cpu=5G",
        "qos=low",
        "array=0-1",
        "wait",
    ):
        assert f"#SBATCH --{option}\n" in script
    assert str(Path(sys.executable).parent) in script
    assert sorted(path.name for path in read.folder.iterdir()) == ["manifest.json", "shards"]


def test_slurm_that_is_not_there_or_fails_is_said(source, tmp_path, slurm):
    (slurm / "sbatch").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(UserError, match=r"lib: \d of \d parts were not done; the jobs' logs are in .*jobs"):
        read_library(source, tmp_path / "out", on("slurm"))
    (slurm / "sbatch").unlink()
    with pytest.raises(UserError, match="there is no sbatch"):
        read_library(source, tmp_path / "out", on("slurm"))


def test_a_password_lies_in_no_file(source, tmp_path):
    secret = replace(source, password="open sesame")
    with pytest.raises(UserError, match="executor: local"):
        read_library(secret, tmp_path / "out", on("slurm"))
    read_library(secret, tmp_path / "out", SMALL)
    work = Work([secret], partial(print, end=""), lambda item: False)
    with pytest.raises(UserError):
        deal("lib", work, tmp_path / "out/jobs", SMALL.library)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert "open sesame" not in json.dumps(Share(work), cls=ExecutorJSONEncoder), "Slurm and Ray leave such a file"
    assert not [path for path in files if b"open sesame" in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra [cluster])")
def test_ray_reads_the_same_and_stays_on_loopback(source, tmp_path):
    met, ended = set(), threading.Event()  # process and address

    def watch():
        while not ended.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    ends = [end for line in process.net_connections("inet") for end in (line.laddr, line.raddr) if end]
                    met.update((process.name(), end.ip.removeprefix("::ffff:")) for end in ends)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        read_library(source, tmp_path / "out", on("ray"))
    finally:
        ended.set()
        watcher.join()
    assert {address for _, address in met} == {"127.0.0.1"}, met
    assert content(tmp_path / "out") == content(read_library(source, tmp_path / "here", SMALL).folder)


def test_ray_that_is_not_installed_is_said(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'med-small-lm\[cluster\]'"):
        read_library(source, tmp_path / "out", on("ray"))


def test_near_duplicates_are_the_same_on_disk_as_in_memory(source, tmp_path, monkeypatch):
    words = [f"word{n}" for n in range(200)]
    for number in range(4):  # whole copies, a part, and a book that shares nothing
        shared = words if number < 2 else words[:130] if number == 2 else [f"other{n}" for n in range(200)]
        text = " ".join(shared[:100]) + ".\n\n" + " ".join(shared[100:]) + ".\n"
        (source.path / f"copy{number}.md").write_text(f"# One\n\n{text}", encoding="utf-8")
    read = read_library(source, tmp_path / "out", SMALL)
    same = Duplicates(threshold=0.5)
    repeats = find_repeats(read.part("passages").files, tmp_path / "repeats", same, SMALL.library)
    found = [row for frame in repeats.taken_from(read.part("passages")) for row in to_rows(frame, Passage)]
    survivors, gone = link_duplicates(rows(read), same.threshold, same.shingle, same.permutations)
    assert len(gone) == len(repeats) >= 2
    assert found == survivors
    assert [path.name for path in (tmp_path / "repeats").rglob("*") if path.is_file()] == ["repeats.sqlite"]
    monkeypatch.setattr("med_small_lm.textbooks.library.repeats.deal", None)
    again = find_repeats(read.part("passages").files, tmp_path / "repeats", same, SMALL.library)
    assert again == repeats, "what is done is not done again"
    monkeypatch.setattr("med_small_lm.textbooks.library.repeats.code_of", lambda files: "other code")
    with pytest.raises(TypeError):
        find_repeats(read.part("passages").files, tmp_path / "repeats", same, SMALL.library)


def test_a_shelf_without_a_library_pays_for_no_engine():
    code = "import sys, med_small_lm.pipeline_registry; sys.exit(bool({'datatrove', 'ray'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_files_are_readable_by_whoever_may_read_the_folder(source, tmp_path):
    read = read_library(source, tmp_path / "out", SMALL)
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o400 for file in read.part("passages").files)
