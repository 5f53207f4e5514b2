"""What the ranks write, read while they write it: metrics, and lines of output for the log."""

from __future__ import annotations

import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path

LOG = logging.getLogger(__name__)

METRICS = "metrics.jsonl"
"""The file beside the spec to which rank 0 adds a line for each call of its ``log``."""

LAST = 50  # lines of each rank that are kept for an error
_LEVELS = logging.getLevelNamesMapping()


class Tail:
    """The whole lines that are added to a file; it is opened for each look, which network file systems need."""

    def __init__(self, path: Path, at: int = 0) -> None:
        """Begin at byte ``at`` of a file that need not be there yet."""
        self._path, self._at = path, at

    def lines(self) -> list[str]:
        """Returns the new lines; of a line that was written over itself (a progress bar), what it shows at last."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read()
        except FileNotFoundError:
            return []
        whole, _, rest = new.rpartition(b"\n")
        self._at += len(new) - len(rest) + rest.rfind(b"\r") + 1  # so that a bar does not pile up
        lines = whole.decode(errors="replace").split("\n") if whole else []
        return [line.rstrip("\r").rpartition("\r")[2] for line in lines]


class Watch:
    """Metrics to their log and lines to the project's, from where the files end when it begins."""

    def __init__(self, spec: Path, ranks: Path, log: Callable[[Mapping[str, float], int], None]) -> None:
        """Take the spec, the folder of the ranks' output and what takes metrics."""
        metrics = spec.parent / METRICS
        self._metrics = Tail(metrics, metrics.stat().st_size if metrics.exists() else 0)
        self._ranks, self._log = ranks, log
        self._tails: dict[Path, Tail] = {}
        self.last: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=LAST))

    def output(self) -> None:
        """Pass on the new lines."""
        for path in sorted(self._ranks.glob("*.log")):
            for line in self._tails.setdefault(path, Tail(path)).lines():
                if line.strip():
                    self.last[path.stem].append(line)
                    tell(path.stem, line)

    def look(self) -> None:
        """Pass on the new lines and metrics."""
        self.output()
        for line in self._metrics.lines():
            try:
                told = json.loads(line)
            except ValueError:  # cut short by a kill
                continue
            self._log(told["metrics"], told["step"])


def tell(source: str, line: str) -> None:
    """Log a line under the level that the rank's own logger gave it; torchrun's remarks are of no use to most."""
    name, _, rest = line.partition(": ")
    if not source.isdecimal():
        LOG.log(logging.DEBUG if source == "torchrun" else logging.INFO, "[%s] %s", source, line)
    elif name in _LEVELS:
        LOG.log(_LEVELS[name], "[rank %s] %s", source, rest)
    else:
        LOG.info("[rank %s] %s", source, line)


def add_metrics(path: Path, metrics: Mapping[str, float], step: int) -> None:
    """Add a line to the file, behind what a kill may have cut short."""
    told = json.dumps({"step": step, "metrics": {name: float(value) for name, value in metrics.items()}})
    with path.open("ab+") as file:
        end = file.tell()
        file.seek(max(end - 1, 0))
        cut = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * cut + told.encode() + b"\n")
