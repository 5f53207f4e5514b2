"""One stage of training seen from outside: what is handed to the ranks, where they run, and what comes back."""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from med_small_lm.atomic import fsync, written_aside
from med_small_lm.launch import run
from med_small_lm.params.launch import Launch
from med_small_lm.params.training import LoopParams
from med_small_lm.schemas.rows import Perplexity
from med_small_lm.tuning.checkpoint import Checkpoint, Draft, Outcome, Row
from med_small_lm.tuning.curve import Curve, Log, Sample

LOG = logging.getLogger(__name__)

WORK_OF_A_RANK = "med_small_lm.tuning.worker:work"
SPEC, RESULT, DATA, READY, BEST = "spec.json", "result.json", "data", "ready", "best"
SAMPLES, PERPLEXITIES = "samples.md", "perplexities.json"


class Trained(NamedTuple):
    """What a stage leaves: the checkpoint, the rows of its curve, and the perplexities measured on the way."""

    checkpoint: Checkpoint
    history: list[Row]
    perplexities: list[Perplexity]


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a rank needs to know; the rest lies in files beside it.

    Attributes:
        stage: "injection" or "tuning".
        start: folder of the checkpoint that training starts from.
        draft: folder that the model is written to.
        steps: optimiser steps.
        ranks: processes that train together.
        sharded: whether they share out the weights (FSDP).
        seed: of order, dropout and intervals.
        params: the stage's parameters as plain values.
        plan: fingerprint of all that the training is made from.
    """

    stage: str
    start: str
    draft: str
    steps: int
    ranks: int
    sharded: bool
    seed: int
    params: Mapping[str, Any]
    plan: str

    @property
    def data(self) -> Path:
        """The folder of the rows and texts."""
        return Path(self.draft) / "work" / DATA

    @property
    def rows(self) -> int:
        """Rows of the whole training."""
        return self.steps * self.ranks * int(self.params["batch_size"] * self.params["accumulation"])

    @property
    def step_tokens(self) -> int:
        """Tokens of an optimiser step."""
        return self.ranks * int(self.params["block_size"] * self.params["batch_size"] * self.params["accumulation"])

    @classmethod
    def read(cls, path: Path) -> Spec:
        """Returns the spec at ``path``."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Leaves the spec at ``path``."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Result:
    """What the ranks send back.

    Attributes:
        history: rows of the curve.
        perplexities: of held-out texts, at each look.
        samples: replies to dev questions, at each look.
        scores: dev score by step.
        published: the step of the model.
        final_loss: mean of the last logged stretch.
        seconds: wall time of the last run.
    """

    history: Sequence[Row]
    perplexities: Sequence[Perplexity]
    samples: Sequence[Sample]
    scores: Mapping[int, float]
    published: int
    final_loss: float
    seconds: float

    @classmethod
    def of(cls, curve: Curve, published: int, seconds: float) -> Result:
        """Returns the result of a curve."""
        return cls(
            curve.rows, curve.perplexities, curve.samples, curve.scores, published, curve.final_loss, seconds
        )  # fmt: skip

    @classmethod
    def read(cls, folder: Path) -> Result:
        """Returns what the ranks left in ``folder``."""
        raw = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        raw["perplexities"] = [Perplexity(**one) for one in raw["perplexities"]]
        raw["samples"] = [Sample(**one) for one in raw["samples"]]
        return cls(**raw | {"scores": {int(step): score for step, score in raw["scores"].items()}})

    def write(self, folder: Path) -> None:
        """Leaves the result in ``folder``."""
        (folder / RESULT).write_text(json.dumps(asdict(self)), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage about to run: its draft, where it starts, and how long it is."""

    name: str
    draft: Draft
    start: Checkpoint
    params: LoopParams
    seed: int
    launch: Launch
    log: Log
    licences: Sequence[str]

    @property
    def ranks(self) -> int:
        """Processes that train together."""
        return ranks_of(self.launch)

    def prepare(self, fill: Callable[[Path], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Returns what ``fill`` says of the data that it writes; done once, also for a training that is resumed."""
        folder = self.draft.work / DATA
        if not (folder / READY).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            told = json.dumps(fill(folder))
            for path in folder.iterdir():
                fsync(path)
            with written_aside(folder / READY) as aside:
                aside.write_text(told, encoding="utf-8")
        ready: Mapping[str, Any] = json.loads((folder / READY).read_text(encoding="utf-8"))
        return ready

    def spec(self, steps: int) -> Spec:
        """Returns what the ranks are told for a training of ``steps`` steps."""
        return Spec(
            self.name, str(self.start.path.resolve()), str(self.draft.path.resolve()), steps, self.ranks,
            self.launch.strategy == "fsdp" and self.ranks > 1, self.seed, self.params.model_dump(mode="json"),
            self.draft.plan.fingerprint,
        )  # fmt: skip

    def run(self, steps: int, drawn: Mapping[str, Any]) -> Trained:
        """Returns the finished checkpoint after ``steps`` steps on all ranks, and its history."""
        spec = self.spec(steps)
        path = self.draft.work / SPEC
        spec.write(path)
        run(WORK_OF_A_RANK, path, self.launch, self.log)
        result = Result.read(self.draft.work)
        if result.samples:
            (self.draft.path / SAMPLES).write_text(samples_in_words(result.samples), encoding="utf-8")
        told = json.dumps([asdict(one) for one in result.perplexities if one.step <= result.published], indent=1)
        (self.draft.path / PERPLEXITIES).write_text(told, encoding="utf-8")
        outcome = Outcome(
            steps * spec.step_tokens, steps, result.final_loss, result.seconds, drawn, self.licences,
            {str(step): score for step, score in result.scores.items() if math.isfinite(score)}, result.published,
        )  # fmt: skip
        return again(self.draft.publish(outcome, result.history))


def again(checkpoint: Checkpoint) -> Trained:
    """Returns a finished checkpoint with what its training left beside it."""
    told = json.loads((checkpoint.path / PERPLEXITIES).read_text(encoding="utf-8"))
    return Trained(checkpoint, checkpoint.history(), [Perplexity(**one) for one in told])


def ranks_of(launch: Launch) -> int:
    """Returns how many processes train together."""
    return launch.processes * launch.hosts


def samples_in_words(samples: Sequence[Sample]) -> str:
    """Returns samples as Markdown: each question with the expected reply and what the model wrote at each step."""
    lines = ["# What the model writes", ""]
    for prompt, expected in dict.fromkeys((one.prompt, one.expected) for one in samples):  # a question has its forms
        own = [one for one in samples if (one.prompt, one.expected) == (prompt, expected)]
        lines += [f"## {_line(prompt)}", "", f"expected: {_line(expected)}", ""]
        lines += [f"- step {one.step}: {_line(one.reply)}" for one in own]
        lines.append("")
    return "\n".join(lines)


def sample_prompts(folder: Path) -> list[str]:
    """Returns the dev questions that a checkpoint's samples answer; none where none were asked for."""
    file = folder / SAMPLES
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return list(dict.fromkeys(line.removeprefix("## ") for line in lines if line.startswith("## ")))


def _line(text: str) -> str:
    return " ".join(text.split())
