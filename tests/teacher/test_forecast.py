"""The forecast: which requests go first, what the rest will take, and how often its range holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher import worlds
from med_small_lm.teacher.forecast import Forecast, Group, Measured, Pace, Range, forecast, pilot_of

Shape = Callable[[np.random.Generator, int], np.ndarray]
MEANS = {"question": 120.0, "rephrasing": 400.0, "rationale": 1000.0}  # tokens
REQUESTS = 500  # of each method
SHAPES: dict[str, Shape] = {
    "lognormal": lambda draw, n: draw.lognormal(0, 0.8, n),
    "gamma": lambda draw, n: draw.standard_gamma(2, n),
    "cut off at max_tokens": lambda draw, n: np.minimum(draw.lognormal(0, 0.8, n), 2),
    "one in ten refused": lambda draw, n: np.where(draw.random(n) < 0.1, 0.05, draw.lognormal(0, 0.4, n)),
}


def cost(tokens_in: float, tokens_out: float) -> float:
    return (tokens_in + 4 * tokens_out) / 1e6


def measured(lengths: np.ndarray, letters: int = 3000) -> list[Measured]:
    return [Measured(letters, letters // 4, max(1, round(n)), n / 50) for n in lengths]


def foretold(shape: Shape, calls: int, seed: int) -> tuple[Forecast, float]:
    """A forecast from ``calls`` calls over all methods, and what the rest cost in truth."""
    draw = np.random.default_rng(seed)
    replies = {name: measured(mean * shape(draw, REQUESTS)) for name, mean in MEANS.items()}
    names = [name for name, own in replies.items() for _ in own]
    first = set(pilot_of(names, 0.0, calls, seed))
    every = [one for own in replies.values() for one in own]
    groups, truth = [], 0.0
    for name in MEANS:
        pilot = [one for place, one in enumerate(every) if names[place] == name and place in first]
        rest = [one for place, one in enumerate(every) if names[place] == name and place not in first]
        groups.append(Group(name, pilot, len(rest), sum(one.letters for one in rest)))
        truth += sum(cost(one.tokens_in, one.tokens_out) for one in rest)
    return forecast(groups, cost=cost, seed=seed), truth


@pytest.mark.parametrize("calls", [20, 200])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_range_holds_the_truth_about_as_often_as_it_says(
    shape: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(worlds, "N", 800)
    held = 0
    for seed in range(30):
        told, truth = foretold(SHAPES[shape], calls, seed)
        held += told.cost.low <= truth <= told.cost.high
    assert held >= 22  # of a range that holds in 90 of 100, one time in 300 fewer


def test_more_calls_make_the_range_narrower_and_the_point_better() -> None:
    few, many = ([foretold(SHAPES["lognormal"], calls, seed) for seed in range(12)] for calls in (20, 200))

    def width(told: list[tuple[Forecast, float]]) -> float:
        return float(np.median([(one.cost.high - one.cost.low) / one.cost.point for one, _ in told]))

    def error(told: list[tuple[Forecast, float]]) -> float:
        return float(np.median([abs(one.cost.point / truth - 1) for one, truth in told]))

    assert width(many) < width(few) / 2 and error(many) < error(few)


def test_points_are_the_means_of_each_method_times_what_waits() -> None:
    groups = [
        Group("a", [Measured(100, 25, 10, 1.0), Measured(300, 75, 30, 3.0)], 10, 4000),
        Group("b", [Measured(1000, 250, 500, 8.0, calls=2), Measured(1000, 250, 100, 4.0)], 20, 20_000),
    ]
    told = forecast(groups, cost=cost, pace=Pace(concurrency=4))
    assert told.calls.point == pytest.approx(10 + 30)
    assert told.tokens_in.point == pytest.approx(1000 + 5000)
    assert told.tokens_out.point == pytest.approx(200 + 6000)
    assert told.minutes.point == pytest.approx((20 + 120) / 60 / 4)
    assert told.cost.point == pytest.approx(cost(6000, 6200))
    assert told.measured == 5 and told.by_group["a"].tokens_out.point == pytest.approx(200)
    assert told == forecast(groups, cost=cost, pace=Pace(concurrency=4))


def test_limits_a_minute_are_the_pace_where_they_are_slower() -> None:
    group = Group("a", measured(np.full(20, 250.0)), 600, 600 * 3000)
    assert forecast([group], cost=cost, pace=Pace(16, requests_per_minute=60)).minutes.point == pytest.approx(10)
    assert forecast([group], cost=cost, pace=Pace(16, tokens_per_minute=30_000)).minutes.point == pytest.approx(20)
    params = TeacherParams(base_url=("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"), concurrency=8)
    assert Pace.of(params) == Pace(16)


def test_replies_that_are_all_alike_leave_a_narrow_range_and_no_certainty() -> None:
    told = forecast([Group("a", measured(np.full(20, 300.0)), 980, 980 * 3000)], cost=cost).tokens_out
    assert 0.9 < told.low / told.point < 1 < told.high / told.point < 1.1


def test_a_method_without_a_call_borrows_from_the_others_and_says_so() -> None:
    known = [Group(name, measured(np.array([0.5, 1, 2]) * mean), 100, 3e5) for name, mean in MEANS.items()]
    told = forecast([*known, Group("support", [], 100, 3e5)], cost=cost)
    assert told.borrowed == ("support",) and "no call for support" in str(told)
    alone, own = told.by_group["support"].tokens_out, told.by_group["rationale"].tokens_out
    assert alone.high / alone.point > own.high / own.point and alone.low > 0
    assert told.by_group["support"].tokens_in.point == pytest.approx(75_000)


def test_one_call_is_enough_for_a_wide_range() -> None:
    told = forecast([Group("a", measured(np.array([300.0])), 99, 99 * 3000)], cost=cost).tokens_out
    assert told.low < 0.6 * told.point and 1.7 * told.point < told.high < 100 * told.point


def test_repairs_that_the_pilot_did_not_meet_are_not_ruled_out() -> None:
    told = forecast([Group("a", measured(np.full(20, 300.0)), 980, 980 * 3000)], cost=cost).calls
    assert told.low <= told.point == 980 < told.high < 1.2 * 980


def test_requests_that_come_out_of_earlier_replies_are_estimated() -> None:
    pilot = measured(np.full(60, 300.0))
    told = forecast([Group("rationale", pilot, per_unit=[3] * 20, units_waiting=980)], cost=cost)
    assert told.calls.point == pytest.approx(2940) and 0.9 < told.calls.low / 2940 < 1 < told.calls.high / 2940 < 1.15
    uneven = forecast([Group("rationale", pilot, per_unit=[0, 6] * 10, units_waiting=980)], cost=cost)
    assert uneven.calls.point == pytest.approx(2940) and uneven.calls.high > told.calls.high
    assert uneven.tokens_in.point == pytest.approx(2940 * 750)
    none = forecast([Group("rationale", pilot, per_unit=[0] * 20, units_waiting=980)], cost=cost)
    assert none.calls.point == pytest.approx(0, abs=1e-6) and 0 < none.calls.high < 980


def test_a_derived_number_adds_to_the_requests_that_are_rendered() -> None:
    told = forecast([Group("a", measured(np.full(9, 300.0)), 50, 1e5, per_unit=[1, 2, 3], units_waiting=10)], cost=cost)
    assert told.calls.point == pytest.approx(70) and told.tokens_in.point == pytest.approx((1e5 + 20 * 3000) / 4)


def test_groups_of_one_name_are_added_up() -> None:
    one = Group("a", measured(np.array([200.0, 400.0])), 10, 30_000)
    told = forecast([one, one], cost=cost)
    assert told.calls.point == pytest.approx(20) and told.by_group["a"] == forecast([one, one], cost=cost).by_group["a"]
    assert told.by_group["a"].cost == told.cost


def test_what_nothing_was_measured_for_has_no_forecast() -> None:
    with pytest.raises(ValueError, match="without a finished call"):
        forecast([Group("a", [], 10, 1000)], cost=cost)
    with pytest.raises(ValueError, match="no unit of the pilot"):
        forecast([Group("a", measured(np.ones(3)), units_waiting=10)], cost=cost)


def test_nothing_waits_and_nothing_costs() -> None:
    done = forecast([Group("a", measured(np.full(5, 300.0)))], cost=cost)
    assert done.cost == done.calls == Range(0, 0, 0) and not done.by_group
    free = forecast([Group("a", measured(np.full(5, 300.0)), 10, 30_000)], cost=lambda i, o: 0 * i)
    assert free.cost == Range(0, 0, 0) and free.tokens_out.point == 3000
    lost = forecast([Group("a", [Measured(3000, 0, 0, 0.0)] * 5, 10, 30_000)], cost=cost)
    assert lost.cost == Range(0, 0, 0) and lost.calls.point == 10 and "no tokens were counted" in str(lost)


def test_the_line_says_what_matters() -> None:
    group = Group("a", [Measured(3000, 1000, n, 9.0) for n in (200, 400, 600) * 7], 980, 980 * 3000)
    told = forecast([group], cost=cost, pace=Pace(12))
    told = replace(told, minutes=Range(9, 12.2, 16), cost=Range(2.4, 3.1, 4.2))
    assert str(told) == (
        "forecast from 21 calls, with 90 % ranges: 980 calls more, 0.98 M tokens in, 0.39 M out, "
        "12 minutes (9 to 16), cost 3.10 (2.40 to 4.20)"
    )


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.lists(st.integers(0, 100_000), max_size=5), min_size=1, max_size=4).filter(any),
    waiting=st.integers(0, 10_000),
    calls=st.integers(0, 4),
)
def test_ranges_are_finite_and_hold_their_point(lengths: list[list[int]], waiting: int, calls: int) -> None:
    groups = [
        Group(str(k), [Measured(500, 120, n, n / 50, calls) for n in own], waiting, 500 * waiting)
        for k, own in enumerate(lengths)
    ]
    if not calls:
        return
    told = forecast(groups, cost=cost)
    for amount in (told.calls, told.tokens_in, told.tokens_out, told.minutes, told.cost):
        assert 0 <= amount.low <= amount.point <= amount.high < float("inf")


@given(
    groups=st.lists(st.sampled_from("abcd"), max_size=300),
    share=st.floats(0, 1),
    calls=st.integers(0, 400),
    seed=st.integers(0, 9),
)
def test_the_pilot_takes_of_each_group_its_share(groups: list[str], share: float, calls: int, seed: int) -> None:
    places = pilot_of(groups, share, calls, seed)
    size = min(len(groups), max(calls, int(np.ceil(share * len(groups)))))
    assert len(places) == len(set(places)) == size and places == sorted(places)
    assert places == pilot_of(groups, share, calls, seed)
    sizes, got = Counter(groups), Counter(groups[place] for place in places)
    if size >= len(sizes):
        assert set(got) == set(sizes)
        assert all(abs(got[name] - size * n / len(groups)) < len(sizes) for name, n in sizes.items())


def test_another_seed_is_another_pilot() -> None:
    assert pilot_of(["a"] * 1000, 0.01, 20, 0) != pilot_of(["a"] * 1000, 0.01, 20, 1)
    assert pilot_of([], 0.01, 20, 0) == [] == pilot_of(["a"] * 5, 0.0, 0, 0)
