"""The published figures: each cell with its source, checked for being a count, generations apart."""

from __future__ import annotations

from collections import Counter

import pytest

from med_small_lm.benchmarks.literature import AVERAGES, Published, averaged, by_subject, impossible, literature
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
    npj = [row for row in ROWS if row.generation == "npj"]
    assert {(row.benchmark, row.mode, row.runs) for row in npj} == {("mean of six exams", "not told", "not told")}


def test_nothing_is_said_of_runs_and_numbers_that_nobody_tells() -> None:
    single = {row.system for row in ROWS if row.runs == "single run"}
    assert single == {"Meerkat", "MedAlpaca"}
    assert {row.n for row in ROWS if row.system == "Med42"} == {0}


def test_cells_that_no_whole_number_gives() -> None:
    found = impossible(ROWS)
    medqa = {row.value for row in found if row.benchmark == "medqa"}
    assert medqa == {"49.32", "54.43", "56.36", "30.85", "33.93"}
    assert {row.value for row in found if row.benchmark == "medmcqa"} == {"54.56"}
    assert {row.value for row in found if row.benchmark == "medbullets_4"} == {"51.1", "58.7"}
    steps = Counter(row.model for row in ROWS if row.system == "MedAlpaca" and row.is_possible)
    assert [model for model, n in steps.items() if n == 3] == ["MedAlpaca-30B LoRA-8bit"]
    mmlu = [row for row in ROWS if row.benchmark == "mmlu_medical"]
    assert {row.n for row in mmlu if row.subset == "subject=medical_genetics"} == {100} and len(mmlu) == 31
    assert not [row for row in found if row in mmlu and row.subset == "all"]
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


def test_the_exams_that_stand_by_the_mean_of_their_subjects() -> None:
    told = {name: [Question("q", "mine", "test", "single", "?", [], [], "", method=name)] for name in
            ("medqa", "mmlu_medical", "usmle_sample")}  # fmt: skip
    assert by_subject(told) == ["mmlu_medical", "usmle_sample"]


def test_a_mean_is_checked_against_its_cells() -> None:
    """Whichever average a publication tells, beside the cells that it tells."""
    found = {(one.generation, one.model, one.benchmark): f"{one.value} {one.of_cells:.2f}"
             for one in ROWS if not one.is_its_mean}  # fmt: skip
    assert found == {
        ("v2", "GPT-4", "mean of six exams"): "75.2 76.60",
        ("v2", "GPT-3.5", "mean of six exams"): "54.1 54.80",
        ("v2", "MediTron-7B", "mean of six exams"): "50.8 51.00",
        ("v2", "BioMistral-7B", "mean of six exams"): "54.4 55.40",
        ("v2", "Meerkat-7B", "mean of six exams"): "62.4 63.93",
        ("v2", "BioMistral-7B", "mmlu_medical"): "64.6 59.08",
        ("paper", "PMC-LLaMA-13B", "mean of three exams"): "64.43 63.43",
        ("paper", "MediTron-7B", "mean of five exams"): "57.5 57.82",
    }
    told = {one.value: one.check for one in ROWS if one.cells}
    assert told["64.43"] == "63.43 % is the mean of its 3 cells" and told["70.5"] == "the mean of its 6 cells"
    assert told["85.0"] == told["54.97"] == "the mean of its 3 cells"
    (sampled,) = (one for one in ROWS if one.value == "64.2" and one.benchmark in AVERAGES)
    assert not sampled.cells and sampled.check.startswith("cannot be checked")
