"""The teacher under faults and kills: `python bench/teacher_faults.py`, some three minutes on two cores.

5,000 calls to the tests' own endpoint, 20 % of which go wrong in every way that it knows; the asking process is killed
three times (SIGKILL) at random moments and started again. `CALLS=n` takes another number, `SEED=n` other faults and
moments. The same through the batch transport.

Replies of which the ledger cannot know are those that were dropped after their last byte, and those that were on their
way to a process when it was killed. The endpoint counts both; every other reply that can be read has to stand in the
ledger, once, with the tokens that the endpoint counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _figures import say
from _teacher import Endpoint, endpoint, environment, short_request

CALLS = int(os.environ.get("CALLS") or 5_000)
SEED = int(os.environ.get("SEED") or 0)
KILLS = 3
AT_ONCE = 32
ON_ITS_WAY = 1.0  # most seconds from a reply's last byte to the row that keeps it, on a busy machine
PRICE_IN, PRICE_OUT = 2.0, 7.0  # of a million tokens
FAULTS = {"seed": SEED, "share": 0.2, "retry_after": 0.3, "drip": 10.0, "latency": 0.02, "latency_sigma": 0.5}
PATIENT = {"timeout": 1.0, "attempts": 10, "repairs": 6, "backoff": 0.02, "backoff_max": 0.5, "rest": 0.2}
IMPATIENT = {"attempts": 2, "repairs": 1}  # so few that calls run into the limits
ONLINE = {**PATIENT, "concurrency": AT_ONCE}
BATCH = {**PATIENT, "transport": "batch", "batch": {"calls": max(1, CALLS // 10), "poll": 0.1}}
CONTENT = ("wrong schema", "no JSON", "refusal", "length", "content_filter")
IN_BATCH = {"kinds": ["429", "500", *CONTENT], "service_share": 0.2, "polls": 6, "expired": [2], "failed": [4]}


@dataclass
class Kill:
    """A kill: when, whether the process was still at work, and the prompts in flight, by what it had written down."""

    when: float
    hit: bool
    keys: Counter[str]


@dataclass
class Run:
    """What came of asking for all replies: what was delivered, the ledger's rows, and the endpoint's."""

    replies: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    served: list[dict[str, Any]]
    kills: list[Kill] = field(default_factory=list)
    discount: float = 0.0

    @property
    def readable(self) -> list[dict[str, Any]]:
        """What the endpoint served whole and did not drop."""
        return [row for row in self.served if row["whole"] and not row["dropped"]]

    @property
    def lost(self) -> list[dict[str, Any]]:
        """Readable replies that the ledger does not have: those of the kills, or else there is a fault."""
        kept = {json.loads(call["response"])["id"] for call in self.calls if call["response"]}
        return [row for row in self.readable if row["reply"] not in kept]

    @property
    def unexplained(self) -> list[dict[str, Any]]:
        """Lost replies of prompts that were not in flight when the next kill came."""
        return [row for row in self.lost if not any(was_in_flight(row, kill) for kill in self.kills)]

    def cost(self, rows: Iterable[dict[str, Any]]) -> float:
        """What the endpoint would ask for so many tokens."""
        tokens = [(row["tokens_in"], row["tokens_out"]) for row in rows]
        price = sum(told for told, _ in tokens) * PRICE_IN + sum(said for _, said in tokens) * PRICE_OUT
        return price / 1e6 * (1 - self.discount)


def was_in_flight(row: dict[str, Any], kill: Kill) -> bool:
    """Whether a reply was on its way when the process was killed: asked for before, and not served long ago."""
    return row["key"] in kill.keys and row["began"] <= kill.when <= row["ended"] + ON_ITS_WAY


def key_of(request: str) -> str:
    """The endpoint's name for the prompt of a raw request."""
    first = next(message for message in json.loads(request)["messages"] if message["role"] == "user")
    return hashlib.sha256(first["content"].encode()).hexdigest()[:16]


def rows_of(ledger: Path) -> list[dict[str, Any]]:
    """The ledger's rows, read beside whoever writes it."""
    if not ledger.exists():
        return []
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'calls'").fetchone()[0]
        found = [dict(row) for row in db.execute("SELECT * FROM calls")] if tables else []
    db.close()
    return [{**row, "usage": json.loads(row["usage"]), "tries": json.loads(row["tries"])} for row in found]


def ask(url: str, work: str, count: str, params: str) -> None:
    """Ask for all replies, and write what was delivered into ``work``; runs in a process of its own."""
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.teacher.client import open_teacher

    given = {"model": "test-model", "base_url": url, "price_in": PRICE_IN, "price_out": PRICE_OUT, **json.loads(params)}
    teacher = open_teacher(TeacherParams(**given), Path(work) / "ledger.sqlite", "sk-bench")
    replies = teacher.ask_all([short_request(number) for number in range(int(count))])
    teacher.close()
    told = [{"status": one.status, "reason": one.reason, "parsed": one.parsed} for one in replies]
    (Path(work) / "replies.json").write_text(json.dumps(told))


