"""The teacher's speed: `python bench/teacher_speed.py`, about a minute on two cores.

2,000 calls to an endpoint that takes 50 ms, 64 at once: the teacher with its ledger on disk, beside a bare
``AsyncOpenAI`` that sends the same bodies and writes nothing down, one after the other, three times, medians. Then all
replies again from a ledger of 10,000. `CALLS=n` and `KNOWN=n` take other numbers.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _figures import say
from _teacher import Endpoint, endpoint, question_request

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.forms import with_form
from med_small_lm.teacher.requests import OK, Request, message_dicts

CALLS = int(os.environ.get("CALLS") or 2_000)
KNOWN = int(os.environ.get("KNOWN") or 10_000)
AT_ONCE = 64
ROUNDS = 3


def asked(server: Endpoint, ledger: Path, requests: Sequence[Request]) -> float:
    """Replies a second of the teacher, its ledger opened and closed in that time."""
    params = {"model": "test-model", "base_url": server.url, "concurrency": AT_ONCE}
    start = time.perf_counter()
    teacher = open_teacher(TeacherParams(**params), ledger)  # type: ignore[arg-type]
    replies = teacher.ask_all(requests)
    teacher.close()
    seconds = time.perf_counter() - start
    assert all(reply.status == OK for reply in replies)
    return len(requests) / seconds


def gathered(server: Endpoint, requests: Sequence[Request]) -> float:
    """Replies a second of a bare client that sends the same bodies."""
    from openai import AsyncOpenAI

    bodies = [
        with_form(
            {"model": "test-model", "messages": message_dicts(one.messages), **one.model_params},
            one.task,
            one.schema,
            "json_schema",
        )
        for one in requests
    ]

    async def all_of_them() -> list[Any]:
        free = asyncio.Semaphore(AT_ONCE)
        async with AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client:

            async def one(body: dict[str, Any]) -> Any:
                async with free:
                    return await client.chat.completions.create(**body)

            return await asyncio.gather(*map(one, bodies))

    start = time.perf_counter()
    replies = asyncio.run(all_of_them())
    seconds = time.perf_counter() - start
    assert all(reply.choices[0].message.content for reply in replies)
    return len(requests) / seconds


def beside_a_bare_client(work: Path) -> bool:
    """Whether the ledger, the limits and the retries cost no more than a tenth of the speed."""
    ours, bare = [], []
    with endpoint(reply="questions", latency=0.05) as server:
        few = [question_request(number) for number in range(100)]
        asked(server, work / "warm.sqlite", few)
        gathered(server, few)
        requests = [question_request(number) for number in range(CALLS)]
        for turn in range(ROUNDS):
            ours.append(asked(server, work / f"{turn}.sqlite", requests))
            bare.append(gathered(server, requests))
        served = server.counts()["valid"]
    ratio = median(ours) / median(bare)
    name = f"{CALLS} calls, {AT_ONCE} at once, an endpoint of 50 ms: replies a second"
    ok = ratio >= 0.9 and served == 2 * (ROUNDS * CALLS + len(few))
    return say(
        name, round(median(ours)), ">= 0.9 of a bare AsyncOpenAI", ok, "/s", round(median(bare)), round(ratio, 3)
    )


def from_the_ledger(work: Path) -> bool:
    """Whether a run again asks nothing, and fast."""
    requests = [question_request(number) for number in range(KNOWN)]
    with endpoint(reply="questions") as server:
        asked(server, work / "known.sqlite", requests)
        before = server.counts()["requests"]
        speed = median(asked(server, work / "known.sqlite", requests) for _ in range(ROUNDS))
        calls = server.counts()["requests"] - before
    name = f"a run again with {KNOWN} replies in the ledger"
    good = say(f"{name}: calls", calls, "0", calls == 0)
    return good & say(f"{name}: records a second", round(speed), ">= 5,000", speed >= 5_000, "/s")


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        sys.exit(not (beside_a_bare_client(folder) & from_the_ledger(folder)))
    finally:
        shutil.rmtree(folder)
