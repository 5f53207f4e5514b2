"""MedXpertQA, its text subset: questions of specialty boards, of ten options."""

from __future__ import annotations

from med_small_lm.benchmarks.choices import keyed, right_key, split_choices, text_of
from med_small_lm.benchmarks.releases import Record, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question


def _question(record: Record) -> Question:
    options = keyed(record.fields.get("options"))
    key = right_key(options, record.told("label"))
    stem, _ = split_choices(record.text("question"))  # the release's question lists its options too
    return Question(
        record.id(record.told("id")), "medxpertqa", record.split, "single", stem, options, [key], text_of(options, key),
        subject=record.told("body_system"),
    )  # fmt: skip


MEDXPERTQA = Task(
    name="medxpertqa",
    title="MedXpertQA, text",
    source="https://github.com/TsinghuaC3I/MedXpertQA",
    licence="MIT",
    split="test; dev as exemplars",
    version="2025-01, Text",
    n=2_450,
    takes="`Text/{dev,test}.jsonl` (id, question, options, label, medical_task, body_system)",
    read=by_record(_question),
    forms=(("id", "question", "options", "label"),),
    files=("!mm/*", "!*/mm/*", "*"),
    unverified=("n: told of its card by others, 2.45k",),
    defects=("one paper trained on a part of it: 1,450 of the 2.45k were left for testing",),
)
