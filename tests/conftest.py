"""A small project of its own for tests that look from outside: three books, a tiny model, the real command line."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
BOOKS = ("biochemistry", "pharmacology", "physiology")
SECRET = "sk-not-for-any-file-0123456789"
ITEMS = 40  # of the exam's test split
LOCAL = {
    "shelf.yml": "".join(f"{name}: {{file: data/01_raw/textbooks/{name}.pdf, licence: own}}\n" for name in BOOKS),
    "benchmarks.yml": "pocket_exam: {file: data/01_raw/benchmarks/few.jsonl}\n",
    "credentials.yml": f"teacher: {{api_key: {SECRET}}}\n",
    "catalog.yml": "teacher: {credentials: teacher}\n",
    "parameters.yml": """\
knowledge_injection:
  base: {vocab_size: 600, hidden_size: 32, intermediate_size: 64, layers: 1, heads: 2}
  injection: {tokens: 30000, log_steps: 5, save_steps: 5, evaluations: 1, optimiser: {learning_rate: 0.003}}
instruction_tune: {tune: {steps: 15, log_steps: 5}}
evaluate: {max_new_tokens: 8, bootstrap_samples: 200, candidates: {open_book: {exams: [pocket_exam]}}}
""",
}
GUARD = '''
"""Refuses every connection and every look-up of a name but loopback's, and writes it down."""
import ipaddress, os, socket

def local(host):
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "", None)

def refused(what, host, error):
    with open(os.environ["SOCKET_LOG"], "a") as log:
        log.write(f"{what} {host}\\n")
    raise error(f"guarded: {host}")

def guarded(name):
    real = getattr(socket.socket, name)
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not local(address[0]):
            refused("connect", address[0], ConnectionRefusedError)
        return real(self, address)
    setattr(socket.socket, name, connect)

guarded("connect"), guarded("connect_ex")
resolve = socket.getaddrinfo

def getaddrinfo(host, *rest, **more):
    if not local(host):
        refused("resolve", host, socket.gaierror)
    return resolve(host, *rest, **more)

socket.getaddrinfo = getaddrinfo
'''
FORKS = '''
"""Runs a command line for each line of standard input, each in a fork that has its imports already."""
import json, os, sys
from pathlib import Path
from kedro.framework.cli.cli import KedroCLI, _init_plugins

