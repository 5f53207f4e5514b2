"""JAMA Clinical Challenge: cases of a journal, for those who have them: their text is not for redistribution."""

from __future__ import annotations

from med_small_lm.benchmarks.choices import at_odds, explained, lettered, right_key, text_of
from med_small_lm.benchmarks.releases import Record, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question

_LETTERED = ("opa", "opb", "opc", "opd")


def _question(record: Record) -> Question:
    options, answer = lettered([record.fields.get(name) for name in _LETTERED]), record.told("answer")
    key = right_key(options, record.told("answer_idx"), answer)
    return Question(
        record.id(), "jama_clinical_challenge", record.split, "single", record.text("question"), options, [key],
        text_of(options, key), quotes=explained(key, record.told("explanation")), subject=record.told("field"),
        gates=at_odds(options, key, answer),
    )  # fmt: skip


JAMA_CLINICAL_CHALLENGE = Task(
    name="jama_clinical_challenge",
    title="JAMA Clinical Challenge",
    source="https://github.com/HanjieChen/ChallengeClinicalQA",
    licence="JAMA's: not for redistribution",
    split="test: there is no other",
    version="2024",
    n=1_524,
    takes="`jama_raw.csv` or `jama_raw.json` of the scraper (link, question, opa to opd, answer_idx, answer)",
    read=by_record(_question),
    forms=(("question", *_LETTERED, "answer_idx"),),
    files=("*jama_raw.csv", "*jama_raw.json"),
    unverified=("n: the links are 1,524, and Meerkat's first version scored 1,511 to 1,524 of them",),
    defects=("what can still be fetched decides the number: report it beside every score",),
)
