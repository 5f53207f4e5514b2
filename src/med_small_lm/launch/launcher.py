"""Work run on every rank, wherever the ranks are."""

from __future__ import annotations

import logging
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from med_small_lm.launch import failures, jobs
from med_small_lm.launch.commands import RANKS
from med_small_lm.launch.failures import LaunchError
from med_small_lm.launch.jobs import Job
from med_small_lm.launch.watch import Watch
from med_small_lm.params.launch import Launch

LOG = logging.getLogger(__name__)

LOOK = 0.2  # seconds between two looks at what the ranks write
GRACE = 10.0  # seconds above launch.shutdown, for torchrun to end its ranks itself


def run(work: str, spec: Path, launch: Launch, log: Callable[[Mapping[str, float], int], None]) -> None:
    """Does ``work`` on every rank and returns when all have ended well.

    Args:
        work: ``package.module:function``, called as ``function(spec, log)``.
        spec: a file in a folder of the launch's own, which all hosts see; output and metrics go beside it.
        launch: where the ranks run, and how many.
        log: takes the metrics of rank 0 and their step, in this process and while the work goes on.

    Raises:
        LaunchError: a rank failed; it names the first and shows its traceback, or tells what the user can mend.
        UserError: what is to run the ranks is not there.
        KeyboardInterrupt: this process was interrupted or terminated; the ranks had their time to save.
    """
    if launch.how == "inline":
        found(work)(spec, log)
        return
    spec = spec.resolve()
    ranks = spec.parent / RANKS
    shutil.rmtree(ranks, ignore_errors=True)
    ranks.mkdir()
    watch = Watch(spec, ranks, log)
    with _terminated_as_interrupted():
        job = jobs.start(work, spec, launch, ranks)
        try:
            while not job.ended(LOOK):
                watch.look()
        except BaseException:
            stop(job, launch.shutdown, watch)
            raise
    watch.look()
    if code := job.process.returncode:
        raise LaunchError(failures.why(failures.read(ranks), code, launch.processes * launch.hosts, watch.last))


def found(work: str) -> Any:
    """Returns the function that ``package.module:function`` names."""
    module, _, name = work.partition(":")
    return getattr(import_module(module), name)


def stop(job: Job, seconds: float, watch: Watch) -> None:
    """Gives the ranks time to save, then ends what is left; a second Ctrl-C ends it at once."""
    LOG.warning("stopping: there are up to %.0f s to save the state; Ctrl-C once more ends all at once", seconds)
    try:
        job.ask()
        end = time.monotonic() + seconds + GRACE
        while not job.ended(LOOK) and time.monotonic() < end:
            watch.output()  # and no metrics: what takes them may be what failed
        watch.output()
    finally:
        job.end()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends this process as Ctrl-C does, in order; only the main thread can have it so."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # another thread: a SIGTERM ends this process, and the kernel its ranks
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
