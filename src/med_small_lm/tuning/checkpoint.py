"""Checkpoints on disk: a folder in Hugging Face layout that is whole or not there, and the manifest that says so."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from med_small_lm import adapters
from med_small_lm.atomic import fsync, replace_folder, written_aside
from med_small_lm.tuning.cards import CARD
from med_small_lm.tuning.model_card import model_card

LOG = logging.getLogger(__name__)

MANIFEST = "manifest.json"
HISTORY = "history.json"
PLANNED = "planned.json"
WORK = "work"
"""The folder in a draft that does not become part of the checkpoint: the trainer's own states."""

Row = dict[str, Any]


class CheckpointError(ValueError):
    """Why a folder is not a whole checkpoint, or may not become one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a checkpoint was made from, and how the making went.

    Attributes:
        name: the model's name: base, injected, tuned.
        parents: fingerprints of the checkpoints that it started from, by name.
        fingerprint: hash of name, parents, data, parameters and code version.
        data: digests of the records and texts that it was trained on, by name.
        parameters: the parameters and the seed.
        code_version: hash of the training code and of the libraries' versions.
        tokens_seen: in this stage, the padding of packed rows among them.
        steps: optimiser steps of this stage.
        final_loss: mean of the last logged stretch, nats a token; nan where nothing was trained.
        seconds: wall time of this stage; of its last run, where it was resumed.
        files: size of each other file of the folder, in bytes.
        drawn: texts, tokens, share and passes of each source that was trained on, where the sources are mixed.
        licences: of all records that this model and its parents were trained on, and of a base model from elsewhere.
        scores: dev score (perplexity of held-out books, or of dev replies) by step.
        published: the step whose weights these are; null where nothing was trained.
    """

    name: str
    parents: Mapping[str, str]
    fingerprint: str
    data: Mapping[str, str]
    parameters: Mapping[str, Any]
    code_version: str
    tokens_seen: int
    steps: int
    final_loss: float
    seconds: float
    files: Mapping[str, int]
    drawn: Mapping[str, Any] = field(default_factory=dict)
    licences: Sequence[str] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    published: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A finished checkpoint: its folder and its manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """Returns the checkpoint in ``folder``.

        Raises:
            CheckpointError: there is no complete manifest, or a file is missing or cut short.
        """
        folder = Path(folder)
        try:
            raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            raw["final_loss"] = math.nan if raw["final_loss"] is None else raw["final_loss"]
            manifest = Manifest(**raw)
        except FileNotFoundError as error:
            raise CheckpointError(f"{folder} has no {MANIFEST}, so it is no finished checkpoint") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"{folder / MANIFEST} cannot be read: {error}") from error
        for name, size in manifest.files.items():
            found = (folder / name).stat().st_size if (folder / name).is_file() else -1
            if found != size:
                raise CheckpointError(f"{folder / name} has {max(found, 0)} bytes, its manifest says {size}")
        return cls(folder, manifest)

    def history(self) -> list[Row]:
        """Returns the curve of the training, a row a logged step."""
        rows: list[Row] = json.loads((self.path / HISTORY).read_text(encoding="utf-8"))
        return [{key: math.nan if value is None else value for key, value in row.items()} for row in rows]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a checkpoint is to be made from, known before any work; equal plans give equal checkpoints."""

    name: str
    parents: Mapping[str, str]
    data: Mapping[str, str]
    parameters: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """The hash that tells whether a checkpoint is the one that is asked for."""
        return digest([{"plan": asdict(self), "code": code_version()}])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training went: what the manifest says beyond the plan."""

    tokens_seen: int
    steps: int
    final_loss: float
    seconds: float
    drawn: Mapping[str, Any] = field(default_factory=dict)
    licences: Sequence[str] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    published: int | None = None


def finished(folder: Path, plan: Plan) -> Checkpoint | None:
    """Returns the checkpoint in ``folder`` if it is whole and was made by the same plan, else None."""
    folder = Path(folder)
    if not _made_by(plan, folder):
        if not _made_by(plan, _partial(folder)):
            return None
        _rename(_partial(folder), folder)  # complete, but its process died before it took its name
    LOG.info("%s: already made from the same inputs and parameters, taken as it is (%s)", plan.name, folder)
    return Checkpoint.read(folder)


