"""Two proofs that the score comes from the books: the chain without them, and the chain on changed books."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from med_small_lm.atomic import written_aside
from med_small_lm.datasets.records import RecordsDataset
from med_small_lm.entries import PROJECT
from med_small_lm.errors import UserError
from med_small_lm.pocket.outputs import CHANGES_FILE, EXAM_FILE, FACTS_FILE, write_counterfactual, write_library

LOG = logging.getLogger(__name__)

WITHOUT_BOOKS = "knowledge_injection.injection.tokens=0,instruction_tune.tune.replay_share=0.0"
"""What conf/without_books says, said on the command line too: there it lies over conf/local."""
MODES = {"likelihood": "option_text/0-shot", "generation": "explain/0-shot"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: how many of ``n`` items came out so."""

    label: str
    mode: str
    right: int
    n: int

    @property
    def share(self) -> float:
        """The share of items."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval (Wilson)."""
        low, high = proportion_confint(self.right, self.n, method="wilson")
        return float(low), float(high)

    def line(self) -> str:
        """For the screen."""
        low, high = self.interval
        return f"{self.label:<44} {self.mode:<11} {self.share:.3f} [{low:.3f}, {high:.3f}]  {self.right} of {self.n}"


def refuse_own_shelf() -> None:
    """Return nothing if the proofs can be made: they compare runs on the pocket books.

    Raises:
        UserError: ``conf/local`` has a shelf or exams, which lie over those of every environment.
    """
    for name in ("shelf.yml", "benchmarks.yml"):
        file = PROJECT / "conf/local" / name
        if file.exists():
            raise UserError(f"the proofs are made on the pocket books, but {file} puts others first: move it away")


def run_chain(env: str | None, params: str) -> None:
    """Run the default pipeline in a process of its own, in ``env``; what is finished there is not done again.

    Raises:
        UserError: The run failed; its own log says why.
    """
    command = [sys.executable, "-m", "kedro", "run"]
    command += ["--env", env] if env else []
    command += ["--params", params] if params else []
    LOG.info("%s", " ".join(command[2:]))
    done = subprocess.run(command, cwd=PROJECT)
    if done.returncode:
        raise UserError(f"{' '.join(command[2:])} ended with exit code {done.returncode}")


def tuned_answers(env: str | None) -> pd.DataFrame:
    """The tuned model's answers to the pocket exam, with ``right`` beside: one line an item and mode."""
    folder = PROJECT / "data" / (env or "")
    predictions = RecordsDataset(
        filepath=str(folder / "07_model_output/predictions.parquet"), record="Prediction"
    ).load()
    items = RecordsDataset(filepath=str(folder / "05_model_input/exam_items.parquet"), record="Question").load()
    keys = items.set_index("question_id")["answer_keys"]
    asked = predictions[
        (predictions["model"] == "tuned")
        & (predictions["benchmark"] == "pocket_exam")
        & (predictions["variant"].isin(MODES.values()))
    ].copy()
    asked["right"] = [set(a) == set(keys[q]) for a, q in zip(asked["answer_keys"], asked["question_id"], strict=True)]
    return asked


def sides(label: str, answers: pd.DataFrame) -> list[Side]:
    """One side for each mode."""
    return [Side(label, str(mode), int(found["right"].sum()), len(found)) for mode, found in answers.groupby("mode")]


def ablation(params: str = "") -> list[Side]:
    """The tuned model with the books, and the same tuning from the untaught model without them."""
    refuse_own_shelf()
    run_chain(None, params)
    run_chain("without_books", ",".join(filter(None, [params, WITHOUT_BOOKS])))
    return sides("with the books", tuned_answers(None)) + sides(
        "without injection and replay", tuned_answers("without_books")
    )


def counterfactual(n: int = 40, seed: int = 0, params: str = "") -> list[Side]:
    """What the model answers on ``n`` changed facts when the books say otherwise, and on the unchanged ones."""
    refuse_own_shelf()
    raw, folder = PROJECT / "data/01_raw", PROJECT / "data/counterfactual/01_raw"
    write_counterfactual(raw / FACTS_FILE, raw / "benchmarks" / EXAM_FILE, folder, n, seed)
    write_library(folder / FACTS_FILE, folder / "textbooks")
    changed = {
        json.loads(line)["question_id"] for line in (folder / CHANGES_FILE).read_text(encoding="utf-8").splitlines()
    }
    run_chain(None, params)
    run_chain("counterfactual", params)
    before, after = tuned_answers(None), tuned_answers("counterfactual")
    return [
        *sides("changed facts: books as they were, old key", _only(before, changed)),
        *sides("changed facts: changed books, new key", _only(after, changed)),
        *sides("unchanged facts: books as they were", _without(before, changed)),
        *sides("unchanged facts: changed books", _without(after, changed)),
    ]


def _only(answers: pd.DataFrame, ids: set[str]) -> pd.DataFrame:
    return answers[answers["question_id"].isin(ids)]


def _without(answers: pd.DataFrame, ids: set[str]) -> pd.DataFrame:
    return answers[~answers["question_id"].isin(ids)]


def table(compared: Sequence[Side]) -> str:
    """Both sides, a line each, with the 95 % intervals."""
    return "\n".join(["tuned model on pocket_exam, accuracy with 95 % interval", *(side.line() for side in compared)])


def save(compared: Sequence[Side], file: Path) -> None:
    """Keep the comparison as CSV beside the reports."""
    lines = [{"label": s.label, "mode": s.mode, "right": s.right, "n": s.n, "share": s.share} for s in compared]
    with written_aside(file) as aside:
        pd.DataFrame(lines).to_csv(aside, index=False)
