"""K-QA: what patients asked online, and what physicians say that an answer must and should say."""

from __future__ import annotations

from collections.abc import Iterator

from med_small_lm.benchmarks.defects import EMPTY_CLAIM, defect
from med_small_lm.benchmarks.releases import Found, Record, Release, Unusable, by_record
from med_small_lm.benchmarks.task import TEST, UNLABELLED, Task
from med_small_lm.schemas.rows import Question


def _read(release: Release) -> Iterator[Found]:
    """The questions; those of a file in which physicians answered none are of split ``unlabelled``."""
    answered = {one.file for one in release.records() if isinstance(one, Record) and one.has("Must_have")}
    yield from by_record(lambda record: _question(record, answered=record.file in answered))(release)


def _question(record: Record, *, answered: bool) -> Question:
    if answered and not record.has("Must_have"):
        raise Unusable("no field Must_have, which others of the file have")
    told = [_claims(record, name) for name in ("Must_have", "Nice_to_have")]
    must_have, nice_to_have = ([one for one in claims if one] for claims in told)
    empty = sum(not one for claims in told for one in claims)
    return Question(
        record.id(), "k_qa", TEST if answered else UNLABELLED, "open", record.text("Question"), [], [],
        record.told("Free_form_answer"), must_have=must_have, nice_to_have=nice_to_have,
        subject=record.told("ICD_10_diag"), gates=[defect(EMPTY_CLAIM, f"{empty} of its statements")] if empty else [],
    )  # fmt: skip


def _claims(record: Record, name: str) -> list[str]:
    told = record.listed(name)
    if not all(isinstance(one, str) for one in told):
        raise Unusable(f"the field {name} is no list of texts")
    return [one.strip() for one in told]


K_QA = Task(
    name="k_qa",
    title="K-QA",
    source="https://github.com/Itaymanes/K-QA",
    licence="MIT",
    split="test: the questions that physicians answered",
    version="2024",
    n=201,
    takes="`questions_w_answers.jsonl` (Question, Free_form_answer, Must_have, Nice_to_have), or its folder",
    read=_read,
    metric="claims",
    forms=(("Question",),),
    files=("*.jsonl",),
    sha256={
        "questions_w_answers.jsonl": "1d4204665e2c9e50c3c348b8ad1de2ddf5d90205c3efaea0eb38135192272c6f",
        "questions.jsonl": "8038e1f0a173ffcbf918de3d7161e09d16c6ef77252d54995d0ffe6b07770887",
    },
    defects=("892 statements that an answer must have, 3 of them empty, and 697 that are nice to have",),
)
