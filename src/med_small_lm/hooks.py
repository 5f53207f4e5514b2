"""What happens around every run: one run at a time, enough room before it starts, one closing line."""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from med_small_lm.errors import UserError
from med_small_lm.needs import needs_of
from med_small_lm.shelf import PROJECT

LOG = logging.getLogger(__name__)
GIB = 1 << 30


class RunHooks:
    """Lock, preflight and closing line of ``kedro run``."""

    def __init__(self) -> None:
        """Nothing is locked until a pipeline runs."""
        self._lock: FileLock | None = None
        self._started = 0.0

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Take the lock and say what the run will need; stop before anything runs if it cannot be had."""
        self._take_lock()
        try:
            needs = needs_of(pipeline, catalog)
            LOG.info("This run needs about %s.", needs)
            free = shutil.disk_usage(PROJECT / "data").free
            if needs.disk > free:
                raise UserError(
                    f"this run needs about {needs.disk / GIB:.1f} GiB of disk, {free / GIB:.1f} GiB are free"
                )
        except BaseException:
            self._release()
            raise
        self._started = time.monotonic()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Release the lock and say how long it took."""
        LOG.info("Done in %.0f s.", time.monotonic() - self._started)
        self._release()

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Release the lock."""
        self._release()

    def _take_lock(self) -> None:
        folder = PROJECT / "data"
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / ".run.lock")
        owner = folder / ".run.pid"
        try:
            lock.acquire(timeout=0)
        except Timeout as problem:
            first = owner.read_text(encoding="utf-8") if owner.exists() else "unknown"
            raise UserError(f"another run is at work here (process {first}); wait for it, or end it") from problem
        owner.write_text(str(os.getpid()), encoding="utf-8")
        self._lock = lock

    def _release(self) -> None:
        if self._lock is not None:
            Path(PROJECT / "data" / ".run.pid").unlink(missing_ok=True)
            self._lock.release()
            self._lock = None
