"""MMLU-Pro's category health: questions of up to ten options."""

from __future__ import annotations

from med_small_lm.benchmarks.choices import lettered, right_key, text_of
from med_small_lm.benchmarks.releases import PassedOver, Record, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question


def _question(record: Record) -> Question:
    category = record.text("category").lower()
    if category != "health":
        raise PassedOver(category)
    options = lettered(record.fields.get("options"))
    key = right_key(options, record.told("answer"))
    return Question(
        record.id(record.told("question_id")), "mmlu_pro_health", record.split, "single", record.text("question"),
        options, [key], text_of(options, key), subject=record.told("src"),
    )  # fmt: skip


MMLU_PRO_HEALTH = Task(
    name="mmlu_pro_health",
    title="MMLU-Pro, health",
    source="https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    licence="MIT",
    split="test; validation as exemplars",
    version="2024-07",
    n=818,
    takes="Parquet or JSON of the release (question_id, question, options, answer, category), of which health is taken",
    read=by_record(_question),
    unit="mmlu",
    forms=(("question", "options", "answer", "category"),),
    files=("data/*", "*"),
    unverified=("n: its card tells 12,032 of all categories",),
    defects=("health and law have 159 duplicates between them, which its makers kept",),
)
