"""What the teacher's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from med_small_lm.teacher.prompts import Prompt

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def prompts() -> dict[str, Prompt]:
    """Return the project's own prompts by id."""
    files = sorted((ROOT / "conf/base/prompts").glob("*.yml"))
    return {file.stem: Prompt.parse(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files}


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    """Return where a ledger of this test's own may be."""
    return tmp_path / "teacher.sqlite"
