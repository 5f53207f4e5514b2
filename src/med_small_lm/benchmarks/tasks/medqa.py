"""MedQA: questions in the style of the United States Medical Licensing Examination, with four and with five options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from med_small_lm.benchmarks.choices import at_odds, keyed, right_key, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, Unusable, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question


def _reader(n: int) -> Callable[[Release], Iterator[Found]]:
    def question(record: Record) -> Question:
        options = keyed(record.fields.get("options"))
        if len(options) != n:
            raise Unusable(f"{len(options)} options, not {n}: the release has a file of each")
        answer = record.told("answer")
        key = right_key(options, record.told("answer_idx"), answer)
        return Question(
            record.id(), "medqa", record.split, "single", record.text("question"), options, [key],
            text_of(options, key), subject=record.told("meta_info"), gates=at_odds(options, key, answer),
        )  # fmt: skip

    return by_record(question)


MEDQA = Task(
    name="medqa",
    title="MedQA-USMLE, four options",
    source="https://github.com/jind11/MedQA",
    licence="MIT",
    split="test",
    version="2020, US/4_options",
    n=1_273,
    takes="`phrases_no_exclude_{train,dev,test}.jsonl` (question, options, answer, answer_idx), or their folder",
    read=_reader(4),
    unit="medqa",
    pass_mark=(0.6, "Meerkat's paper, of the USMLE; PMC-LLaMA's table says 50 % of MedQA"),
    forms=(("question", "options", "answer_idx"),),
    files=("!*qbank*", "!*metamap*", "*"),
    sha256={"test.jsonl": "b0536be0ff396be91eb0cf61a42056b0abef06a23e7e8be491d62fd959b77b72"},
    defects=("right letters A, B, C, D: 353, 309, 346, 265, so always A is right in 27.7 %",),
)

MEDQA_5OPTIONS = replace(
    MEDQA,
    name="medqa_5options",
    title="MedQA-USMLE, five options",
    version="2020, US",
    read=_reader(5),
    takes="`US/{train,dev,test}.jsonl` (question, options, answer, answer_idx), or their folder",
    files=("!*4_options/*", "!*qbank*", "!*metamap*", "*"),
    sha256={"test.jsonl": "cfa75cbcc53c29b023752b0a395ff49d8202121041392735ae44771a5ec734a3"},
    defects=(
        "the questions of the release with four options, their options shuffled independently: never join by letter",
    ),
)
