"""The published figures: each cell with its source, checked for being a count, generations apart."""

from __future__ import annotations

from collections import Counter

import pytest

from med_small_lm.benchmarks.literature import AVERAGES, Published, averaged, impossible, literature
from med_small_lm.benchmarks.tasks import known_tasks
from med_small_lm.schemas.rows import Question

ROWS = literature()


def test_every_cell_says_where_it_comes_from() -> None:
    for row in ROWS:
        assert 0 < row.share < 1 and row.source and row.split and row.mode and row.aggregation, row
        assert row.told in ("read", "second hand")
        assert row.benchmark in known_tasks() or row.benchmark in AVERAGES, row.benchmark
    cells = Counter((r.system, r.generation, r.model, r.benchmark, r.subset, r.source, r.aggregation) for r in ROWS)
    assert max(cells.values()) == 1


def test_generations_of_one_system_stay_apart() -> None:
    told = {row.generation for row in ROWS if row.system == "Meerkat"}
    assert told == {"v1", "v2", "npj"}
    assert all(row.benchmark == "mean of six exams" for row in ROWS if row.generation == "npj")


def test_cells_that_no_whole_number_gives() -> None:
    found = impossible(ROWS)
    medqa = {row.value for row in found if row.benchmark == "medqa"}
    assert medqa == {"49.32", "54.43", "56.36", "30.85", "33.93"}
    assert {row.value for row in found if row.benchmark == "medmcqa"} == {"54.56"}
    assert {row.value for row in found if row.benchmark == "medbullets_4"} == {"51.1", "58.7"}
    steps = Counter(row.model for row in ROWS if row.system == "MedAlpaca" and row.is_possible)
    assert [model for model, n in steps.items() if n == 3] == ["MedAlpaca-30B LoRA-8bit"]
    # A reading of a mean, or where n is not told, is no finding.
    assert not [row for row in found if "mean of" in row.aggregation or not row.n]


@pytest.mark.parametrize(
    ("value", "n", "aggregation", "possible", "check"),
    [
        ("50.0", 4, "single run", True, "2 of 4"),
        ("49.0", 4, "single run", False, "no whole number gives this"),
        ("49.0", 4, "mean of 3 seeds", True, "cannot be checked: mean of 3 seeds"),
        ("49.0", 0, "single run", True, "cannot be checked: n is not told"),
        ("49.0", 5_000, "single run", True, "cannot be checked: too few digits"),
    ],
)
def test_check(value: str, n: int, aggregation: str, possible: bool, check: str) -> None:
    row = Published("s", "g", "m", "b", "all", value, n, "test", "mode", aggregation, "source", "read", "")
    assert row.is_possible == possible and check in row.check


def test_only_the_benchmarks_asked_for() -> None:
    assert {row.benchmark for row in literature(["medqa"])} == {"medqa"}


def test_an_average_is_taken_where_all_its_exams_are_there() -> None:
    def exam(task: str) -> list[Question]:
        return [Question(f"{task}-1", "mine", "test", "single", "What?", [], [], "", method=task)]

    exams = {"a": exam("medqa"), "b": exam("medmcqa"), "c": exam("pubmedqa_1k"), "d": exam("")}
    assert averaged(exams) == {"mean of three exams": ["a", "b", "c"]}
    assert averaged({"a": exams["a"]}) == {}


def test_an_average_that_its_own_cells_do_not_give_is_told() -> None:
    (one,) = (row for row in ROWS if row.value == "64.43")
    cells = [
        row.share
        for row in ROWS
        if (row.model, row.system) == (one.model, one.system) and row.benchmark in AVERAGES[one.benchmark]
    ]
    assert round(100 * sum(cells) / 3, 2) == 63.43 and "63.43" in one.note
