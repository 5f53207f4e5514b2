"""Does a killed evaluation end as an unbroken one? `python bench/eval_resume.py [SEED]`.

A tiny model of random weights, made here, answers questions made here. For one rank and for two, the whole run is
killed (SIGKILL) at random places, three times; each time the same call goes on, and the last one comes to its end.
Every model, way of asking, question and sample must be there once, with the answers of a run that nobody killed.
"""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import torch
from _figures import say
from _training import base

from med_small_lm.benchmarks.candidates import sources
from med_small_lm.benchmarks.predict import Exam, predict
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import Option, Passage, Prediction, Question

KILLS = 3
LAUNCHES = {"1 rank": Launch(), "2 ranks": Launch(how="torchrun", processes=2)}
FORM = {"instruction": "Answer.", "options": "listed", "ending": "The answer is", "letters": True}
SETTING: dict[str, Any] = {
    "models": ("tuned",), "candidates": {"open_book": {"open_book": {"of": "tuned", "passages": 1}}},
    "max_new_tokens": 24, "batch_tokens": 1_024, "shard": 8, "samples": 2, "permutations": 2,
    "contexts": ("gold", "model"),
}  # fmt: skip


def exam(seed: int) -> Exam:
    """Questions of drawn words, a third of them in cases of three, and passages."""
    draw = random.Random(seed)
    words = ["".join(draw.choice("aeioubcdlmnprst") for _ in range(draw.randint(3, 8))) for _ in range(80)]

    def text(least: int, most: int) -> str:
        return " ".join(draw.choice(words) for _ in range(draw.randint(least, most)))

    questions = []
    for n in range(36):
        options = [Option(key, text(1, 2)) for key in "ABCD"]
        case = {"case_id": f"case-{n // 3}", "rank": n % 3, "context": text(4, 6)} if n < 12 else {}
        told = f"{text(3, 20)}?", options, ["A"], options[0].text
        questions.append(Question(f"q-{n}", "exam", "test", "single", *told, **case))
    pages = [Passage(f"p{n}", "book", n, "S", 1, 1, text(10, 20), 15, "", "CC0") for n in range(20)]
    return Exam("exam", questions, passages=pages)


def predicted(start: str, folder: Path, launch: str, seed: int) -> list[Prediction]:
    """The predictions of one run."""
    params, forms = Evaluate(**SETTING), Answers(direct=FORM, explain=FORM)  # type: ignore[arg-type]
    models = sources(params, {"tuned": (Path(start), "tiny")})
    return predict(exam(seed), models, forms, params, folder / "shards", launch=LAUNCHES[launch])


def shards(folder: Path) -> list[Path]:
    """The shards that are there."""
    return list((folder / "shards").rglob("*.jsonl"))


def started(start: str, folder: Path, launch: str, seed: int) -> subprocess.Popen[bytes]:
    """The same run in a process of its own; it leaves its predictions beside its folder."""
    command = [sys.executable, __file__, "--child", start, str(folder), launch, str(seed)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, **quiet)  # type: ignore[call-overload]


def killed(start: str, folder: Path, launch: str, seed: int, due: int, pause: float) -> str:
    """Kills a run a moment after it has saved so many shards more, and says how it ended."""
    before, run = len(shards(folder)), started(start, folder, launch, seed)
    while run.poll() is None and len(shards(folder)) < before + due:
        time.sleep(0.001)
    time.sleep(pause)
    if run.poll() is not None:
        return f"ended by itself with {run.returncode}"
    os.kill(run.pid, signal.SIGKILL)
    run.wait(120)
    left = [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    psutil.wait_procs(left, timeout=30)  # ranks end with their parent
    return "killed"


def case(start: str, folder: Path, launch: str, seed: int, whole: list[Prediction]) -> bool:
    """Three kills and the run after them, against the run that nobody killed; prints the figures."""
    draw, total, ends, saved = random.Random(seed), Counter(map(key, whole)), [], []
    for _ in range(KILLS):
        ends.append(killed(start, folder, launch, seed, draw.randint(2, 12), draw.random() * 0.1))
        saved.append(len(shards(folder)))
    run = started(start, folder, launch, seed)
    ended = run.wait(600)
    made: list[Prediction] = pickle.loads(Path(f"{folder}.made").read_bytes()) if not ended else []
    found = Counter(map(key, made))
    told = f"{launch}, SIGKILL {KILLS} times ({', '.join(map(str, saved))} shards there), then again"
    all_killed = ends == ["killed"] * KILLS and saved[0] > 0
    lost, twice = (total - found).total(), (found - total).total()
    sound = say(f"{told}: items lost or twice, of {total.total()}", lost + twice, "0", lost + twice == 0 and all_killed)
    other = sum(a != b for a, b in zip(whole, made, strict=False)) + abs(len(whole) - len(made))
    return sound & say(f"{told}: predictions that differ from an unbroken run's", other, "0", other == 0 and all_killed)


def key(made: Prediction) -> tuple[str, str, str, str, int]:
    """What tells predictions apart."""
    return made.model, made.mode, made.variant, made.question_id, made.sample


def main(seed: int) -> int:
    """Print the figures of both launches; return 1 if one falls short."""
    sound = True
    with tempfile.TemporaryDirectory() as place:
        start = str(base(Path(place) / "base").path)
        whole = predicted(start, Path(place) / "whole", "1 rank", seed)
        for launch in LAUNCHES:
            sound &= case(start, Path(place) / launch.replace(" ", "-"), launch, seed, whole)
    return 0 if sound else 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--child"]:
        start, folder, launch, seed = sys.argv[2:]
        done = predicted(start, Path(folder), launch, int(seed))
        aside = Path(f"{folder}.aside")
        aside.write_bytes(pickle.dumps(done))
        aside.rename(f"{folder}.made")
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
