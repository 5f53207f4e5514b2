"""The teacher's memory: `python bench/teacher_memory.py`, some three minutes on two cores.

100,000 calls to a fast endpoint in a process of its own, the requests made one by one as they are asked for; `CALLS=n`
takes another number. Memory is that of the asking process (resident set).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from _figures import say
from _teacher import endpoint, environment, question_request

CALLS = int(os.environ.get("CALLS") or 100_000)
EARLY = 0.2  # of the calls, after which memory grows no more


def ask(url: str, ledger: str, told: str) -> None:
    """Ask, and write the memory at the start, early, at the end and at its most, in MiB, into the file ``told``."""
    import openai  # noqa: F401  it stands in memory before the start

    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.teacher.client import EndpointTeacher
    from med_small_lm.teacher.ledger import Ledger
    from med_small_lm.teacher.requests import OK, Reply

    memory, done = {}, 0
    process = psutil.Process()

    def deliver(place: int, reply: Reply) -> None:
        nonlocal done
        done += reply.status == OK
        if done == int(EARLY * CALLS):
            memory["early"] = process.memory_info().rss

    params = TeacherParams(model="test-model", base_url=url, concurrency=64)  # type: ignore[arg-type]
    teacher = EndpointTeacher(params, Ledger(ledger), None)
    memory["start"] = process.memory_info().rss
    teacher.ask_each((question_request(number) for number in range(CALLS)), deliver)
    memory["end"] = process.memory_info().rss
    teacher.close()
    memory["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    Path(told).write_text(json.dumps({"done": done} | {name: size / 2**20 for name, size in memory.items()}))


def main(work: Path) -> bool:
    """Whether memory is flat and small."""
    told = work / "told.json"
    with endpoint(reply="questions") as server:
        command = [sys.executable, __file__, "ask", server.url, str(work / "ledger.sqlite"), str(told)]
        subprocess.run(command, env=environment(), check=True)
    memory = json.loads(told.read_text())
    if memory["done"] != CALLS:
        return say(f"{CALLS} calls", memory["done"], "all are answered", False)
    above, ratio = memory["peak"] - memory["start"], memory["end"] / memory["early"]
    name = f"memory, {CALLS} calls"
    good = say(f"{name}: most above the start", round(above, 1), "<= 300", above <= 300, "MiB")
    end, early = round(memory["end"], 1), round(memory["early"], 1)
    return good & say(f"{name}: at the end beside {EARLY:.0%}", end, "within 10 %", ratio <= 1.1, "MiB", early, ratio)


if __name__ == "__main__":
    if sys.argv[1:2] == ["ask"]:
        ask(*sys.argv[2:])
        sys.exit()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        sys.exit(not main(folder))
    finally:
        shutil.rmtree(folder)
