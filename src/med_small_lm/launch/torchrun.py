"""torchrun that ends with its parent and writes down which ranks failed: PARENT, then torchrun's own arguments."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from med_small_lm.launch import failures
from med_small_lm.launch.ties import die_with


def main(parent: int, arguments: list[str]) -> int:
    """Returns the exit code: 0 if all ranks of this host ended well."""
    die_with(parent)
    from torch.distributed import run  # takes a second, in which the parent may die
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    known = run.parse_args([*arguments, str(os.getpid())])
    try:
        run.run(known)
    except SignalException as stop:
        return 128 + stop.sigval
    except ChildFailedError as problem:
        found = [failures.silent(rank, one.exitcode, one.timestamp) for rank, one in problem.failures.items()]
        with suppress(OSError):  # no room; the exit code says so
            failures.write_silent(found, Path(known.log_dir))
        return max(1, *(one.code for one in found))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
