"""FrenchMedMCQA: examinations of French pharmacists, of five options, one or several of them right."""

from __future__ import annotations

import re
from collections.abc import Mapping

from med_small_lm.benchmarks.choices import keyed, right_key, text_of
from med_small_lm.benchmarks.releases import Record, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question


def _question(record: Record) -> Question:
    held = record.fields.get("answers")
    options = keyed(
        held if isinstance(held, Mapping) else {key: record.fields.get(f"answers.{key}") for key in "abcde"}
    )
    keys = sorted({right_key(options, key) for key in re.split(r"[;|,\s]+", record.told("correct_answers"))})
    single = record.told("type") == "simple" or (not record.told("type") and len(keys) == 1)
    return Question(
        record.id(record.told("id")), "frenchmedmcqa", record.split, "single" if single else "multi",
        record.text("question"), options, keys, "; ".join(text_of(options, key) for key in keys), language="fr",
        subject=record.told("subject_name"),
    )  # fmt: skip


FRENCHMEDMCQA = Task(
    name="frenchmedmcqa",
    title="FrenchMedMCQA",
    source="https://github.com/qanastek/FrenchMedMCQA",
    licence="Apache-2.0",
    split="test",
    version="2022",
    n=622,
    takes="`{train,dev,test}.json` (id, question, answers a to e, correct_answers, type), or its CSV",
    read=by_record(_question),
    language="fr",
    metric="multi_select",
    forms=(("question", "answers", "correct_answers"), ("question", "answers.a", "correct_answers")),
    defects=("what its code calls Hamming score is Jaccard: predicted and right over predicted or right",),
)
