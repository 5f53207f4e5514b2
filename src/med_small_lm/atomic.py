"""Files and folders that are whole or not there: written aside, fsynced, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """The path of a file beside ``target`` to write to; on success it takes the target's place, else it goes.

    A crash at any moment leaves the old file or the new one, never a half of either.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield aside
        fsync(aside)
        os.replace(aside, target)
        fsync(target.parent)
    finally:
        aside.unlink(missing_ok=True)


def replace_folder(target: Path, made: Path) -> None:
    """Put a finished folder in the place of an older one, which a crash in between leaves beside as ``<name>.old``."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.replace(target, old)
    os.replace(made, target)
    fsync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def fsync(path: Path) -> None:
    """Force a file or a folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
