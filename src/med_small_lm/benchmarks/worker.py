"""What each rank of an evaluation does: it loads a model, answers its shards of questions, and saves them.

It reads all that it needs from files and imports neither Kedro nor MLflow, so that it runs on a bare GPU machine.
"""

from __future__ import annotations

import gc
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from med_small_lm.answers.forms import forms_of
from med_small_lm.benchmarks.asking import Asker, Setting, answered
from med_small_lm.benchmarks.local import LocalModel
from med_small_lm.benchmarks.models import load
from med_small_lm.benchmarks.open_book import Pages
from med_small_lm.benchmarks.runs import Run
from med_small_lm.benchmarks.shards import Shard, store
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.parquet import read_records, written_records
from med_small_lm.schemas.rows import Question
from med_small_lm.schemas.tables import to_rows

LOG = logging.getLogger(__name__)

WORK_OF_A_RANK = "med_small_lm.benchmarks.worker:work"
SPEC, QUESTIONS = "spec.json", "questions.parquet"
DONE = "questions"
"""The metric that tells how many questions this rank has answered."""

Log = Callable[[Mapping[str, float], int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One model and the shards that it is to answer; ``pages`` are what it may read."""

    model: str
    folder: str
    adapter: str
    pages: Pages | None
    shards: Sequence[Shard]


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a rank needs to know; the questions lie beside it.

    Attributes:
        ranks: processes that share the work.
        params: of the evaluation, as plain values.
        answers: the forms, as plain values.
        shots: the examples that stand before questions, as ``Setting`` has them, as ids of questions beside it.
        jobs: model by model.
    """

    ranks: int
    params: Mapping[str, Any]
    answers: Mapping[str, Any]
    shots: Mapping[str, Sequence[str]]
    jobs: Sequence[Job]

    @classmethod
    def read(cls, path: Path) -> Spec:
        """Returns the spec at ``path``."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["jobs"] = [Job(**job | {"shards": [_shard(**one) for one in job["shards"]]}) for job in raw["jobs"]]
        return cls(**raw)

    def write(self, path: Path, questions: Sequence[Question]) -> None:
        """Leaves the spec at ``path`` and the questions beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_records(path.parent / QUESTIONS, Question) as write:
            write(asdict(question) for question in questions)
        path.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")

    def setting(self, questions: Mapping[str, Question], pages: Pages | None) -> Setting:
        """Returns what questions are asked with."""
        params, answers = Evaluate.model_validate(self.params), Answers.model_validate(self.answers)
        shots = {key: [questions[name] for name in names] for key, names in self.shots.items()}
        return Setting(params, forms_of(answers), shots, pages)


def _shard(model: str, run: Mapping[str, Any], ids: list[str], file: str) -> Shard:
    return Shard(model, Run(**run), ids, Path(file))


def work(path: Path, log: Log) -> None:
    """Answers this rank's share of the shards: each as soon as it is done lies in its file.

    Raises:
        CheckpointError: a model's folder cannot be evaluated.
    """
    spec = Spec.read(path)
    rank, device = _place(spec.ranks)
    questions = {one.question_id: one for one in to_rows(read_records(path.parent / QUESTIONS), Question)}
    gc.freeze()  # nothing of what is there has to be looked through when a model is dropped
    try:
        _answer_all(spec, rank, device, questions, log)
    finally:
        gc.unfreeze()


def _answer_all(spec: Spec, rank: int, device: str | None, questions: Mapping[str, Question], log: Log) -> None:
    """Answers this rank's shards, one model after the other."""
    done = 0
    for (folder, adapter), jobs in groupby(_own(spec, rank), key=lambda job: (job[0].folder, job[0].adapter)):
        model, tokenizer = load(
            Path(folder),
            device,
            chat=spec.params["layout"] == "chat"
            or "generation" in spec.params["modes"]
            or "proposition" in spec.params["compared"],
            adapters=[Path(adapter)] if adapter else [],
        )
        for job, own in jobs:
            setting = spec.setting(questions, job.pages)
            for shard in own:
                asker = LocalModel(
                    model, tokenizer, setting.params, shard.seed + setting.params.seed, _told(shard, done, log)
                )
                answer(shard, [questions[name] for name in shard.ids], asker, setting)
                done += len(shard.ids)
                log({DONE: done}, done)
                LOG.debug("%s: %s is done", shard.model, shard.file.name)
        del model, tokenizer, asker
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _own(spec: Spec, rank: int) -> Iterator[tuple[Job, list[Shard]]]:
    """The jobs of which a rank has shards, with these."""
    first = 0
    for job in spec.jobs:
        own = [shard for place, shard in enumerate(job.shards, first) if place % spec.ranks == rank]
        first += len(job.shards)
        if own:
            yield job, own


def answer(shard: Shard, questions: Sequence[Question], asker: Asker, setting: Setting) -> None:
    """Leaves a shard's answers in its file."""
    counts: Counter[str] = Counter()
    store(shard, answered(shard.run, questions, asker, setting, counts), counts)


def _place(ranks: int) -> tuple[int, str | None]:
    """This process's number among ``ranks``, and its GPU where there is one for each; alone it takes what there is."""
    if ranks == 1:
        return 0, None
    local = int(os.environ["LOCAL_RANK"])
    return int(os.environ["RANK"]), f"cuda:{local % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu"


def _told(shard: Shard, before: int, log: Log) -> Callable[[int, int], None]:
    """Tells how far a shard is: of prompts, of which a question may need several."""
    return lambda done, total: log({DONE: before + len(shard.ids) * done / total}, before)
