"""Work dealt out by datatrove: to this machine, to Slurm, to Ray. Each job does every n-th item."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import loguru
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from tqdm import tqdm

from med_small_lm.errors import UserError
from med_small_lm.params.ingest_textbooks import Library
from med_small_lm.quiet import keep_ray_on_loopback

loguru.logger.disable("datatrove")  # its lines and drawings; ours go through logging, its errors are raised


class Work:
    """Items, what to do with one, and whether it is done. All of it can be pickled.

    Not a dataclass, which datatrove would write into a file field by field, passwords too.
    """

    def __init__(self, items: Sequence[Any], do: Callable[[Any], None], is_done: Callable[[Any], bool]) -> None:
        """Keep them."""
        self.items, self.do, self.is_done = items, do, is_done


class Share(PipelineStep):  # type: ignore[misc]
    """The one step of the pipeline: does its share of the work and passes nothing on."""

    type = "WORK"
    name = "share"

    def __init__(self, work: Work) -> None:
        """Take all the work; which share is done is said by the rank."""
        super().__init__()
        self.work = work

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Do the items of this rank."""
        for item in self.work.items[rank::world_size]:
            self.work.do(item)
        yield from ()


def deal(name: str, work: Work, logs: Path, params: Library, stops: Callable[[], bool] = lambda: False) -> None:
    """Do the items that are not done, by the executor that the parameters name.

    Args:
        name: Of the work, for the progress bar and the jobs.
        work: The items. What is done with one leaves the mark by which it is known to be done.
        logs: A folder for the jobs' logs; it goes when all is done.
        params: The executor and its settings.
        stops: Whether work that was left undone was left so on purpose.

    Raises:
        UserError: The executor is not there, or its jobs ended without having done all.
    """
    work.items = [item for item in work.items if not work.is_done(item)]
    if not work.items:
        return
    shutil.rmtree(logs, ignore_errors=True)  # datatrove marks finished ranks; ours are finished items
    with _progress(name, work):
        EXECUTORS[params.executor](name, work, logs, params)
    left = sum(not work.is_done(item) for item in work.items)
    if left and not stops():
        raise UserError(
            f"{name}: {left} of {len(work.items)} parts were not done; the jobs' logs are in {logs}. "
            "The same command goes on with those"
        )
    shutil.rmtree(logs, ignore_errors=True)


class InThisProcess(LocalPipelineExecutor):  # type: ignore[misc]
    """datatrove's local executor with one worker: this process, whose own workers read an item's files side by side.

    Without the manager that counts several workers, a process that a SIGKILL of this one would leave behind.
    """

    def run(self) -> None:
        """Do rank after rank."""
        for rank in range(self.world_size):
            self._run_for_rank(rank)


def _local(name: str, work: Work, logs: Path, params: Library) -> None:
    InThisProcess([Share(work)], len(work.items), 1, str(logs), skip_completed=False).run()


def _slurm(name: str, work: Work, logs: Path, params: Library) -> None:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    executor = SlurmPipelineExecutor(
        [Share(work)],
        tasks=min(len(work.items), params.jobs),
        time=params.time,
        partition=params.partition,
        qos=params.qos,
        cpus_per_task=params.cpus,
        mem_per_cpu_gb=params.memory,
        job_name=name,
        env_command=f'export PATH="{Path(sys.executable).parent}:$PATH"',
        sbatch_args={"wait": ""},  # sbatch returns when the array has ended
        logging_dir=str(logs),
        skip_completed=False,
        requeue_signals=None,
        with_srun=False,  # one task on one node: the batch script is it
    )
    try:
        executor.run()
    except FileNotFoundError as problem:
        raise UserError("executor: slurm: there is no sbatch on this machine") from problem
    except subprocess.CalledProcessError:
        return  # a job failed: the marks tell what is left


def _ray(name: str, work: Work, logs: Path, params: Library) -> None:
    if not params.address:
        keep_ray_on_loopback()
    try:
        import ray
    except ImportError as problem:
        raise UserError("executor: ray: Ray is not installed: pip install 'med-small-lm[cluster]'") from problem
    from datatrove.executor.ray import RayPipelineExecutor

    jobs = min(len(work.items), params.jobs)
    with _ray_cluster(ray, params, jobs):
        RayPipelineExecutor(
            [Share(work)],
            tasks=jobs,
            logging_dir=str(logs),
            skip_completed=False,
            cpus_per_task=params.cpus,
            mem_per_cpu_gb=params.memory,
        ).run()


@contextmanager
def _ray_cluster(ray: Any, params: Library, jobs: int) -> Iterator[None]:
    """The cluster at the address, or one of this machine's own that listens on loopback alone and goes at the end."""
    if params.address:
        ray.init(address=params.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        room = {"num_cpus": jobs * params.cpus, "_memory": jobs * params.cpus * params.memory << 30}
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **room)
    try:
        yield
    finally:
        ray.shutdown()


EXECUTORS = {"local": _local, "slurm": _slurm, "ray": _ray}


@contextmanager
def _progress(name: str, work: Work) -> Iterator[None]:
    """A bar over the items, on a terminal: their marks are counted, wherever they are made."""
    ended = threading.Event()
    with tqdm(desc=name, total=len(work.items), unit=" parts", leave=False, disable=None) as bar:

        def watch() -> None:
            while not ended.wait(1.0):
                bar.update(sum(map(work.is_done, work.items)) - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        if not bar.disable:
            watcher.start()
        try:
            yield
        finally:
            ended.set()
            if watcher.is_alive():
                watcher.join()
