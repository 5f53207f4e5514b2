"""Telemetry and hub access off, and libraries quiet, before anything that would call home is imported.

Imported first by every way in: the command line (``settings``), notebooks (``settings`` again, through Kedro's
extension) and training workers. A value that the user has set is left alone.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings

OFF = {
    "DO_NOT_TRACK": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "WANDB_DISABLED": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",  # ten calls a step: not worth a queue that a kill would lose
    "GOMP_SPINCOUNT": "10000",  # threads that spin longer while they wait stall on a busy machine
    "MLFLOW_CONFIGURE_LOGGING": "false",  # conf/logging.yml does it
}

NOISE = (
    r"One or more dataset names contain '\.'",  # the shelf's lanes are namespaces: the dots are meant
    r"The specified dataset source can be interpreted in multiple ways",
    r"`(is_)?gradient_checkpointing(_enable)?` is deprecated",  # its other name came after the oldest version we take
)
"""Beginnings of warnings that concern nobody here."""


def be_quiet() -> None:
    """Set each switch of ``OFF`` that the user has not set, and silence ``NOISE``."""
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
    leave_kernels_alone()


def leave_kernels_alone() -> None:
    """Hide the package that bitsandbytes, at import, and transformers fetch compiled code from the hub with."""
    sys.modules.setdefault("kernels", None)  # type: ignore[arg-type]
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it asks for the package, and tells of every cast


def keep_ray_on_loopback() -> None:
    """Have a Ray that is started here, before it is imported, listen on 127.0.0.1 alone, not on the machine's address.

    The name of the switch is Ray's: clusters are off on Windows and macOS, and off here.
    """
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")


def leave_registry_alone() -> None:
    """Keep kedro-viz from asking a package registry for its newest version, which no switch of its own turns off."""
    import kedro_viz
    import kedro_viz.integrations.pypi as registry
    from packaging.version import parse

    registry.get_latest_version = lambda: parse(kedro_viz.__version__)


be_quiet()
if sys.argv[1:2] == ["viz"]:
    leave_registry_alone()
