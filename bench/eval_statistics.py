"""The figures of the evaluation's statistics: `python bench/eval_statistics.py`.

Tests and intervals beside statsmodels' and SciPy's, and how often the 95 % intervals hold the truth: in 1,000 simulated
exams each, and, of right and wrong items, counted out over every number of right answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np
from _figures import say
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from med_small_lm.benchmarks.calibration import SureAnswers, measure
from med_small_lm.benchmarks.resampling import percentile, units
from med_small_lm.benchmarks.scoring import score
from med_small_lm.benchmarks.statistics import accuracy_interval, holm, mcnemar_p, mean_interval, paired, sign_flip_p
from med_small_lm.schemas.rows import Option, Prediction, Question

TABLES, SETS = 2_000, 100
SIMULATIONS = 1_000
RESAMPLES = 20_000
ITEMS = ((100, 0.3), (100, 0.9), (1273, 0.3), (1273, 0.9))
N_CASES, CORRELATION = 40, 0.3
WIDTHS = (3, 8)
"""Questions of a case, at least and at most."""


def tests() -> bool:
    """The distance of p-values from statsmodels' and SciPy's over random tables and sets of p-values."""
    draw = np.random.default_rng(0)
    far = {"statsmodels": 0.0, "SciPy's binomial test": 0.0, "sign flips": 0.0}
    for only_a, only_b in draw.integers(0, draw.integers(2, 400, size=(TABLES, 1)), size=(TABLES, 2)).tolist():
        own = mcnemar_p(only_a, only_b)
        other = min(1.0, float(mcnemar([[31, only_a], [only_b, 17]], exact=True).pvalue))
        binomial = stats.binomtest(only_b, only_a + only_b).pvalue if only_a + only_b else 1.0
        flipped = sign_flip_p(np.r_[np.ones(only_a), -np.ones(only_b)])
        for name, value in zip(far, (other, binomial, flipped), strict=True):
            far[name] = max(far[name], abs(own - value))
    good = True
    for name, value in far.items():
        good &= say(f"McNemar's exact p, {TABLES:,} tables: farthest from {name}", value, "<= 1e-10", value <= 1e-10)
    apart = 0.0
    for _ in range(SETS):
        values = draw.random(draw.integers(1, 60)) ** draw.integers(1, 6)
        values[draw.random(len(values)) < 0.2] = values[0]  # equals
        apart = max(apart, float(np.abs(np.array(holm(values)) - multipletests(values, method="holm")[1]).max()))
    return good & say(
        f"Holm's p, {SETS} sets of up to 59: farthest from statsmodels", apart, "<= 1e-10", apart <= 1e-10
    )


def percentiles() -> bool:
    """The distance of percentile intervals from scipy.stats.bootstrap's."""
    draw = np.random.default_rng(1)
    sets = {f"accuracy, n = {n}, p = {p}": draw.random(n) < p for n, p in ITEMS}
    sets["exam scale, n = 200"] = draw.choice([1, 0.5, 0.2, 0], size=200)
    sets["paired difference, n = 308"] = draw.choice([1, 0, -1], size=308, p=[0.2, 0.7, 0.1])
    worst = 0.0
    for name, values in sets.items():
        sample = (values.astype(float),)
        other = stats.bootstrap(sample, np.mean, n_resamples=RESAMPLES, method="percentile", rng=draw, batch=1_000)
        bounds = np.array(other.confidence_interval)
        own = percentile(units(values, signed="difference" in name), samples=RESAMPLES, seed=0)
        worst = max(worst, float(np.abs(np.array(own) - bounds).max()))
    name = f"percentile intervals of {len(sets)} means, {RESAMPLES:,} resamples: farthest bound from SciPy's"
    return say(name, worst, "<= 0.005", worst <= 0.005)


def single_items() -> bool:
    """How often an accuracy's interval holds the truth, by simulation and counted out."""
    good = True
    for n, p in ITEMS:
        draw = np.random.default_rng(2)
        rights = draw.binomial(n, p, size=SIMULATIONS)
        held = np.mean([low <= p <= high for seed, right in enumerate(rights)
                        for low, high in [accuracy_interval(int(right), n, seed=seed)]])  # fmt: skip
        good &= covered(f"{SIMULATIONS:,} simulations, n = {n}, p = {p}: accuracy", float(held))
        counts = np.arange(n + 1)
        chances = stats.binom.pmf(counts, n, p)
        told = {int(k): accuracy_interval(int(k), n, samples=RESAMPLES) for k in counts[chances > 1e-9]}
        exact = float(sum(chances[k] for k, (low, high) in told.items() if low <= p <= high))
        good &= covered(f"counted out, n = {n}, p = {p}: accuracy", exact)
    return good


