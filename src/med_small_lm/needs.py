"""What a run will need of the machine: disk, memory, time, said before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes of disk and memory, and seconds."""

    disk: float
    memory: float
    seconds: float

    def __str__(self) -> str:
        """For the log."""
        time = f"{self.seconds / 60:.0f} min" if self.seconds >= 90 else f"{self.seconds:.0f} s"
        return f"{self.disk / MIB:.0f} MiB of disk, {self.memory / MIB:.0f} MiB of memory and {time}"


def needs_of(pipeline: Pipeline, catalog: DataCatalog) -> Needs:
    """What the nodes of ``pipeline`` will need, from the size of the books and the parameters of the training."""
    books = [catalog.get(name) for name in pipeline.inputs() if name.endswith(".pdf")]
    size = sum(_size(Path(book._describe()["filepath"])) for book in books if book is not None)
    disk, memory, seconds = 20 * MIB + 4 * size, 800 * MIB + 2 * size, 10 + size / (2 * MIB)
    return Needs(disk, memory, seconds)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*.pdf")) if path.is_dir() else path.stat().st_size
