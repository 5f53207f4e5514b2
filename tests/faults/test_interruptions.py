"""Two runs at once, a kill, a Ctrl-C, a full disk: what is there is whole, and the next run finishes the work."""

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import contextmanager

import pytest

INGEST = ("run", "--pipelines", "ingest_textbooks")
TRAINED = ("run", "--to-nodes", "tune_on_instructions")
WHOLE = ["passages", "ingest_report", "questions", "rationales", "rephrasings", "corpus", "conversations"]


def digests(project):
    """SHA-256 of every file of records and models that holds no time."""
    timed = re.compile(r"report|history|teacher|manifest|07_|08_|exam_items|\.partial")
    found = {
        path.relative_to(project.data): path.read_bytes() for path in project.made() if not timed.search(str(path))
    }
    return {str(name): hashlib.sha256(data).hexdigest() for name, data in found.items()}


@pytest.fixture
def unrun(scratch):
    """The small project before its run."""
    for path in scratch.data.iterdir():
        if path.name != "01_raw":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return scratch


def test_a_second_run_names_the_first_which_goes_on(unrun):
    with unrun.running(*INGEST, until=r"\d of \d+: ") as first:
        os.kill(first.pid, signal.SIGSTOP)
        code, said = unrun.kedro("run")
        assert (code, said.count("\n")) == (1, 1), said
        assert said.startswith("Error: another run is at work in ") and f"(process {first.pid})" in said
        os.kill(first.pid, signal.SIGCONT)
        rest, _ = first.communicate()
        assert first.returncode == 0, rest
    assert (unrun.data / "03_primary/passages.parquet").exists()


def test_ctrl_c_ends_quietly_and_lets_go_of_the_lock(unrun):
    with unrun.running(*INGEST, until=r"1 of \d+: ") as process:
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Stopped. What was finished is kept: the same command goes on from there."
    assert "Traceback" not in said
    assert not (unrun.data / ".run.pid").exists()
    assert states(unrun) == ["KILLED"]
    assert unrun.forked(*INGEST)[0] == 0


def states(project):
    """The states of MLflow's runs, oldest first."""
    with sqlite3.connect(project.data / "mlflow.db") as database:
        return [state for (state,) in database.execute("SELECT status FROM runs ORDER BY start_time")]


def test_killed_at_three_places_it_still_ends_where_an_uninterrupted_run_does(finished, unrun):
    for place in (r"ingest_textbooks\.pharmacology\.read", r"\d: write_questions", r"injection: step 20 of"):
        with unrun.running(*TRAINED, until=place) as process:
            os.killpg(process.pid, signal.SIGKILL)
        for name, digest in digests(unrun).items():
            assert digest == digests(finished)[name], f"killed at {place}: {name} is not whole"
        assert not (unrun.data / "06_models/injected/manifest.json").exists()
    code, said = unrun.kedro(*TRAINED)
    assert code == 0, said
    assert "injection: goes on from step" in said, "the training began anew"
    made, wanted = digests(unrun), digests(finished)
    assert {name for name in wanted if not name.startswith("06_models/tuned")} <= set(made)
    assert {name: digest for name, digest in made.items() if wanted[name] != digest} == {}
    assert states(unrun) == ["KILLED", "KILLED", "KILLED", "FINISHED"]
    assert [path for path in unrun.data.rglob("*.partial")] == []


@contextmanager
def small_disk(folder, mebibytes):
    """A file system of its own at a folder, or a skip where none may be mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_files_and_a_clear_line(finished, unrun):
    shutil.rmtree(unrun.data)
    with small_disk(unrun.data, 40):
        shutil.copytree(finished.data, unrun.data, dirs_exist_ok=True)
        before = digests(unrun)
        longer = ("--params", "ingest_textbooks.passages.words=200")
        with unrun.running(*INGEST, *longer, until="1 of ") as process:
            with (unrun.data / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
                while True:
                    filler.write(bytes(1 << 16))
            said, _ = process.communicate()
        assert process.returncode == 1 and "Traceback" not in said, said
        assert said.splitlines()[-1].startswith("Error: the disk is full (")
        left = digests(unrun)
        assert left.keys() == before.keys()
        assert left["03_primary/passages.parquet"] == before["03_primary/passages.parquet"]
        (unrun.data / "filler").unlink()
        code, said = unrun.forked(*INGEST)
        assert code == 0, said
        assert digests(unrun) == before
