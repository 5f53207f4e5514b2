"""What runs the ranks: a torchrun of this host, or a job of Slurm's. Both are asked to end, and ended if need be."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from med_small_lm.errors import UserError
from med_small_lm.launch import commands
from med_small_lm.params.launch import Launch

LOG = logging.getLogger(__name__)


class Job:
    """A process in a session of its own, so that Ctrl-C is its caller's to answer."""

    def __init__(self, argv: list[str], environment: Mapping[str, str], output: Path) -> None:
        """Start it; both its streams go to a file."""
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
            )

    def ended(self, seconds: float) -> bool:
        """Whether it has ended, or ends while it is waited for."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.returncode is not None

    def ask(self) -> None:
        """Ask it to end: torchrun passes that on and waits."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)

    def end(self) -> None:
        """End it and all that it has started."""
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.process.pid)
            for process in [*own.children(recursive=True), own]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()


class SlurmJob(Job):
    """An ``sbatch`` that waits for its job, known by its name: sbatch may tell the number only at the end."""

    def __init__(self, argv: list[str], environment: Mapping[str, str], output: Path, spec: Path) -> None:
        """Hand the script in."""
        super().__init__(argv, environment, output)
        self._asks, self._end = commands.scancel_argvs(spec)

    def ask(self) -> None:
        """Ask its ranks to end; a job that waits in the queue goes at once."""
        for argv in self._asks:
            subprocess.run(argv, capture_output=True)

    def end(self) -> None:
        """End the job and the process that waits for it."""
        if not self.ended(0):
            subprocess.run(self._end, capture_output=True)
        super().end()


def start(work: str, spec: Path, launch: Launch, ranks: Path) -> Job:
    """Returns the job, started.

    Raises:
        UserError: Slurm is asked for and is not there.
    """
    if launch.how == "slurm":
        return _submit(work, spec, launch, ranks)
    if launch.hosts > 1:
        command = shlex.join(commands.torchrun_argv(work, spec, launch))
        LOG.info("on each of the %d other hosts, in %s: %s", launch.hosts - 1, Path.cwd(), command)
    threads = commands.threads_of(_cores(), launch.processes)
    environment = commands.environment(os.environ, _path(), threads)
    return Job(commands.torchrun_argv(work, spec, launch, os.getpid()), environment, ranks / "torchrun.log")


def _submit(work: str, spec: Path, launch: Launch, ranks: Path) -> Job:
    if shutil.which("sbatch") is None:
        raise UserError("launch.how: slurm: there is no sbatch on this machine; run this where jobs are handed in")
    script = ranks / "job.sh"
    script.write_text(commands.slurm_script(work, spec, launch), encoding="utf-8")
    environment = commands.environment(os.environ, _path(), 0)
    return SlurmJob(commands.sbatch_argv(script, launch), environment, ranks / "sbatch.log", spec)


def _path() -> list[str]:
    """What this process imports from beside Python's own folders: those are not for what runs under another Python."""
    own = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return [folder for folder in sys.path if not folder.startswith(own)]


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