def cases() -> bool:
    """The same where questions come in cases, and what intervals over single items would hold."""
    good = True
    for p in (0.3, 0.6, 0.9):
        said = f"{SIMULATIONS:,} simulations, {N_CASES} cases of 3 to 8, correlation {CORRELATION}, p = {p}"
        told, plain, by_percentile = simulated(p)
        good &= covered(f"{said}: accuracy over cases (peer: over items)", told, plain)
        fails = plain < 0.93
        good &= say(f"{said}: the plain bootstrap over items fails", plain, "< 0.93", fails, "share")
        say(f"{said}: percentiles over cases", by_percentile, "reported", None, "share")
    return good


def others() -> bool:
    """How often the intervals of a paired difference, of a case's mean points and of a count hold the truth."""
    draw = np.random.default_rng(4)
    chances = np.array([0.08, 0.74, 0.18])

    def difference(seed: int) -> bool:
        apart = draw.choice([-1, 0, 1], size=308, p=chances)
        found = paired(apart, np.zeros(308), seed=seed)
        return found.ci_low <= chances[2] - chances[0] <= found.ci_high

    points, odds = np.array([1, 0.5, 0.2, 0]), np.array([0.3, 0.3, 0.2, 0.2])

    def scale(seed: int) -> bool:
        low, high = mean_interval(draw.choice(points, size=60, p=odds), seed=seed)
        return low <= points @ odds <= high

    good = covered("paired difference, n = 308", float(np.mean([difference(n) for n in range(SIMULATIONS)])))
    good &= covered("exam scale, n = 60", float(np.mean([scale(n) for n in range(SIMULATIONS)])))
    for n in (25, 201):  # answers, each of which may hold several contradictions
        told = [mean_interval(draw.negative_binomial(1, 2 / 3, n), seed=seed) for seed in range(SIMULATIONS)]
        good &= covered(f"counts, n = {n}, mean 0.5", float(np.mean([low <= 0.5 <= high for low, high in told])))
    return good


def simulated(p: float) -> list[float]:
    """The shares of simulated exams that hold ``p`` in the interval over cases, over items, in percentiles of cases."""
    draw, held = np.random.default_rng(3), np.zeros(3)
    odds = 1 / CORRELATION - 1
    for seed in range(SIMULATIONS):
        case = np.repeat(np.arange(N_CASES), draw.integers(WIDTHS[0], WIDTHS[1] + 1, N_CASES))
        right = draw.random(len(case)) < draw.beta(p * odds, (1 - p) * odds, N_CASES)[case]
        intervals = (
            mean_interval(right, clusters=case, seed=seed),
            percentile(units(right), samples=2_000, seed=seed),
            percentile(units(right, clusters=case), samples=2_000, seed=seed),
        )
        held += [low <= p <= high for low, high in intervals]
    return [float(share) for share in held / SIMULATIONS]


def covered(name: str, share: float, peer: float | None = None) -> bool:
    """Print a coverage."""
    return say(f"coverage, {name}", round(share, 4), "0.93 to 0.97", 0.93 <= share <= 0.97, "share", peer)


def speed() -> bool:
    """Seconds of processor time for the scores of a large report."""
    draw = np.random.default_rng(5)
    options = [Option(key, key) for key in "ABCD"]
    asked = [
        Question(f"q{n}", "exam", "test", "single", "s", options, ["A"], "", subject=f"s{n % 21}") for n in range(4_183)
    ]
    made = [
        Prediction(f"m{model}", one.question_id, "exam", "likelihood", "letter/0-shot", 0, "", "parsed", [key], [], 1)
        for model in range(10)
        for one, key in zip(asked, draw.choice(list("AB"), len(asked)), strict=True)
    ]
    began = time.process_time()
    scores = score(made, {"exam": asked})
    used = time.process_time() - began
    sure = draw.random(4_183)
    began = time.process_time()
    measure(SureAnswers(sure, (draw.random(4_183) < sure).astype(float), sure))
    calibrated = time.process_time() - began
    name = f"processor time of {len(scores)} scores with intervals, 10 models on {len(asked):,} questions"
    good = say(name, round(used, 2), "<= 10 s", used <= 10, "s")
    name = "processor time of the calibration, with intervals, of one model on as many questions"
    return good & say(name, round(calibrated, 2), "<= 5 s", calibrated <= 5, "s")


def main(names: Sequence[str]) -> int:
    """The exit status: 0 if every figure met its goal."""
    parts = {part.__name__: part for part in (tests, percentiles, single_items, cases, others, speed)}
    return 0 if all([parts[name]() for name in names or parts]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