def start(server: Endpoint, work: Path, calls: int, params: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A process that asks for all replies."""
    command = [sys.executable, __file__, "ask", server.url, str(work), str(calls), json.dumps(params)]
    return subprocess.Popen(command, env=environment())


def run(server: Endpoint, work: Path, params: dict[str, Any], calls: int = CALLS, kills: int = 0) -> Run:
    """Ask for all replies, killed so many times on the way, and then to the end."""
    work.mkdir(parents=True)
    draw = random.Random(SEED)
    told = []
    for share in sorted(draw.uniform(0.05, 0.95) for _ in range(kills)):
        told.append(killed(server, work, calls, params, int(share * calls), draw.uniform(0, 0.3)))
    process = start(server, work, calls, params)
    if process.wait():
        raise SystemExit(f"the asking process ended with {process.returncode}")
    while server.counts()["in_flight"]:  # slow drips to which nobody listens any more
        time.sleep(0.1)
    replies = json.loads((work / "replies.json").read_text())
    discount = 0.5 if params.get("transport") == "batch" else 0.0
    return Run(replies, rows_of(work / "ledger.sqlite"), server.served(), told, discount)


def killed(server: Endpoint, work: Path, calls: int, params: dict[str, Any], after: int, later: float) -> Kill:
    """Start a process and kill it a moment after the endpoint has served so many valid replies."""
    process = start(server, work, calls, params)
    while server.counts()["valid"] < after and process.poll() is None:
        time.sleep(0.01)
    time.sleep(later)
    process.send_signal(signal.SIGKILL)
    hit, when = process.wait() == -signal.SIGKILL, time.time()
    pending = [row for row in rows_of(work / "ledger.sqlite") if row["status"] == "pending"]
    flying = [row for row in pending if row["attempts"] > len(row["tries"])]  # the others wait for their next try
    return Kill(when, hit, Counter(key_of(row["request"]) for row in flying))


def figures(name: str, found: Run, truth: Run) -> bool:
    """Say what a run with faults amounts to beside one without; return whether all goals were met."""
    calls = len(truth.replies)
    faults = Counter(row["kind"] for row in found.served)
    wrong = 1 - faults["ok"] / len(found.served)
    print(f"{name}: {len(found.served)} requests, {wrong:.1%} wrong: {dict(faults)}", flush=True)
    differ = sum(one["parsed"] != right["parsed"] for one, right in zip(found.replies, truth.replies, strict=True))
    good = say(f"{name}: replies unlike those of a run without faults, of {calls}", differ, "0", differ == 0)

    hit = sum(kill.hit for kill in found.kills)
    if found.kills:
        good &= say(f"{name}: kills of a process at work", hit, f"{len(found.kills)}", hit == len(found.kills))
    valid = Counter(row["key"] for row in found.served if row["valid"])
    again = sum(count > 1 for count in valid.values())
    dropped = sum(row["dropped"] and row["valid"] for row in found.served)
    flying = sum(kill.keys.total() for kill in found.kills)
    if not found.discount and any(kill.keys.total() > AT_ONCE for kill in found.kills):
        good &= say(f"{name}: in flight at once", flying, f"<= {AT_ONCE} at a kill", False)
    goal = f"<= {flying} in flight at {len(found.kills)} kills + {dropped} dropped after the full reply"
    good &= say(f"{name}: calls with a valid reply more than once", again, goal, again <= flying + dropped)
    unexplained = len(found.unexplained)
    good &= say(f"{name}: readable replies lost without a kill", unexplained, "0", unexplained == 0)

    return good & repeats_explained(name, found, PATIENT) & none_missing(name, found) & same_cost(name, found)


def repeats_explained(name: str, found: Run, params: dict[str, Any]) -> bool:
    """Whether repeats keep to the parameters, and each has its cause and cost in the ledger."""
    most, repairs = most_repeats(found.calls), params["repairs"]
    good = say(f"{name}: most repeats after invalid replies of a call", most, f"<= {repairs}", most <= repairs)
    if not found.kills:
        most, attempts = max(row["attempts"] for row in found.calls), params["attempts"]
        good &= say(f"{name}: most tries of a call", most, f"<= {attempts}", most <= attempts)
    if not found.discount:  # of a batch that fails no call is begun, and a kill may come before a call has left
        tries, served = sum(row["attempts"] for row in found.calls), len(found.served)
        ok, more = (tries >= served, "at least ") if found.kills else (tries == served, "")
        good &= say(f"{name}: tries in the ledger", tries, f"{more}the endpoint's {served}", ok)
    useless = {row["call_id"]: row for row in found.calls if row["status"] not in ("ok", "error", "pending")}
    invalid = sum(not row["valid"] for row in found.readable) - sum(not row["valid"] for row in found.lost)
    bare = sum(not row["reason"] or row["cost"] <= 0 for row in useless.values())
    repeats = [row for row in found.calls if row["parent"]]
    bare += sum(row["parent"] not in useless for row in repeats)
    bare += abs(len(found.calls) - len(repeats) - len(found.replies))  # a repeat that names no parent
    bare += sum(not one.get("cause") for row in found.calls for one in row["tries"])
    bare += sum(row["attempts"] != len(row["tries"]) + (row["status"] != "error") for row in found.calls)
    goal = f"0, and as many as the endpoint served: {invalid}"
    name = f"{name}: repeats and failed tries without cause, cost or parent; {len(useless)} invalid replies"
    return good & say(name, bare, goal, bare == 0 and len(useless) == invalid)


def most_repeats(calls: list[dict[str, Any]]) -> int:
    """The most calls behind one of another that was of no use."""
    parents = {row["call_id"]: row["parent"] for row in calls}

    def depth(name: str) -> int:
        return 1 + depth(parents[name]) if parents.get(name) else 0

    return max(map(depth, parents), default=0)


def none_missing(name: str, found: Run) -> bool:
    """Whether each request has a state, and each that is not ok a reason."""
    ended = Counter(one["status"] for one in found.replies)
    bare = sum(one["status"] != "ok" and not one["reason"] for one in found.replies)
    bare += sum(row["status"] == "pending" or (row["status"] != "ok" and not row["reason"]) for row in found.calls)
    states = ", ".join(f"{count} {status}" for status, count in ended.most_common())
    return say(f"{name}: without state or reason ({states})", bare, "0", bare == 0)


def same_cost(name: str, found: Run) -> bool:
    """Whether the ledger's cost is the endpoint's, but for what got lost at kills."""
    ledger = sum(row["cost"] for row in found.calls)
    server, lost = found.cost(found.readable), found.cost(found.lost)
    dropped = found.cost(row for row in found.served if row["dropped"])
    ok = abs(server - lost - ledger) <= 1e-9 * server and not found.unexplained
    goal = f"the endpoint's {server:.9f} less {lost:.9f} lost at kills (and {dropped:.9f} dropped by it)"
    return say(f"{name}: cost in the ledger", round(ledger, 9), goal, ok, peer=round(server - lost, 9))


def candidates(work: Path) -> bool:
    """Whether five candidates of a prompt are five calls, once."""
    from med_small_lm.params.teacher import TeacherParams
    from med_small_lm.teacher.client import open_teacher

    told = []
    with endpoint() as server:
        for _ in range(2):
            params = TeacherParams(model="test-model", base_url=server.url)  # type: ignore[arg-type]
            teacher = open_teacher(params, work / "ledger.sqlite")
            teacher.ask_all([short_request(7, sample) for sample in range(5)])
            teacher.close()
            told += [server.counts()["requests"], len(rows_of(work / "ledger.sqlite"))]
    value = f"{told[0]} calls, {told[1]} rows, then {told[2] - told[0]}"
    return say("5 candidates of one prompt, and again", value, "5 calls, 5 rows, then 0", told == [5, 5, 5, 5])


def main(work: Path) -> bool:
    """Whether all figures met their goals."""
    (work / "candidates").mkdir()
    good = candidates(work / "candidates")
    with endpoint(latency=0.01) as server:
        truth = run(server, work / "truth", ONLINE)
    wrong = sum(one["parsed"] != {"n": place} for place, one in enumerate(truth.replies))
    good &= say("online, no fault: wrong replies", wrong, "0", wrong == 0)
    with endpoint(**FAULTS) as server:
        found = run(server, work / "faults", ONLINE)
    good &= figures("online, no kill", found, truth)
    with endpoint(**FAULTS) as server:
        found = run(server, work / "kills", ONLINE, kills=KILLS)
    good &= figures(f"online, {KILLS} kills", found, truth)
    with endpoint(**FAULTS) as server:
        found = run(server, work / "impatient", {**ONLINE, **IMPATIENT}, CALLS // 2)
    name = "online, two tries and one repair"
    good &= repeats_explained(name, found, IMPATIENT) & none_missing(name, found) & same_cost(name, found)
    with endpoint(**{**FAULTS, **IN_BATCH}) as server:
        found = run(server, work / "batch", BATCH)
    good &= figures("batch, no kill", found, truth)
    with endpoint(**{**FAULTS, **IN_BATCH}) as server:
        found = run(server, work / "batch-kills", BATCH, kills=KILLS)
    return good & figures(f"batch, {KILLS} kills", found, truth)


if __name__ == "__main__":
    if sys.argv[1:2] == ["ask"]:
        ask(*sys.argv[2:])
        sys.exit()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        sys.exit(not main(folder))
    finally:
        shutil.rmtree(folder)
