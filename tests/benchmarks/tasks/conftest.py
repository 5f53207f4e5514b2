"""Releases of invented questions, in the layout of each original release."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.benchmarks.items import Problem
from med_small_lm.benchmarks.published import fault_of, read_release
from med_small_lm.benchmarks.releases import Release
from med_small_lm.benchmarks.tasks import known_tasks
from med_small_lm.schemas.rows import Question

Read = Callable[..., tuple[list[Question], list[Problem]]]


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Release]:
    """A release of files by name: text, bytes, records (JSON Lines, or an array in ``.json``), or one object."""

    def make(task: str, files: dict[str, Any], *, folder: bool = True, **more: Any) -> Release:
        root = tmp_path / "release"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, list) and path.suffix == ".jsonl":
                content = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in content)
            elif isinstance(content, list | dict):
                content = json.dumps(content, indent=1)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Release(known_tasks()[task], "mine", root if folder else root / next(iter(files)), **more)

    return make


@pytest.fixture
def read(release: Callable[..., Release]) -> Read:
    """The questions and problems of such a release, of which nothing is the user's fault."""

    def make(*told: Any, **more: Any) -> tuple[list[Question], list[Problem]]:
        made = release(*told, **more)
        assert fault_of(made) == ""
        return read_release(made)

    return make
