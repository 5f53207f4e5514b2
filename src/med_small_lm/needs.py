"""What a run will need of the machine: disk, memory, time, said before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from med_small_lm.datasets.paths import path_of
from med_small_lm.errors import UserError
from med_small_lm.paid import writers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.params.knowledge_injection import KnowledgeInjection
from med_small_lm.params.launch import Launch
from med_small_lm.textbooks.sources import is_source

MIB = 1 << 20
LEDGER = 24  # bytes of teacher's ledger for a byte of book: twelve questions a passage, their rationales, rephrasings
TOKENS = 0.35  # tokens of the corpus for a byte of book, rephrasings included
TRAININGS = {
    "injection": ("inject_knowledge", "knowledge_injection.injection"),
    "tuning": ("tune_on_instructions", "instruction_tune.tune"),
}
"""By stage: its node, and where its parameters are."""
EVALUATION = 0.25  # time of evaluating three models, as a share of training them


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes of disk and memory, and seconds; whether training runs elsewhere, its memory and time not counted."""

    disk: float
    memory: float
    seconds: float
    elsewhere: bool = False

    def __add__(self, other: Needs) -> Needs:
        """Both after each other: disk and time add up, memory is the greater."""
        elsewhere = self.elsewhere or other.elsewhere
        return Needs(self.disk + other.disk, max(self.memory, other.memory), self.seconds + other.seconds, elsewhere)

    def __str__(self) -> str:
        """For the log."""
        time = f"{self.seconds / 60:.0f} min" if self.seconds >= 90 else f"{self.seconds:.0f} s"
        if self.seconds >= 7200:
            time = f"{self.seconds / 3600:.0f} h"
        more = " here; time and memory of the Slurm jobs that train are not estimated" * self.elsewhere
        return f"{self.disk / MIB:.0f} MiB of disk, {self.memory / MIB:.0f} MiB of memory and {time}{more}"


def needs_of(pipeline: Pipeline, catalog: DataCatalog) -> Needs:
    """What the nodes of ``pipeline`` will need, from the size of the books and a few training steps tried out.

    Raises:
        UserError: The base model that training starts from is not there, or a training does not go with it, with the
            launch, or does not fit the device.
    """
    size = sum(_size(path) for name in books_of(catalog) if (path := path_of(catalog, name)))
    names = {node.name.rpartition(".")[2] for node in pipeline.nodes}
    needs = Needs(5 * MIB, 400 * MIB, 5)
    if "read" in names:  # page by page and shard by shard: memory does not grow with the shelf
        needs += Needs(size, 1024 * MIB, size / (2 * MIB) * 10)
    if writers(pipeline):
        needs += Needs(LEDGER * size, 600 * MIB + LEDGER * size, 10 + 15 * size / MIB)
    if any(node in names for node, _ in TRAININGS.values()):
        needs += _training(catalog, names, int(TOKENS * size))
    return needs


def books_of(catalog: DataCatalog) -> list[str]:
    """The books' datasets."""
    return [name for name in catalog if name.startswith("ingest_textbooks.") and name.endswith(".pdf")]


def _training(catalog: DataCatalog, names: set[str], corpus_tokens: int) -> Needs:
    """What both trainings and the evaluation after them need; torch is imported, as it will be anyway."""
    from med_small_lm.tuning import estimate

    # Kedro gives parameters of pipelines that do not run as plain dictionaries.
    injection = KnowledgeInjection.model_validate(catalog.load("params:knowledge_injection"))
    tuning = InstructionTune.model_validate(catalog.load("params:instruction_tune"))
    launch = Launch.model_validate(catalog.load("params:launch")) if catalog.exists("params:launch") else Launch()
    place, elsewhere = estimate.Place.here(launch), launch.how == "slurm"
    stages: dict[str, estimate.Training] = {"injection": injection.injection, "tuning": tuning.tune}
    ran = {stage: parameters for stage, (node, parameters) in TRAININGS.items() if node in names}
    try:
        shape = estimate.config_of(injection.base)
        for stage, parameters in ran.items():
            estimate.check(shape, stages[stage], launch, parameters)
        found = estimate.estimate(injection.base, injection.injection, tuning.tune, corpus_tokens, launch, place)
        for stage, parameters in ran.items():
            if not elsewhere and (why := estimate.refusal(shape, stages[stage], found.memory[stage], launch, place)):
                raise UserError(f"{parameters} {why}")
    except (OSError, ValueError) as problem:
        said = str(problem).partition("\n")[0]
        raise UserError(f"knowledge_injection.base.source {injection.base.source!r}: {said}") from problem
    return Needs(found.disk, found.host_memory(launch, place), found.seconds * (1 + EVALUATION), elsewhere)


def _size(path: Path) -> int:
    files = filter(is_source, path.rglob("*")) if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
