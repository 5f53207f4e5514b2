"""Which rank failed first, and why: each rank writes its error down, torchrun those that could not."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from med_small_lm.atomic import written_aside
from med_small_lm.launch.commands import FAILURE

_FELLED = (-signal.SIGTERM, -signal.SIGABRT)
"""How a rank ends whose peers have gone: torchrun ends it, or its communication library does."""

_LATE = 10.0
"""Seconds that torchrun may take, on a busy machine, to see that a rank was killed; those who hang after another's
failure it kills itself, after 30."""


class LaunchError(RuntimeError):
    """Why a launch failed: the rank that failed first, with its traceback."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One rank that did not end well.

    Attributes:
        rank: its number, over all hosts.
        code: its exit code; a signal's number is negative.
        time: of the error in seconds since the epoch; of a rank that could not say, when it may have died at first.
        message: the error in a line; empty where the rank could not say.
        trace: the traceback; empty where the rank could not say.
        told: the line for the user where it is an error that the user can mend, else empty.
    """

    rank: int
    code: int
    time: float
    message: str = ""
    trace: str = ""
    told: str = ""

    @property
    def order(self) -> tuple[bool, float, int]:
        """Sorts the cause before what fell over it."""
        return not self.message and self.code in _FELLED, self.time, self.rank


def silent(rank: int, code: int, found: int) -> Failure:
    """Returns the failure of a rank that was found dead in the second ``found`` and has said nothing."""
    return Failure(rank, code, found - (_LATE if code < 0 else 1.0))


def write(failure: Failure, ranks: Path) -> None:
    """Leaves a failure in the folder of the ranks' output."""
    with written_aside(ranks / f"{failure.rank}{FAILURE}") as aside:
        aside.write_text(json.dumps(asdict(failure)), encoding="utf-8")


def write_silent(failures: Iterable[Failure], ranks: Path) -> None:
    """Leaves the failures of those ranks that have not said themselves why."""
    for failure in failures:
        if not (ranks / f"{failure.rank}{FAILURE}").exists():
            write(failure, ranks)


def read(ranks: Path) -> list[Failure]:
    """Returns the failures of all hosts, the cause first."""
    found = [Failure(**json.loads(file.read_text(encoding="utf-8"))) for file in ranks.glob(f"*{FAILURE}")]
    return sorted(found, key=lambda failure: failure.order)


def why(failures: Sequence[Failure], code: int, n: int, last: Mapping[str, Sequence[str]]) -> str:
    """Returns what a failed launch says: the cause, and all that is known of it.

    Args:
        failures: as ``read`` gives them.
        code: exit code of what ran the ranks.
        n: number of ranks.
        last: last lines of each rank, by its number, and of what ran them.
    """
    if not failures:
        lines = [line for name, lines in last.items() if not name.isdecimal() for line in lines]
        return "\n".join([f"the ranks' launcher {_ending(code)}", *lines])
    first = failures[0]
    if first.message:
        return first.told or f"rank {first.rank} of {n} failed: {first.message}\n{first.trace}".rstrip()
    return "\n".join([f"rank {first.rank} of {n} {_ending(first.code)}", *last.get(str(first.rank), ())])


def _ending(code: int) -> str:
    if code == errno.ENOSPC:
        return f"failed: {os.strerror(code)}"
    if code >= 0:
        return f"ended with exit code {code}"
    known = -code in {number.value for number in signal.Signals}
    name = signal.Signals(-code).name if known else f"signal {-code}"
    return f"was killed by {name}{': often the machine has run out of memory' * (code == -signal.SIGKILL)}"
