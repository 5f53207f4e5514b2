"""Memory of training, foretold and measured: `python bench/train_memory.py`, some ten minutes on two cores.

Models of 150 to 350 M parameters and random weights are trained for two steps by the project's own loop, each setting
in a process of its own. Measured is the peak of the resident set above its size after all imports (VmHWM); the ratio is
that of the rule of thumb, 16 bytes a parameter and 34 floats a token, layer and unit of width, to what was measured.
`ONLY=name` runs one setting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from _figures import say
from _shapes import Random, config_of, loop_of, random_base

from med_small_lm.tuning.flops import inner_weights

WITHIN = 0.15
STEPS = 2
SMALLEST = 150_000_000

# A name, the shape, and what differs from the defaults.
SETTINGS: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "full, muon, 4 x 128": ({"layers": 12}, {"batch_size": 4, "block_size": 128}),
    "full, adamw, packed 4 x 512": (
        {"layers": 12}, {"batch_size": 4, "block_size": 512, "optimiser": "adamw", "packed": True}
    ),
    "full, adamw_8bit, bf16, checkpointing, 8 x 256": (
        {"layers": 24},
        {"batch_size": 8, "block_size": 256, "optimiser": "adamw_8bit", "weights": "bf16", "precision": "bf16",
         "checkpointing": True},
    ),
    "lora, 8 x 256": ({"layers": 12}, {"mode": "lora", "batch_size": 8, "block_size": 256, "optimiser": "adamw"}),
    "lora_8bit, 4 x 256": (
        {"layers": 24}, {"mode": "lora_8bit", "batch_size": 4, "block_size": 256, "optimiser": "adamw"}
    ),
    "qlora, checkpointing, packed, accumulation 2, 2 x 1024": (
        {"layers": 24},
        {"mode": "qlora", "batch_size": 2, "block_size": 1024, "optimiser": "adamw", "checkpointing": True,
         "packed": True, "accumulation": 2},
    ),
}  # fmt: skip


def train_once(name: str, folder: str) -> None:
    """Trains one setting in this process and prints the peak of its memory above the size after import, in bytes."""
    from med_small_lm.tuning import eight_bits, modes  # noqa: F401
    from med_small_lm.tuning.checkpoint import Checkpoint
    from med_small_lm.tuning.curve import Curve, Pace, no_log
    from med_small_lm.tuning.heap import give_back_at_once
    from med_small_lm.tuning.trainer import Loop, train, training_arguments

    changes = SETTINGS[name][1]
    loop = loop_of(changes)
    start = _memory("VmRSS")
    model, _ = modes.trainable(Checkpoint.read(Path(folder)), loop)
    give_back_at_once(model, torch.device("cpu"))  # the file's pages, which training does as well before its first step
    Path("/proc/self/clear_refs").write_text("5")  # the peak of training, not of reading
    run = Loop("memory", STEPS, loop, loop.optimiser, 0, "")
    rows = Random(model.config.vocab_size, loop.block_size, 10_000, changes.get("packed", False))
    with tempfile.TemporaryDirectory() as work:
        curve = Curve("memory", Pace(loop.batch_size * loop.block_size * loop.accumulation), no_log)
        train(model, rows, run, Path(work), curve, training_arguments(run, Path(work)))
    print(json.dumps({"peak": _memory("VmHWM") - start, "loaded": _memory("VmRSS") - start}))


def _memory(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def compare(name: str, folder: Path) -> bool:
    """Prints what one setting was foretold to take beside what it took; returns whether they agree."""
    from med_small_lm.tuning.memory import training_memory

    shape, changes = SETTINGS[name]
    loop, config = loop_of(changes), config_of(**shape)
    parameters = inner_weights(config) + config.vocab_size * config.hidden_size
    assert parameters >= SMALLEST, parameters
    base = folder / "-".join(map(str, shape.values()))
    if not base.exists():
        random_base(config, base)
    foretold = training_memory(config, loop, packed=changes.get("packed", False))
    command = [sys.executable, __file__, "train", name, str(base)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])["peak"]
    tokens = loop.batch_size * loop.block_size
    rule = 16 * parameters + 34 * 4 * tokens * config.num_hidden_layers * config.hidden_size
    ratio = foretold.total / measured
    print(f"  {name}: {foretold}", file=sys.stderr)
    return say(
        f"memory foretold: {name} ({parameters / 1e6:.0f} M)", round(foretold.total / 1e9, 2),
        "within 15 % of what was measured (peer); ratio: the rule of thumb's", abs(ratio - 1) <= WITHIN, "GB",
        round(measured / 1e9, 2), round(rule / measured, 2),
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        train_once(*sys.argv[2:])
        sys.exit()
    names = [os.environ["ONLY"]] if os.environ.get("ONLY") else list(SETTINGS)
    with tempfile.TemporaryDirectory() as bases:
        sys.exit(not all([compare(name, Path(bases)) for name in names]))
