"""A small finished run: three books, a tiny model, few steps, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOKS = ("biochemistry", "pharmacology", "physiology")
ITEMS = 40
PARAMETERS = """\
knowledge_injection:
  base: {vocab_size: 600, hidden_size: 32, intermediate_size: 64, layers: 1, heads: 2}
  injection: {tokens: 30000, log_steps: 5, evaluations: 1}
instruction_tune: {tune: {steps: 15, log_steps: 5}}
evaluate: {max_new_tokens: 8, bootstrap_samples: 200}
"""


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy of the project in which `kedro run` has been through once."""
    project = tmp_path_factory.mktemp("small_run")
    for part in ("src", "conf"):
        shutil.copytree(ROOT / part, project / part, ignore=shutil.ignore_patterns("__pycache__", "local"))
    shutil.copy(ROOT / "pyproject.toml", project)
    raw, local = project / "data/01_raw", project / "conf/local"
    shutil.copytree(ROOT / "data/01_raw/textbooks", raw / "textbooks")
    local.mkdir(parents=True)
    (raw / "small_exam.jsonl").write_text("\n".join(_some_items()) + "\n")
    (local / "parameters.yml").write_text(PARAMETERS)
    (local / "benchmarks.yml").write_text("pocket_exam: {file: data/01_raw/small_exam.jsonl}\n")
    shelf = (f"{book}: {{file: data/01_raw/textbooks/{book}.pdf, licence: Apache-2.0}}\n" for book in BOOKS)
    (local / "shelf.yml").write_text("".join(shelf))
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"}
    environment.pop("KEDRO_ENV", None)
    done = subprocess.run(
        [sys.executable, "-m", "kedro", "run"], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def _some_items() -> list[str]:
    """The exam's dev split and the first items of its test split."""
    lines = (ROOT / "data/01_raw/benchmarks/pocket_exam.jsonl").read_text().splitlines()
    split = {"dev": [], "test": []}
    for line in lines:
        split[json.loads(line)["split"]].append(line)
    return split["dev"] + split["test"][:ITEMS]
