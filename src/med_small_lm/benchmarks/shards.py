"""A run's answers in parts that are saved one by one, so that a run which ends early is gone on with.

::

    model × way of asking ─► parts of about equal length, cases whole ─► MODEL/generation-explain-0-shot-0000-KEY.jsonl
                                                                         └ KEY: hash of all that the answers depend on

A file is written aside and renamed: it is whole or not there. Its name says what it was made from, so that a part is
taken where the name is the same, and anything else in the folder is old.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from med_small_lm.answers import forms as forms_module
from med_small_lm.atomic import written_aside
from med_small_lm.benchmarks.answered import Raw
from med_small_lm.benchmarks.asking import Setting, examples
from med_small_lm.benchmarks.candidates import Source
from med_small_lm.benchmarks.runs import DRAWN, LIKELIHOOD, PERMUTED, Run
from med_small_lm.overlap import guarded
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import Question

LOG = logging.getLogger(__name__)

_CODE = (
    "asking", "batches", "closing", "decoding", "endpoint", "generation", "likelihood", "local", "models", "open_book",
    "permuting", "progressive", "prompts", "reading", "runs",
)  # fmt: skip
"""The modules that answers come from; what reads them is none of these."""
_LIBRARIES = ("torch", "transformers", "tokenizers", "peft")


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of one way of asking: which questions it answers, and the file that the answers go to."""

    model: str
    run: Run
    ids: list[str]
    file: Path

    @property
    def seed(self) -> int:
        """The seed of what is drawn for it: its own, and the same each time."""
        return int(self.file.stem.rpartition("-")[2][:8], 16)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a shard's file holds: the answers, and what was left out of their prompts."""

    raws: list[Raw]
    counts: Counter[str]

    @property
    def is_finished(self) -> bool:
        """Whether none of it is to be asked again."""
        return not any(raw.is_failed for raw in self.raws)


def shards_of(source: Source, run: Run, questions: Sequence[Question], setting: Setting, folder: Path) -> list[Shard]:
    """Returns the parts of one way of asking one model; an endpoint's is one, for its ledger keeps each call.

    Args:
        source: the model.
        run: the way.
        questions: those that can be put so.
        setting: what they are asked with.
        folder: of the benchmark's shards.
    """
    count = 1 if source.endpoint else max(math.ceil(len(questions) / setting.params.shard), 1)
    made = []
    for number, part in enumerate(_parts(questions, count)):
        key = fingerprint(source, run, part, setting)
        slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{run.mode}-{run.variant(layout=setting.params.layout)}")
        file = folder / source.name / f"{slug}-{number:04}-{key[:16]}.jsonl"
        made.append(Shard(source.name, run, [question.question_id for question in part], file))
    return made


def _parts(questions: Sequence[Question], count: int) -> list[list[Question]]:
    """The questions in about ``count`` parts of one size, the longest first, so that a batch is of about one length."""
    size = math.ceil(len(questions) / count)
    cases: dict[str, list[Question]] = {}
    for question in questions:
        cases.setdefault(question.case_id or f" {question.question_id}", []).append(question)
    parts: list[list[Question]] = []
    for case in sorted(cases.values(), key=lambda own: -max(map(_letters, own))):
        if not parts or len(parts[-1]) >= size:
            parts.append([])
        parts[-1] += case
    return parts


def _letters(question: Question) -> int:
    turns = sum(len(turn.content) for turn in question.turns)
    return turns + len(question.context) + len(question.stem) + sum(len(option.text) for option in question.options)


def fingerprint(source: Source, run: Run, questions: Sequence[Question], setting: Setting) -> str:
    """Returns the hash of all that the answers of a part depend on."""
    pages = None if setting.pages is None else [setting.pages.get(one.question_id, []) for one in questions]
    told = [
        source.digest, asdict(run), asdict(setting.forms[run.form]), _limits(run, setting.params), pages,
        [repr(one) for one in examples(run, setting)], [repr(one) for one in questions], code_version(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _limits(run: Run, params: Evaluate) -> dict[str, Any]:
    """The parameters that a way of asking heeds."""
    names = ["layout", "shared_prefix"] if run.mode == LIKELIHOOD else ["max_new_tokens", "early_stop"]
    names += {DRAWN: ["temperature", "top_p", "seed"], PERMUTED: ["seed"]}.get(run.beside, [])
    return {name: getattr(params, name) for name in ["batch_tokens", *names]}


@lru_cache(maxsize=1)
def code_version() -> str:
    """Returns the hash of the sources that answers come from, and of the libraries' versions."""
    here = Path(__file__).parent
    files = [*(here / f"{name}.py" for name in _CODE), Path(forms_module.__file__), Path(guarded.__file__)]
    libraries = [f"{name}=={version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join([*libraries, *(f.read_text(encoding="utf-8") for f in files)]).encode()).hexdigest()


def store(shard: Shard, raws: Iterable[Raw], counts: Mapping[str, int]) -> None:
    """Leaves the answers in the shard's file, whole or not at all."""
    with written_aside(shard.file) as aside:
        lines = [json.dumps(dict(counts)), *(raw.line() for raw in raws)]
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def stored(shard: Shard) -> Stored | None:
    """Returns what the shard's file holds; None where there is none, or it does not answer just these questions."""
    try:
        first, *lines = shard.file.read_text(encoding="utf-8").rstrip("\n").split("\n")
        found = Stored([Raw.of(line) for line in lines], Counter(json.loads(first)))
    except (OSError, ValueError, TypeError) as problem:
        if not isinstance(problem, FileNotFoundError):
            LOG.warning("%s cannot be read and is made again: %s", shard.file, problem)
        return None
    wanted = Counter((name, sample) for name in shard.ids for sample in range(shard.run.samples))
    return found if Counter((raw.question_id, raw.sample) for raw in found.raws) == wanted else None


def sweep(folder: Path, planned: Iterable[Shard]) -> int:
    """Returns how many files were deleted: those of other weights, questions, parameters or code, and halves."""
    kept = {shard.file for shard in planned}
    old = [file for file in folder.rglob("*.*") if file.is_file() and file not in kept]
    for file in old:
        file.unlink()
    return len(old)
