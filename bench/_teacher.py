"""What the scripts about the teacher share: the endpoint in a process of its own, requests, figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from med_small_lm.schemas.rows import Message
from med_small_lm.teacher.requests import Request

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n"],
    "properties": {"n": {"type": "integer"}},
}
_FACT = "Breathlessness when lying flat is an early sign of failure of the left ventricle of the heart."


def environment() -> dict[str, str]:
    """The environment of a process that runs this project's code on one core."""
    return os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


@dataclass
class Endpoint:
    """The tests' endpoint in a process of its own."""

    url: str

    def asked(self, what: str) -> Any:
        """What a control address says: "counts" or "served"."""
        address = self.url.removesuffix("/v1") + "/control/" + what
        with urllib.request.urlopen(address, timeout=60) as response:
            return json.load(response)

    def counts(self) -> dict[str, Any]:
        """The sums of what was served."""
        return dict(self.asked("counts"))

    def served(self) -> list[dict[str, Any]]:
        """A row for each request for a completion."""
        return list(self.asked("served"))


@contextmanager
def endpoint(**config: Any) -> Iterator[Endpoint]:
    """Run the tests' endpoint (tests/teacher/server.py) with the fields of its ``Config``."""
    command = [sys.executable, "-m", "tests.teacher.server", "--config", json.dumps(config)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Endpoint((process.stdout or sys.stdin).readline().strip())
        finally:
            process.kill()


def short_request(number: int, sample: int = 0) -> Request:
    """A request of a line whose reply is ``{"n": number}``."""
    message = Message("user", f"Reply with number {number}.")
    return Request("question", {"temperature": 0.7, "max_tokens": 64}, (message,), SCHEMA, {}, sample)


def question_request(number: int) -> Request:
    """A request of some 1,500 characters with the schema of conf/base/prompts/question.yml."""
    passage = f"Patient number {number}. " + " ".join([_FACT] * 15)
    messages = (Message("system", "You write multiple-choice questions for examinations."), Message("user", passage))
    return Request("question", {"temperature": 0.7, "max_tokens": 1024}, messages, QUESTION)


QUESTION: dict[str, Any] = yaml.safe_load((ROOT / "conf/base/prompts/question.yml").read_text(encoding="utf-8"))[
    "schema"
]
