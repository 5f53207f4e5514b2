"""The keys of endpoints that are evaluated, and what stops a run that could not ask them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from med_small_lm import paid
from med_small_lm.datasets.teacher import EndpointsDataset
from med_small_lm.errors import UserError
from med_small_lm.paid import check_candidates
from med_small_lm.pipelines.evaluate import create_pipeline

FAR = {"model": "m", "base_url": "https://far.org/v1", "price_in": 1, "price_out": 1}


def opened(tmp_path: Path, credentials: Any = None) -> EndpointsDataset:
    return EndpointsDataset(filepath=str(tmp_path / "ledger.sqlite"), credentials=credentials)


def checked(tmp_path: Path, candidates: Any, credentials: Any = None) -> None:
    """Check a pipeline that evaluates these candidates."""
    catalog = DataCatalog(
        {
            "endpoints": opened(tmp_path, credentials),
            "params:evaluate": MemoryDataset({"candidates": candidates}, copy_mode="assign"),
        }
    )
    check_candidates(Pipeline([Node(lambda endpoints: None, "endpoints", "made", name="predict")]), catalog)


def test_each_candidate_has_its_own_key(tmp_path: Path) -> None:
    access = opened(tmp_path, {"far": {"api_key": "sk-1"}, "near": {"api_key": 7}}).load()
    assert (access.of("far").api_key, access.of("near").api_key, access.of("other").api_key) == ("sk-1", "7", None)
    assert "sk-1" not in repr(access) and access.of("far").ledger == tmp_path / "ledger.sqlite"
    assert opened(tmp_path).exists()  # a run needs none of it to begin


@pytest.mark.parametrize("wrong", ["sk-1", {"far": "sk-1"}, {"far": {"key": "sk-1"}}])
def test_keys_that_are_written_wrongly(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="endpoints: {NAME: {api_key: KEY}}") as told:
        opened(tmp_path, wrong)
    assert "sk-1" not in str(told.value)


def test_an_endpoint_without_a_key_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"evaluate.candidates.far: there is no key for far.org: .* endpoints: \{far:"):
        checked(tmp_path, {"far": {"endpoint": FAR}})
    checked(tmp_path, {"far": {"endpoint": FAR}}, {"far": {"api_key": "sk-1"}})
    checked(tmp_path, {"far": {"endpoint": FAR | {"allow_hosts": ["far.org"]}}})
    checked(tmp_path, {"near": {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}}})


def test_a_candidate_is_kept_to_exams_that_are_scored(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(paid, "pipelines", {"evaluate": create_pipeline(["medqa"])})
    near = {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}}
    checked(tmp_path, {"near": near | {"exams": ["medqa", "book_exam"]}})
    with pytest.raises(UserError, match=r"candidates.near.exams: no exam 'k_qa' is scored; there are .*medqa"):
        checked(tmp_path, {"near": near | {"exams": ["medqa", "k_qa"]}})


def test_a_model_that_is_not_here_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nobody/no-such-model of the hub is not in the local cache"):
        checked(tmp_path, {"other": {"model": "nobody/no-such-model"}})
