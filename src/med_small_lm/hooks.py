"""What happens around every run: nothing starts that cannot end, one run at a time, calm lines on the way."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from med_small_lm.config import check_parameters
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.needs import needs_of
from med_small_lm.paid import check_candidates, check_judge, check_teacher
from med_small_lm.summary import closing_lines

LOG = logging.getLogger(__name__)
GIB = 1 << 30


class RunHooks:
    """Checks, lock, progress and closing lines of ``kedro run``."""

    def __init__(self) -> None:
        """Nothing is locked until a pipeline runs."""
        self._lock: FileLock | None = None
        self._started = 0.0
        self._done = self._nodes = 0

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters and the shelf, before anything else is set up."""
        check_parameters(context.config_loader["parameters"], pipelines)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Take the lock and say what the run will need; stop before anything runs if it cannot be had."""
        self._take_lock()
        try:
            check_inputs(pipeline, catalog)
            check_teacher(pipeline, catalog)
            check_candidates(pipeline, catalog)
            check_judge(pipeline, catalog)
            needs = needs_of(pipeline, catalog)
            LOG.info("This run needs about %s.", needs)
            free = shutil.disk_usage(PROJECT / "data").free
            if needs.disk > free:
                raise UserError(
                    f"this run needs about {needs.disk / GIB:.2f} GiB of disk under {PROJECT / 'data'}, "
                    f"{free / GIB:.2f} GiB are free: make room, or move the project"
                )
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            if needs.memory > memory:
                raise UserError(
                    f"this run needs about {needs.memory / GIB:.2f} GiB of memory, this machine has "
                    f"{memory / GIB:.2f} GiB: a smaller base model, batch_size or block_size needs less"
                )
        except BaseException:
            self._release()
            raise
        self._started, self._done, self._nodes = time.monotonic(), 0, len(pipeline.nodes)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node runs."""
        self._done += 1
        LOG.info("%d of %d: %s", self._done, self._nodes, node.name)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Say what came of it, and release the lock."""
        try:
            LOG.info("Done in %.0f s.", time.monotonic() - self._started)
            for line in closing_lines(pipeline, catalog):
                LOG.info("%s", line)
        finally:
            self._release()

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Release the lock."""
        self._release()

    def _take_lock(self) -> None:
        """Hold ``data/.run.lock``, which a killed process lets go of, and sweep up what one was writing."""
        folder = PROJECT / "data"
        folder.mkdir(exist_ok=True)
        lock, owner = FileLock(folder / ".run.lock"), _owner()
        try:
            lock.acquire(timeout=0)
        except Timeout as problem:
            first = owner.read_text(encoding="utf-8") if owner.exists() else "unknown"
            raise UserError(
                f"another run is at work in {folder} (process {first}): wait for it, or end it"
            ) from problem
        owner.write_text(str(os.getpid()), encoding="utf-8")
        self._lock = lock
        atexit.register(self._release)  # Ctrl-C calls no hook
        sweep(folder)

    def _release(self) -> None:
        if self._lock is not None:
            _owner().unlink(missing_ok=True)
            self._lock.release()
            self._lock = None


def sweep(folder: Path) -> None:
    """Delete the files that a killed run was writing; a folder aside is an export's, which the next one replaces."""
    for aside in folder.rglob(".*.partial"):
        if not aside.is_dir():
            aside.unlink()


def _owner() -> Path:
    """The file that names the process of the run at work."""
    return PROJECT / "data" / ".run.pid"


def check_inputs(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Return nothing if all that the pipeline reads and does not make is there.

    Raises:
        UserError: An earlier pipeline has not run yet.
    """
    for name in sorted(pipeline.inputs()):
        if not name.startswith("params:") and name != "teacher" and not catalog.exists(name):
            raise UserError(f"this run reads {name}, which is not there yet: run all, or the pipeline that makes it")