class Draft:
    """The folder ``<folder>.partial``, where a checkpoint grows until it is published by a rename."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        """Open the draft; what an earlier run of the same plan left there stays, anything else goes.

        Raises:
            CheckpointError: ``folder`` holds something that is no checkpoint, and would be lost.
        """
        self.target, self.plan = Path(folder), plan
        if self.target.is_dir() and any(self.target.iterdir()) and not (self.target / MANIFEST).is_file():
            raise CheckpointError(f"{self.target} holds files but no {MANIFEST}: move them away or name another folder")
        self.path = _partial(self.target)
        planned, told = self.work / PLANNED, json.dumps([plan.fingerprint, asdict(plan)], default=str)
        before = planned.read_text(encoding="utf-8") if planned.is_file() else ""
        if before != told:
            self._give_up(before, json.loads(told)[1])
            self.work.mkdir(parents=True)
            with written_aside(planned) as aside:
                aside.write_text(told, encoding="utf-8")

    def _give_up(self, before: str, plan: Mapping[str, Any]) -> None:
        """Deletes what a run of another plan left, unless it is the same training by other ranks."""
        steps = sorted(int(path.name.rpartition("-")[2]) for path in self.work.glob("checkpoint-*"))
        old = json.loads(before)[1]["parameters"] if before else {}
        new, saved = plan["parameters"], old.get("ranks")
        if steps and saved != new.get("ranks") and old | {"ranks": None} == new | {"ranks": None}:
            raise CheckpointError(
                f"{self.path} was begun by {saved} rank(s) and has come to step {steps[-1]}, now there are "
                f"{new['ranks']}: launch as before, or delete the folder to begin anew"
            )
        if steps:
            LOG.warning(
                "%s: inputs, parameters or code changed; the state of step %d is given up", self.path, steps[-1]
            )
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def work(self) -> Path:
        """The trainer's own folder in the draft."""
        return self.path / WORK

    def publish(self, outcome: Outcome, history: Iterable[Row]) -> Checkpoint:
        """Returns the finished checkpoint: the manifest is written last, then the folder takes its name."""
        rows = [{key: _plain(value) for key, value in row.items()} for row in history]
        (self.path / HISTORY).write_text(json.dumps(rows, indent=1), encoding="utf-8")
        card = model_card(self.plan.name, self.plan.parents, outcome.licences, outcome.tokens_seen)
        (self.path / CARD).write_text(card, encoding="utf-8")
        files = sorted(p for p in self.path.rglob("*") if p.is_file() and self.work not in p.parents)
        sizes = {path.relative_to(self.path).as_posix(): path.stat().st_size for path in files}
        for path in files:
            fsync(path)
        manifest = Manifest(
            **asdict(self.plan), **asdict(outcome), fingerprint=self.plan.fingerprint,
            code_version=code_version(), files=sizes,
        )  # fmt: skip
        write_manifest(self.path, manifest)
        _rename(self.path, self.target)
        return Checkpoint.read(self.target)


def digest(records: Iterable[Any]) -> str:
    """Returns the hash of records (dataclasses, texts, plain JSON values) in their order."""
    seen = hashlib.sha256()
    for record in records:
        plain = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
        seen.update(json.dumps(plain, sort_keys=True, ensure_ascii=True, default=str).encode() + b"\n")
    return seen.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Returns the hash of this package's sources and of the versions of the libraries that it trains with."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(adapters.__file__)]
    names = ("torch", "transformers", "tokenizers", "trl", "peft", "accelerate", "bitsandbytes")
    libraries = [f"{name}=={version(name)}" for name in names]
    return digest([*libraries, *(path.read_text(encoding="utf-8") for path in sources)])[:16]


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _plain(value: Any) -> Any:
    """Returns a value as strict JSON takes it: nan and infinities are null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Leave the manifest in ``folder``, whole: with it the folder is a finished checkpoint."""
    aside = folder / f"{MANIFEST}.aside"
    raw = {one.name: _plain(getattr(manifest, one.name)) for one in fields(manifest)}
    aside.write_text(json.dumps(raw, indent=2, default=str) + "\n", encoding="utf-8")
    fsync(aside)
    os.replace(aside, folder / MANIFEST)
    fsync(folder)


def _rename(source: Path, target: Path) -> None:
    """Puts a finished draft in the place of an older checkpoint; a crash in between is mended by ``finished``."""
    shutil.rmtree(source / WORK, ignore_errors=True)
    replace_folder(target, source)


def _made_by(plan: Plan, folder: Path) -> bool:
    """Returns whether the folder holds a whole checkpoint of this plan."""
    try:
        return Checkpoint.read(folder).manifest.fingerprint == plan.fingerprint
    except CheckpointError:
        return False
