"""For which open exams a run needs a judge before it begins."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from tests.test_judge_commands import OPEN

from med_small_lm.datasets.benchmark import BenchmarkDataset
from med_small_lm.errors import UserError
from med_small_lm.paid import check_judge

PIPELINE = Pipeline(
    [
        Node(lambda found: found, "evaluate.mine.questions", "exam_items", name="gather_items"),
        Node(lambda items: items, "exam_items", "judgements", name="judge_predictions"),
    ]
)
NEAR = {"endpoint": {"model": "m", "base_url": "http://127.0.0.1:1/v1"}}
ELSEWHERE = NEAR | {"exams": ["medqa"]}


@pytest.mark.parametrize(
    ("evaluate", "text", "is_asked"),
    [
        ({}, "What helps?", True),
        ({"models": (), "candidates": {"far": ELSEWHERE}}, "What helps?", False),
        ({"models": (), "candidates": {"far": ELSEWHERE, "near": NEAR}}, "What helps?", True),
        ({"candidates": {"far": ELSEWHERE}, "judge": {"pairs": [["far", "tuned"]]}}, "", False),
        ({"judge": {"pairs": [["tuned", "base"]]}}, "", True),
        ({"modes": ("likelihood",)}, "What helps?", False),
    ],
    ids=["all answer", "nobody answers", "one answers", "pair apart", "pair", "nothing is written"],
)
def test_a_judge_is_needed_where_somebody_answers(evaluate: Any, text: str, is_asked: bool, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps(OPEN | {"must_have": [text] if text else []}) + "\n", encoding="utf-8")
    made = {"params:evaluate": evaluate, "params:teacher": {"model": "builtin"}, "teacher": object()}
    catalog = DataCatalog(
        {"evaluate.mine.questions": BenchmarkDataset(filepath=str(file), exam="mine")}
        | {name: MemoryDataset(value, copy_mode="assign") for name, value in made.items()}
    )
    refused = pytest.raises(UserError, match="mine has open questions: the built-in teacher judges no answers")
    with refused if is_asked else nullcontext():
        check_judge(PIPELINE, catalog)
