"""Does a killed training end as an unbroken one? `python bench/train_resume.py [SEED [LAUNCH]]`.

For one rank, two under DDP and two under FSDP2, real SIGKILLs: of the whole run at a step drawn at random, of the whole
run while a state is being written, and of a single rank. Then the same call again, to the end. The final loss, all
logged losses and the weights stand against those of a run that nobody killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from _training import LAUNCHES, base, furthest, losses, say, trained

from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.states import COMPLETE

STEPS, SAVES = 60, 7
SETTING = {"steps": STEPS, "save_steps": SAVES, "batch_size": 4, "log_steps": 5, "best_kept": 1, "samples": 1}


def child(start: str, folder: str, launch: str) -> None:
    """The run that is killed: it writes down each logged step."""
    note = Path(folder + ".steps")
    trained(
        Checkpoint.read(Path(start)),
        Path(folder),
        LAUNCHES[launch],
        lambda _, step: note.write_text(str(step)),
        **SETTING,
    )


def at_step(step: int) -> Callable[[Path], bool]:
    """Whether a run has come to a step."""
    return lambda folder: int(_read(Path(f"{folder}.steps")) or 0) >= step


def while_saving(number: int) -> Callable[[Path], bool]:
    """Whether a run is in the middle of writing its state ``number`` or a later one."""

    def due(folder: Path) -> bool:
        states = (Path(f"{folder}.partial") / "work").glob("checkpoint-*")
        return any(
            int(state.name.rpartition("-")[2]) >= number * SAVES
            and next(state.glob("weights-*"), None) is not None
            and not (state / COMPLETE).exists()
            for state in states
        )

    return due


def killed(start: Checkpoint, folder: Path, launch: str, due: Callable[[Path], bool], one_rank: bool = False) -> str:
    """Starts a run, kills it when it is due, and says how it ended."""
    command = [sys.executable, __file__, "--child", str(start.path), str(folder), launch]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not due(folder):
        time.sleep(0.0005)
    if run.poll() is not None:
        return f"ended by itself with {run.returncode}"
    if one_rank:
        ranks = [p for p in psutil.Process(run.pid).children(recursive=True) if "launch.rank" in " ".join(p.cmdline())]
        workers = [p for p in ranks if not p.children()]
        os.kill(workers[-1].pid, signal.SIGKILL)
    else:
        os.kill(run.pid, signal.SIGKILL)
    run.wait(120)
    left = [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    psutil.wait_procs(left, timeout=30)
    return "killed"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def main(seed: int, only: str | None = None) -> int:
    """Print the figures of all launches, or of the one named; return 1 if one falls short."""
    draw, sound = random.Random(seed), True
    with tempfile.TemporaryDirectory() as place:
        start = base(Path(place) / "base")
        for launch in [name for name in LAUNCHES if not only or name == only]:
            whole = trained(start, Path(place) / f"whole {launch}", LAUNCHES[launch], **SETTING)
            cases = {
                "at a random step": (at_step(draw.randint(SAVES + 1, STEPS - 5)), False),
                "while a state is written": (while_saving(draw.randint(2, 5)), False),
            } | (
                {"one rank, at a random step": (at_step(draw.randint(SAVES + 1, STEPS - 5)), True)}
                if "2" in launch
                else {}
            )
            for case, (due, one_rank) in cases.items():
                folder = Path(place) / f"{launch} {case}"
                how = killed(start, folder, launch, due, one_rank)
                states = sorted(p.name for p in Path(f"{folder}.partial", "work").glob("checkpoint-*"))
                again = trained(start, folder, LAUNCHES[launch], **SETTING)
                apart = furthest(whole.checkpoint, again.checkpoint)
                same = len(losses(whole)) == len(losses(again))
                loss = float((losses(whole) - losses(again)).abs().max()) if same else float("nan")
                final = abs(whole.checkpoint.manifest.final_loss - again.checkpoint.manifest.final_loss)
                ok = how == "killed" and apart <= 1e-6 and loss <= 1e-6 and final <= 1e-6 and bool(states)
                worst = max(apart, loss, final)
                told = f"{launch}, SIGKILL {case} (states there: {', '.join(states)})"
                sound &= say(f"{told}: final loss, losses and weights, furthest apart", worst, "<= 1e-6", ok)
    return 0 if sound else 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0, *sys.argv[2:]))