_init_plugins()
cli = KedroCLI(project_path=Path.cwd())
cli.list_commands(None)
import med_small_lm.pipeline_registry
for line in sys.stdin:
    args = json.loads(line)
    child = os.fork()
    if not child:
        log = os.open(".forked.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        cli.main(args=args, prog_name="kedro")
        sys.exit("unreachable")
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
'''


class Project:
    """A copy of the project in a folder of its own, worked through its command line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self._forks: subprocess.Popen[str] | None = None

    @classmethod
    def copied(cls, root: Path) -> Project:
        """The code, the configuration but the user's own, and the pocket data."""
        for part in ("src", "conf", "notebooks", "data/01_raw/textbooks", "data/01_raw/benchmarks"):
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "local"))
        for file in ("pocket_facts.csv", "pocket_everyday.md"):
            shutil.copy(ROOT / "data/01_raw" / file, root / "data/01_raw")
        shutil.copy(ROOT / "pyproject.toml", root)
        (root / "conf/local").mkdir()
        return cls(root)

    @classmethod
    def small(cls, root: Path) -> Project:
        """The small project: few books, few items of the exam, a tiny model; nothing is run yet."""
        project = cls.copied(root)
        exam = project.data / "01_raw/benchmarks"
        items = (exam / "pocket_exam.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        test = [line for line in items if json.loads(line)["split"] == "test"]
        (exam / "few.jsonl").write_text("".join(line for line in items if line not in test[ITEMS:]), encoding="utf-8")
        project.configure(**{name.removesuffix(".yml"): text for name, text in LOCAL.items()})
        return project

    def copy(self, root: Path) -> Project:
        """A copy with all data, hard-linked where that is safe: every file of a run is replaced, never changed."""
        linked = shutil.ignore_patterns(".*", "*.sqlite*", "mlflow.db*")
        shutil.copytree(self.root, root, copy_function=os.link, ignore=linked, dirs_exist_ok=True)
        for file in [*self.data.rglob("*.sqlite*"), *self.data.glob("mlflow.db*")]:
            shutil.copy(file, root / file.relative_to(self.root))
        return Project(root)

    def configure(self, **files: str) -> None:
        """Write files of ``conf/local``: ``shelf="..."`` writes ``shelf.yml``."""
        for name, text in files.items():
            file = self.root / f"conf/local/{name}.yml"
            file.unlink(missing_ok=True)  # it may be a link
            file.write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command: as it is, but with this copy's code and without ``CI``."""
        outer = {name: value for name, value in os.environ.items() if name not in ("CI", "KEDRO_ENV")}
        return outer | {"PYTHONPATH": str(self.root / "src")} | more

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        """A running ``kedro``; its output is both streams."""
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", *args], cwd=self.root, env=self.environment(**environment),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
        )  # fmt: skip

    def kedro(self, *args: str, **environment: str) -> tuple[int, str]:
        """The exit code and the output of ``kedro``, in a process of its own."""
        process = self.start(*args, **environment)
        output, _ = process.communicate()
        return process.returncode, output

    def forked(self, *args: str) -> tuple[int, str]:
        """The same from a fork of a process that has done its imports: a case costs a fraction of a second."""
        if self._forks is None:
            self._forks = subprocess.Popen(
                [sys.executable, "-c", FORKS], cwd=self.root, env=self.environment(), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        assert self._forks.stdin is not None and self._forks.stdout is not None
        print(json.dumps(args), file=self._forks.stdin, flush=True)
        code = int(self._forks.stdout.readline())
        return code, (self.root / ".forked.log").read_text(encoding="utf-8")

    @contextlib.contextmanager
    def running(self, *args: str, until: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A ``kedro`` that has just written a line which ``until`` matches; at the end it is killed."""
        process = self.start(*args, **environment)
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if re.search(until, line):
                    break
            else:
                raise AssertionError(f"no line matches {until!r}:\n{''.join(said)}")
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def guard(self) -> dict[str, str]:
        """What to add to the environment of a command so that its connections are refused and counted."""
        folder = self.root / "guard"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
        path = os.pathsep.join([str(folder), str(self.root / "src")])
        return {"PYTHONPATH": path, "SOCKET_LOG": str(self.root / "sockets.log")}

    def connections(self) -> list[str]:
        """The connections that were refused."""
        log = self.root / "sockets.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def close(self) -> None:
        """End the process that forks."""
        if self._forks is not None and self._forks.stdin is not None:
            self._forks.stdin.close()
            self._forks.wait()
            self._forks = None

    def read(self, name: str) -> pd.DataFrame:
        """A Parquet file of ``data``, e.g. ``03_primary/passages``."""
        return pd.read_parquet(self.data / f"{name}.parquet")

    def made(self) -> set[Path]:
        """The files of records and models that a run has left."""
        folders = [path for path in self.data.glob("0*") if path.name != "01_raw"]
        return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small project in which the default chain has been run once, every connection guarded."""
    project = Project.small(tmp_path_factory.mktemp("small_run"))
    code, output = project.kedro("run", **project.guard(), MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL="0.5")
    (project.root / "run.log").write_text(output, encoding="utf-8")
    assert code == 0, output
    return project.root


@pytest.fixture(scope="session")
def finished(small_run: Path) -> Iterator[Project]:
    """The small project after its run; tests that change something take ``scratch``."""
    project = Project(small_run)
    yield project
    project.close()


@pytest.fixture
def scratch(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the small project after its run, to be spoilt."""
    project = finished.copy(tmp_path / "project")
    yield project
    project.close()


@pytest.fixture(scope="session")
def _bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copied(tmp_path_factory.mktemp("bare"))
    yield project
    project.close()


@pytest.fixture
def bare(_bare: Project) -> Iterator[Project]:
    """A project as it is cloned: the full shelf, nothing run, nothing in ``conf/local`` but what the test writes."""
    yield _bare
    for file in [*(_bare.root / "conf/local").iterdir(), *_bare.made()]:
        file.unlink()
