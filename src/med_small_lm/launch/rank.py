"""One rank: ``python -m med_small_lm.launch.rank package.module:function SPEC PARENT``, as torchrun starts it.

It imports neither Kedro nor MLflow, so that it runs on a bare GPU machine.
"""

from __future__ import annotations

import errno
import faulthandler
import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from med_small_lm import quiet  # noqa: F401  before the work imports anything
from med_small_lm.errors import mendable
from med_small_lm.launch import failures
from med_small_lm.launch.commands import RANKS
from med_small_lm.launch.failures import Failure
from med_small_lm.launch.launcher import found
from med_small_lm.launch.ties import die_with
from med_small_lm.launch.watch import METRICS, add_metrics


def main(work: str, spec: Path, parent: int) -> None:
    """Does the work of this rank; an error ends the process at once, before the others' absence can hold it."""
    die_with(parent)
    rank, ranks = int(os.environ["RANK"]), spec.parent / RANKS
    redirect(ranks / f"{rank}.log")
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(levelname)s: %(message)s")
    logging.getLogger("med_small_lm").setLevel(logging.INFO)

    def log(metrics: Mapping[str, float], step: int) -> None:
        if rank == 0:
            add_metrics(spec.parent / METRICS, metrics, step)

    try:
        found(work)(spec, log)
    except Exception as problem:
        sys.stdout.flush()
        os._exit(told(problem, rank, ranks))
    distributed = sys.modules.get("torch.distributed")
    if distributed and distributed.is_initialized():
        distributed.destroy_process_group()  # left to itself, gloo aborts at exit


def redirect(path: Path) -> None:
    """Sends all output of this process, that of C libraries too, to a file."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())


def told(problem: Exception, rank: int, ranks: Path) -> int:
    """Writes an error down and returns the exit code, which says it where the disk has no room for more."""
    own = mendable(problem)
    trace = "".join(traceback.format_exception(problem))
    line = f"{type(problem).__name__}: {problem}".splitlines()[0]
    try:
        failures.write(Failure(rank, 1, time.time(), line, trace, str(own) if own else ""), ranks)
    except OSError as full:
        return full.errno or errno.EIO
    return 1


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
