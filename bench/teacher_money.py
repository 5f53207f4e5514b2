"""What is said about money, and kept to: `python bench/teacher_money.py`, some three minutes on two cores.

The forecast: a pilot of 20 and of 200 calls of the 3,000 that three methods on 1,000 passages take. Reply lengths are
lognormal (sigma 0.8) and unlike by method; 100 seeds are simulated, and one run asks the tests' own endpoint over HTTP.
The same with lengths of other kinds, which have no goal. The budget: runs that may spend a part of what they would
take, then all; and the same through ``kedro run``. `SEEDS=n` simulates another number, `PASSAGES=n` takes other numbers
of passages over HTTP.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _figures import say
from _teacher import ROOT, Endpoint, endpoint

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.calls import Call
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.forecast import Forecast, Pace, forecast
from med_small_lm.teacher.ledger import Ledger
from med_small_lm.teacher.pilot import Group, Measured, pilot_of
from med_small_lm.teacher.requests import OK, Reply, Request, TeacherError

SEEDS = int(os.environ.get("SEEDS") or 100)
PASSAGES = int(os.environ.get("PASSAGES") or 1_000)
SIMULATED = 1_000
PILOTS = (20, 200)
MEDIANS = {"question": 120.0, "rephrasing": 300.0, "rationale": 700.0}  # tokens of a reply
SIGMA = 0.8
PRICES = {"price_in": 0.15, "price_out": 0.60}  # of a million tokens
COST = TeacherParams(**PRICES).cost
BUDGETS = (0.05, 0.4, 0.8)  # of what all calls cost
AT_ONCE = 64
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
}

Lengths = Callable[[np.random.Generator, int], Any]
OTHERS: dict[str, Lengths] = {
    "lognormal, sigma 0.3": lambda draw, n: draw.lognormal(0, 0.3, n),
    "lognormal, sigma 1.2": lambda draw, n: draw.lognormal(0, 1.2, n),
    "gamma, shape 1": lambda draw, n: draw.standard_gamma(1, n),
    "gamma, shape 4": lambda draw, n: draw.standard_gamma(4, n),
    "lognormal, cut off at twice the median": lambda draw, n: np.minimum(draw.lognormal(0, SIGMA, n), 2),
    "one in ten is refused in a line": lambda draw, n: np.where(draw.random(n) < 0.1, 0.05, draw.lognormal(0, 0.4, n)),
    "three in twenty are repaired": lambda draw, n: draw.lognormal(0, 0.5, n) * np.where(draw.random(n) < 0.15, 2, 1),
    "one in twenty is five times as long": lambda draw, n: (
        draw.lognormal(0, 0.4, n) * np.where(draw.random(n) < 0.05, 5, 1)
    ),
}


@dataclass
class Trial:
    """A forecast beside what came of it."""

    told: Forecast
    cost: float
    tokens_out: float

    @property
    def holds(self) -> bool:
        """Whether the cost lies in the range."""
        return self.told.cost.low <= self.cost <= self.told.cost.high

    @property
    def is_near(self) -> bool:
        """Whether the cost is within 10 % of the point."""
        return abs(self.told.cost.point / self.cost - 1) <= 0.1


def trial(
    names: Sequence[str], measured: Sequence[Measured], first: Sequence[int], pace: Pace | None = None
) -> Trial:  # fmt: skip
    """A forecast from the requests at ``first``, and what the others took."""
    chosen = set(first)
    groups = []
    for method in MEDIANS:
        own = [place for place, name in enumerate(names) if name == method]
        rest = [measured[place] for place in own if place not in chosen]
        pilot = [measured[place] for place in own if place in chosen]
        groups.append(Group(method, pilot, len(rest), sum(one.letters for one in rest)))
    rest = [one for place, one in enumerate(measured) if place not in chosen]
    tokens_in, tokens_out = sum(one.tokens_in for one in rest), sum(one.tokens_out for one in rest)
    return Trial(forecast(groups, cost=COST, pace=pace), COST(tokens_in, tokens_out), tokens_out)


def simulated(lengths: Lengths, pilot: int, seed: int) -> Trial:
    """A trial with drawn replies."""
    draw = np.random.default_rng([seed, pilot])
    names, measured = [], []
    for method, median in MEDIANS.items():
        letters = np.rint(3000 * draw.lognormal(0, 0.3, SIMULATED))
        tokens_in = np.rint(letters / 4.3 * draw.normal(1, 0.05, SIMULATED))
        tokens_out = np.maximum(1, np.rint(median * lengths(draw, SIMULATED)))
        names += [method] * SIMULATED
        measured += [Measured(*map(int, one)) for one in zip(letters, tokens_in, tokens_out, strict=True)]
    return trial(names, measured, pilot_of(names, 0.0, pilot, seed))


def ranges() -> bool:
    """Whether forecasts hold as often as they say, where lengths are lognormal."""
    good = True
    for pilot in PILOTS:
        trials = [simulated(lambda draw, n: draw.lognormal(0, SIGMA, n), pilot, seed) for seed in range(SEEDS)]
        held, near = 100 * sum(one.holds for one in trials) / SEEDS, 100 * sum(one.is_near for one in trials) / SEEDS
        replies = sum(one.told.tokens_out.low <= one.tokens_out <= one.told.tokens_out.high for one in trials)
        width = float(np.median([(one.told.cost.high - one.told.cost.low) / one.told.cost.point for one in trials]))
        name = f"forecast from {pilot} of {3 * SIMULATED:,} calls, lognormal lengths"
        good &= say(f"{name}: 90 % ranges that hold the cost", held, "84 to 97", 84 <= held <= 97, "of 100")
        say(f"{name}: the same for the replies' tokens", 100 * replies / SEEDS, "", None, "of 100")
        say(f"{name}: width of the range, median", round(width, 3), "", None, "of the point")
        goal, ok = (">= 85", near >= 85) if pilot == 200 else ("", None)
        good &= say(f"{name}: points within 10 % of the cost", near, goal, ok, "of 100")
    return good


def other_lengths() -> bool:
    """True; says how often forecasts hold where lengths are not as they are taken to be."""
    for name, lengths in OTHERS.items():
        held = [100 * sum(simulated(lengths, pilot, seed).holds for seed in range(SEEDS)) / SEEDS for pilot in PILOTS]
        for pilot, share in zip(PILOTS, held, strict=True):
            say(f"forecast from {pilot} calls, {name}: 90 % ranges that hold the cost", share, "", None, "of 100")
    return True


def requests() -> list[Request]:
    """A request of each method on each passage; passages are unlike in length."""
    draw = np.random.default_rng(0)
    made = []
    for number, words in enumerate(np.rint(200 * draw.lognormal(0, 0.3, PASSAGES)).astype(int)):
        passage = " ".join(["breathlessness", "oedema", "heart", "of"][k % 4] for k in range(words))
        for method in MEDIANS:
            message = Message("user", f"Write a {method} on passage number {number}. {passage}")
            made.append(Request(method, {"max_tokens": 20_000}, (message,), SCHEMA))
    return made


def asked(server: Endpoint, ledger: Path, wanted: Sequence[Request], **more: Any) -> list[Reply]:
    """The replies to requests."""
    params = TeacherParams(model="test-model", base_url=(server.url,), concurrency=AT_ONCE, **PRICES, **more)
    with closing(open_teacher(params, ledger)) as teacher:
        return teacher.ask_all(wanted)


def writing() -> dict[str, Any]:
    """The configuration of an endpoint whose replies are of lognormal length."""
    return {"reply": "text", "medians": MEDIANS, "sigma": SIGMA, "latency": 0.005, "latency_sigma": 0.5}


def cost_of(rows: Sequence[dict[str, Any]]) -> float:
    """What the endpoint would ask for what it served."""
    return COST(sum(row["tokens_in"] for row in rows), sum(row["tokens_out"] for row in rows))


def over_http(work: Path) -> bool:
    """Whether forecasts hold against an endpoint that counts."""
    wanted, good = requests(), True
    names = [one.task for one in wanted]
    with endpoint(**writing()) as server:
        for pilot in PILOTS:
            asked(server, work / "http.sqlite", [wanted[place] for place in pilot_of(names, 0.0, pilot, 0)])
        start = time.perf_counter()
        replies = asked(server, work / "http.sqlite", wanted)
        minutes = (time.perf_counter() - start) / 60
        served = server.served()
    with closing(Ledger(work / "http.sqlite")) as ledger:
        spent = ledger.spent()
    measured = [
        Measured(len(one.messages[0].content), use.tokens_in, use.tokens_out, use.seconds, use.calls)
        for one, use in zip(wanted, [reply.usage for reply in replies], strict=True)
    ]
    for pilot in PILOTS:
        done = trial(names, measured, pilot_of(names, 0.0, pilot, 0), Pace(AT_ONCE))
        print(f"{done.told}; it was {done.cost:.4g} in {minutes:.2g} minutes", file=sys.stderr)
        name = f"forecast from {pilot} of {len(wanted):,} calls over HTTP"
        off = round(done.told.cost.point / done.cost - 1, 4)
        good &= say(f"{name}: the range holds the cost", done.holds, "True", done.holds)
        goal, ok = ("within 0.1", abs(off) <= 0.1) if pilot == 200 else ("", None)
        good &= say(f"{name}: the point is off by", off, goal, ok)
    same = abs(spent - cost_of(served)) < 1e-9 * len(served) and len(served) == len(wanted)
    return good & say("the ledger's cost over HTTP", round(spent, 6), "the endpoint's count", same, "", cost_of(served))


def in_flight_at_the_end(calls: Sequence[Call], budget: float) -> float:
    """What those calls cost that were on their way when the budget was used up."""
    spent = 0.0
    for last in sorted(calls, key=lambda call: call.finished):
        spent += last.cost
        if spent >= budget:
            return sum(call.cost for call in calls if call.created <= last.finished <= call.finished)
    return 0.0


def budget(work: Path) -> bool:
    """Whether budgets stop a run in time, and a higher one lets it go on."""
    wanted, good = requests(), True
    with endpoint(**writing()) as server:
        asked(server, work / "whole.sqlite", wanted)
        whole = cost_of(server.served())
        for share in BUDGETS:
            good &= kept_to(server, work / f"{share}.sqlite", wanted, share, share * whole)
    return good


def kept_to(server: Endpoint, path: Path, wanted: Sequence[Request], share: float, limit: float) -> bool:
    """Whether a run keeps to a budget of ``limit``, and the next one asks only the rest."""
    before, said = server.counts()["requests"], ""
    try:
        asked(server, path, wanted, budget=limit)
    except TeacherError as stop:
        said = str(stop)
    first = server.counts()["requests"] - before
    with closing(Ledger(path)) as ledger:
        calls, spent = list(ledger.calls()), ledger.spent()
    replies = asked(server, path, wanted, budget=100 * limit)
    second = server.counts()["requests"] - before - first
    over, flying = max(0.0, spent - limit), in_flight_at_the_end(calls, limit)
    print(f"budget {limit:.6f}, spent {spent:.6f}: {said}", file=sys.stderr)
    name = f"a budget for {share:.0%} of {len(wanted):,} calls"
    good = say(f"{name}: overspent", over, "<= the calls in flight", over <= flying, "", flying)
    good &= say(f"{name}: used", round(spent / limit, 4), ">= 0.95", spent >= 0.95 * limit)
    kept = len(calls) == first and all(call.status == OK for call in calls)
    good &= say(f"{name}: answers kept", len(calls), f"the {first:,} that were given", kept)
    left = f"{len(wanted) - first:,}"
    good &= say(f"{name}: the stop says what is left", left in said, "True", left in said)
    rest = first + second == len(wanted) and all(reply.status == OK for reply in replies)
    return good & say(f"{name}, then a higher one: calls", second, f"the {left} that were left", rest)


def through_kedro(work: Path) -> bool:
    """Whether ``kedro run`` ends with 1 on a spent budget, says what is left, and goes on with a higher one."""
    spec = importlib.util.spec_from_file_location("project_tests", ROOT / "tests/conftest.py")
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = tests
    spec.loader.exec_module(tests)
    project = tests.Project.copied(work / "project")
    ready, output = project.kedro("run", "--pipelines", "ingest_textbooks")
    if ready:
        print(output, file=sys.stderr)
    with endpoint(**writing()) as server:

        def run(limit: float) -> tuple[int, str, int]:
            prices = ",".join(f"teacher.{name}={value}" for name, value in PRICES.items())
            given = f"teacher.model=test-model,teacher.base_url={server.url},teacher.budget={limit},{prices}"
            before = server.counts()["requests"]
            code, said = project.kedro("run", "--nodes", "rephrase_passages", "--params", given)
            return code, said, server.counts()["requests"] - before

        first, said, some = run(0.02)
        last = said.strip().splitlines()[-1]
        print(last, file=sys.stderr)
        second, _, rest = run(1_000.0)
        again, _, none = run(1_000.0)
    good = say("kedro run with a small budget: exit code", first, "1", first == 1)
    good &= say("kedro run with a small budget: the last line says what is left", last, "", "without a reply" in last)
    ok = second == 0 and rest > 0 and again == 0 and none == 0
    return good & say("kedro run with a higher budget: calls more", rest, f"0 after them ({some} before)", ok)


def main() -> int:
    """The exit status: 0 if every figure met its goal."""
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        figures = [ranges(), other_lengths(), over_http(work), budget(work), through_kedro(work)]
        return 0 if all(figures) else 1
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
