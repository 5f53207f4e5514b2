"""Where training runs: in this process, in one process a GPU under torchrun, or as a Slurm job.

::

    launcher.run ─► jobs ─► launch.torchrun ─┬─► launch.rank ─► package.module:function(spec, log)
         ▲                  (one a host)     └─► launch.rank ─► ...
         │                                               │
       watch ◄── metrics.jsonl, ranks/0.log, ... ◄───────┘    beside the spec, read while they grow

Only paths go to the ranks and only files come back, so that one host and a hundred work alike. MLflow and Kedro stay in
the process that calls ``run``.
"""

from med_small_lm.launch.failures import LaunchError
from med_small_lm.launch.launcher import run

__all__ = ["LaunchError", "run"]
