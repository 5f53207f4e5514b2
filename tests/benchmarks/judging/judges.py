"""Judges whose verdicts are written down beforehand, behind the teacher's tests' own endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.teacher.endpoint import Answer, Endpoint, serving

from med_small_lm.benchmarks.judging.asking import ASKED, Ask
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.teacher.client import open_teacher
from med_small_lm.teacher.prompts import Prompt

ROOT = Path(__file__).parents[3]
Key = tuple[str, str]
"""What is asked ("entails"), and the statement or the texts that stand last in the prompt."""


def prompts() -> dict[str, Prompt]:
    """The project's own prompts by what they ask."""
    files = {what: ROOT / f"conf/base/prompts/judge_{what}.yml" for what in ASKED}
    return {what: Prompt.parse(yaml.safe_load(file.read_text("utf-8"))) for what, file in files.items()}


def saying(verdicts: Mapping[Key, Any], otherwise: Any = False) -> Callable[[dict[str, Any], int], Answer]:
    """A judge that gives each question its verdict: an object with it, or, where it is an ``Answer``, that."""

    def decide(body: dict[str, Any], _: int) -> Answer:
        what = body["response_format"]["json_schema"]["name"].removeprefix("judge_")
        asked = next(turn["content"] for turn in body["messages"] if turn["role"] == "user")
        found = [told for (name, text), told in verdicts.items() if name == what and asked.endswith(f"\n{text}")]
        told = found[0] if found else otherwise
        return told if isinstance(told, Answer) else Answer(json.dumps({"why": "So it reads.", "verdict": told}))

    return decide


@contextmanager
def judge_at(
    decide: Callable[[dict[str, Any], int], Answer], ledger: Path, **params: Any
) -> Iterator[tuple[Ask, Endpoint]]:
    """What asks a judge over HTTP through the teacher's client and ledger, and the endpoint that was asked."""
    with serving(decide) as endpoint:
        told = {
            "model": "judge",
            "base_url": endpoint.url,
            "structured": "json_schema",
            "concurrency": 4,
            "backoff": 0.01,
            **params,
        }
        teacher = open_teacher(TeacherParams.model_validate(told), ledger)
        try:
            yield teacher.ask_all, endpoint
        finally:
            teacher.close()
