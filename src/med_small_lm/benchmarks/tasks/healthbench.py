"""HealthBench: conversations on health, each with the criteria of physicians for the next reply."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from med_small_lm.benchmarks.releases import Record, Unusable, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Criterion, Message, Question

_ROLES = ("system", "user", "assistant")
_THEME = "theme:"


def _question(record: Record) -> Question:
    *turns, last = [_turn(one) for one in _held(record, "prompt")]
    if last.role != "user":
        raise Unusable("the conversation does not end with the user's turn")
    tags = [str(tag) for tag in record.listed("example_tags")]
    ideal = record.fields.get("ideal_completions_data")
    told = ideal.get("ideal_completion") if isinstance(ideal, Mapping) else None
    return Question(
        record.id(record.told("prompt_id")), "healthbench", "test", "open", last.content, [], [], str(told or ""),
        rubric=[_criterion(one) for one in _held(record, "rubrics")], turns=turns,
        subject=next((tag.removeprefix(_THEME) for tag in tags if tag.startswith(_THEME)), ""),
    )  # fmt: skip


def _held(record: Record, name: str) -> Sequence[Any]:
    if not (held := record.listed(name)):
        raise Unusable(f"no {name}")
    return held


def _turn(told: Any) -> Message:
    if not isinstance(told, Mapping) or told.get("role") not in _ROLES or not isinstance(told.get("content"), str):
        raise Unusable("a turn has no known role, or no text")
    return Message(told["role"], told["content"])


def _criterion(told: Any) -> Criterion:
    if not isinstance(told, Mapping) or not isinstance(text := told.get("criterion"), str) or not text.strip():
        raise Unusable("a criterion has no text")
    points, tags = told.get("points"), told.get("tags") or []
    if not isinstance(points, int | float) or isinstance(points, bool) or not abs(points) <= sys.float_info.max:
        raise Unusable("a criterion has no points")
    if not isinstance(tags, list):
        raise Unusable("a criterion's tags are no list")
    return Criterion(text.strip(), float(points), [str(tag) for tag in tags])


HEALTHBENCH = Task(
    name="healthbench",
    title="HealthBench",
    source="https://github.com/openai/simple-evals",
    licence="MIT",
    split="all: there is no other",
    version="2025-05-07",
    n=5_000,
    takes="`2025-05-07-06-14-12_oss_eval.jsonl` (prompt_id, prompt, rubrics, example_tags), or examples as JSON",
    read=by_record(_question),
    unit="healthbench",
    metric="rubric",
    forms=(("prompt", "rubrics"),),
    files=("!*meta_eval*", "!*consensus_*", "!*hard_*", "*oss_eval*"),
    defects=("points may be negative; a score is clipped to 0 and 1 over the set, not by question",),
)

HEALTHBENCH_HARD = replace(
    HEALTHBENCH,
    name="healthbench_hard",
    title="HealthBench, the hard subset",
    split="the hard subset",
    version="2025-05-08",
    n=1_000,
    takes="`hard_2025-05-08-21-00-10.jsonl`",
    files=("*hard_*",),
    unverified=("n",),
)

HEALTHBENCH_CONSENSUS = replace(
    HEALTHBENCH,
    name="healthbench_consensus",
    title="HealthBench, the criteria that physicians agree on",
    split="the consensus subset",
    version="2025-05-09",
    n=3_671,
    takes="`consensus_2025-05-09-20-00-46.jsonl`",
    files=("*consensus_*",),
    unverified=("n",),
)
