"""Does a killed training end as an unbroken one? `python bench/train_resume.py [SEED [LAUNCH]]`.

For one rank, two under DDP and two under FSDP2, real SIGKILLs: of the whole run at a step drawn at random, of the whole
run while a state is being written, and of a single rank. Then the same call again, to the end. The final loss, all
logged losses and the weights stand against those of a run that nobody killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from _figures import say
from _training import LAUNCHES, base, furthest, losses, trained

from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.stage import Trained
from med_small_lm.tuning.states import COMPLETE

STEPS, SAVES = 60, 7
SETTING: dict[str, Any] = {
    "steps": STEPS, "save_steps": SAVES, "batch_size": 4, "log_steps": 1, "evaluations": 3, "best_kept": 1,
    "samples": 1,
}  # fmt: skip
LORA = {"mode": "lora", "publish": "best"}
TRIES = 8  # of hitting the moment in which a state is half written


def child(start: str, folder: str, launch: str, more: str) -> None:
    """The run that is killed: it writes down each logged step."""
    note, setting = Path(folder + ".steps"), SETTING | json.loads(more)
    trained(
        Checkpoint.read(Path(start)), Path(folder), LAUNCHES[launch], lambda _, at: note.write_text(str(at)), **setting
    )


def at_step(step: int) -> Callable[[Path], bool]:
    """Whether a run has come to a step."""
    return lambda folder: int(_read(Path(f"{folder}.steps")) or 0) >= step


def while_saving(number: int) -> Callable[[Path], bool]:
    """Whether a run is in the middle of writing its state ``number`` or a later one."""
    return lambda folder: any(int(state.name.rpartition("-")[2]) >= number * SAVES for state in half_written(folder))


def half_written(folder: Path) -> list[Path]:
    """The states of a run that have weights and no mark that they are whole."""
    states = (Path(f"{folder}.partial") / "work").glob("checkpoint-*")
    return [state for state in states if not (state / COMPLETE).exists() and any(state.glob("weights-*"))]


def killed(start: Checkpoint, folder: Path, launch: str, due: Callable[[Path], bool], one_rank: bool, more: Any) -> str:
    """Starts a run, kills it when it is due, and says how it ended."""
    command = [sys.executable, __file__, "--child", str(start.path), str(folder), launch, json.dumps(more)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not due(folder):
        time.sleep(0.0002)
    if run.poll() is not None:
        return f"ended by itself with {run.returncode}"
    if one_rank:
        ranks = [p for p in psutil.Process(run.pid).children(recursive=True) if "launch.rank" in " ".join(p.cmdline())]
        os.kill([p for p in ranks if not p.children()][-1].pid, signal.SIGKILL)
    else:
        os.kill(run.pid, signal.SIGKILL)
    run.wait(120)
    left = [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    psutil.wait_procs(left, timeout=30)
    return "killed"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def case(
    start: Checkpoint, whole: Trained, folder: Path, launch: str, name: str, more: Any, draw: random.Random
) -> bool:
    """One kill and the run after it, against the run that nobody killed; prints the figure."""
    saving = name == "while a state is written"
    for attempt in range(TRIES):
        place = folder / f"{launch} {name} {len(more)} {attempt}"
        due = while_saving(draw.randint(2, 5)) if saving else at_step(draw.randint(SAVES + 1, STEPS - 5))
        how = killed(start, place, launch, due, name.startswith("one rank"), more)
        half = [state.name for state in half_written(place)]
        if how != "killed" or half or not saving:
            break
    states = sorted(path.name for path in Path(f"{place}.partial", "work").glob("checkpoint-*"))
    again = trained(start, place, LAUNCHES[launch], **SETTING | more)
    same = len(losses(whole)) == len(losses(again)) == STEPS
    final = abs(whole.checkpoint.manifest.final_loss - again.checkpoint.manifest.final_loss)
    apart = float((losses(whole) - losses(again)).abs().max()) if same else float("nan")
    worst = max(furthest(whole.checkpoint, again.checkpoint), apart, final)
    ok = how == "killed" and worst <= 1e-6 and bool(states) and bool(half or not saving)
    ok &= whole.checkpoint.manifest.published == again.checkpoint.manifest.published
    told = f"{launch}{', LoRA with dropout, best published' * bool(more)}, SIGKILL {name}"
    told += f" (states there: {', '.join(states)}{'; half written: ' + ', '.join(half) if half else ''})"
    return say(f"{told}: final loss, all losses and weights, furthest apart", worst, "<= 1e-6", ok)


def main(seed: int, only: str | None = None) -> int:
    """Print the figures of all launches, or of the one named; return 1 if one falls short."""
    draw, sound = random.Random(seed), True
    with tempfile.TemporaryDirectory() as place:
        start = base(Path(place) / "base")
        for launch in [name for name in LAUNCHES if only in (None, name)]:
            for more in ({}, LORA) if launch == "1 rank" else ({},):
                whole = trained(start, Path(place) / f"whole {launch} {len(more)}", LAUNCHES[launch], **SETTING | more)
                names = ["at a random step", "while a state is written"]
                for name in [*names, *(["one rank, at a random step"] if "2" in launch else [])]:
                    sound &= case(start, whole, Path(place), launch, name, more, draw)
    return 0 if sound else 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0, *sys.argv[2:]))
