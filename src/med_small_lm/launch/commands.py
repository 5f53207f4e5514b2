"""Command lines, environment and batch script of a launch, as values: nothing is started here."""

from __future__ import annotations

import hashlib
import math
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from med_small_lm.params.launch import Launch

RANKS = "ranks"
"""The folder beside the spec that holds the ranks' output and what is said of those that failed."""

FAILURE = ".failure.json"  # behind a rank's number

_SCRIPT = """\
#!/bin/bash
#SBATCH --nodes={hosts}
#SBATCH --ntasks-per-node=1
#SBATCH --job-name={name}
#SBATCH --output={output}
#SBATCH --dependency=singleton
threads=$((SLURM_CPUS_ON_NODE / {processes}))
export OMP_NUM_THREADS="${{OMP_NUM_THREADS:-$((threads > 1 ? threads : 1))}}"
rm -f {ranks}/*{failure}
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export PET_RDZV_ENDPOINT="$first:$((20000 + SLURM_JOB_ID % 20000))"
exec srun --kill-on-bad-exit=1 ${{SLURM_CPUS_PER_TASK:+--cpus-per-task=$SLURM_CPUS_PER_TASK}} {command}
"""
"""singleton: a job that an earlier launch has left behind ends first. rm: what a try before left, if Slurm has requeued
the job. srun does not take --cpus-per-task over from sbatch."""


def name_of(spec: Path) -> str:
    """Returns the name that a launch has on a cluster, the same each time it is launched."""
    return f"med-small-lm-{hashlib.sha256(str(spec).encode()).hexdigest()[:8]}"


def torchrun_argv(work: str, spec: Path, launch: Launch, parent: int = 0) -> list[str]:
    """Returns the command that runs the ranks of one host.

    Args:
        work: ``package.module:function``.
        spec: the function's file.
        launch: how many there are, and where hosts find each other; Slurm's script knows that by itself.
        parent: the process that it ends with; 0: none.
    """
    return [
        sys.executable, "-m", "med_small_lm.launch.torchrun", str(parent),
        *_rendezvous(spec, launch),
        f"--nproc-per-node={launch.processes}",
        "--max-restarts=0",
        f"--shutdown-timeout={math.ceil(launch.shutdown)}",
        f"--log-dir={spec.parent / RANKS}",
        "-m", "med_small_lm.launch.rank", work, str(spec),
    ]  # fmt: skip


def _rendezvous(spec: Path, launch: Launch) -> list[str]:
    if launch.hosts == 1:
        return ["--standalone", "--local-addr=localhost"]  # the machine's own name need not resolve
    found = [f"--nnodes={launch.hosts}", "--rdzv-backend=c10d", f"--rdzv-id={name_of(spec)}"]
    return found + ([f"--rdzv-endpoint={launch.rendezvous}"] if launch.how == "torchrun" else [])


def environment(outer: Mapping[str, str], path: Sequence[str], threads: int) -> dict[str, str]:
    """Returns the ranks' environment: this process's, with its import path and without MLflow.

    Args:
        outer: this process's environment.
        path: this process's ``sys.path``.
        threads: CPU threads of a rank, unless the environment says; 0: left open.
    """
    kept = {name: value for name, value in outer.items() if not name.startswith("MLFLOW_")}
    imports = os.pathsep.join(folder or os.curdir for folder in path)
    return ({"OMP_NUM_THREADS": str(threads)} if threads else {}) | kept | {"PYTHONPATH": imports}


def threads_of(cores: int, processes: int) -> int:
    """Returns the CPU threads of each process when they share out the cores."""
    return max(1, cores // processes)


def slurm_script(work: str, spec: Path, launch: Launch) -> str:
    """Returns the batch script: one task a host, each a torchrun; the first host is where they find each other."""
    ranks = spec.parent / RANKS
    return _SCRIPT.format(
        hosts=launch.hosts,
        name=name_of(spec),
        output=ranks / "slurm.log",
        ranks=shlex.quote(str(ranks)),
        failure=FAILURE,
        processes=launch.processes,
        command=shlex.join(torchrun_argv(work, spec, launch)),
    )


def sbatch_argv(script: Path, launch: Launch) -> list[str]:
    """Returns the command that hands the script in and waits for its end; the user's options go above the script's."""
    return ["sbatch", "--wait", *launch.slurm, str(script)]


def scancel_argvs(spec: Path) -> tuple[list[list[str]], list[str]]:
    """Returns the commands that ask a launch's job to end (a waiting one just goes), and the one that ends it."""
    by_name = ["scancel", f"--name={name_of(spec)}"]
    return [[*by_name, "--state=PENDING"], [*by_name, "--signal=TERM"]], by_name
