"""PubMedQA: what an abstract without its conclusion answers, yes, no or maybe. The abstract stands in the prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from med_small_lm.benchmarks.choices import explained, lettered, right_key
from med_small_lm.benchmarks.releases import Found, Record, Release, Unusable, by_record, visible
from med_small_lm.benchmarks.task import DEV, TEST, Task
from med_small_lm.schemas.rows import Question

_ANSWERS = ("yes", "no", "maybe")
_FOLD = "test_ground_truth.json"
"""The ids of the 500 questions that are the test fold; the other 500 of PQA-L are for training or exemplars."""


def _read(release: Release) -> Iterator[Found]:
    """PQA-L's test fold, and the other labelled questions as ``dev``; of a file of the fold alone, all of it."""
    fold = _fold(release)
    yield from by_record(_asked(lambda record, id_: record.split if not fold else TEST if id_ in fold else DEV))(
        release
    )


def _read_all(release: Release) -> Iterator[Found]:
    """All of PQA-L as ``test``."""
    yield from by_record(_asked(lambda record, id_: TEST))(release)


def _asked(split_of: Callable[[Record, str], str]) -> Callable[[Record], Question]:
    def question(record: Record) -> Question:
        id_ = record.told("_key") or record.told("pubid")
        options = lettered(_ANSWERS)
        answer, why = record.told("final_decision").lower(), record.told(_name(record, "LONG_ANSWER"))
        key = right_key(options, "", answer)
        return Question(
            record.id(id_), "pubmedqa", split_of(record, id_), "yes_no", record.text(_name(record, "QUESTION")),
            options, [key], answer, context=_context(record), quotes=explained(key, why),
        )  # fmt: skip

    return question


def _name(record: Record, name: str) -> str:
    """A field's name in the release's JSON, or in lower case, as the hub has it."""
    return name if record.has(name) else name.lower()


def _context(record: Record) -> str:
    held: Any = record.fields.get("CONTEXTS", record.fields.get("context"))
    parts = held.get("contexts") if isinstance(held, Mapping) else held
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts) or not parts:
        raise Unusable("no context")
    return "\n".join(parts)


def _fold(release: Release) -> frozenset[str]:
    """The ids of the test fold, in or beside the release; none where they are not there.

    Raises:
        ValueError: The file holds no ids.
    """
    beside = visible(release.path) if release.path.is_dir() else release.path.parent.glob(_FOLD)
    if not (file := next((one for one in beside if one.name == _FOLD), None)):
        return frozenset()
    held = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(held, Mapping) or not held:
        raise ValueError(f"{file.name} holds no object of answers by id")
    return frozenset(held)


def _fault(release: Release) -> str:
    """What is wrong with the file of the test fold, without which every question would be of it."""
    try:
        _fold(release)
    except (OSError, ValueError, RecursionError) as error:
        return f": {_FOLD} does not name the test fold: {error}"
    return ""


PUBMEDQA = Task(
    name="pubmedqa",
    title="PubMedQA, the test fold of PQA-L",
    source="https://github.com/pubmedqa/pubmedqa",
    licence="MIT",
    split="test: the 500 of PQA-L that `test_ground_truth.json` names",
    version="2019, PQA-L",
    n=500,
    takes="`ori_pqal.json` with `test_ground_truth.json` in or beside the folder, or `test_set.json`",
    read=_read,
    fault=_fault,
    unit="pubmedqa",
    forms=(("QUESTION", "CONTEXTS", "final_decision"), ("question", "context", "final_decision")),
    files=("!*test_ground_truth*", "!*pqal_fold*", "!*ori_pqaa*", "!*ori_pqau*", "!*artificial*", "!*unlabeled*", "*"),
    splits={"test": TEST, "dev": DEV},
    sha256={"ori_pqal.json": "8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d"},
    defects=(
        "three sets bear this name: PQA-L's 1,000, its test fold of 500, and those without their context",
        "the hub's copy does not name the test fold: put `test_ground_truth.json` beside a local copy",
    ),
)

PUBMEDQA_1K = replace(
    PUBMEDQA,
    name="pubmedqa_1k",
    title="PubMedQA, all of PQA-L",
    split="all of PQA-L, as PMC-LLaMA was tested",
    n=1_000,
    takes="`ori_pqal.json`",
    read=_read_all,
    fault=None,
    defects=PUBMEDQA.defects[:1],
)
