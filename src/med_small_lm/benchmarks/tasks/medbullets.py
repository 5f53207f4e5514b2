"""Medbullets: questions of a study site for USMLE Steps 2 and 3, with four and with five options."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from med_small_lm.benchmarks.choices import at_odds, explained, lettered, right_key, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Question

_LETTERED = ("opa", "opb", "opc", "opd", "ope")


def _read(release: Release) -> Iterator[Found]:
    """The questions, named after their links: the two releases stand in different orders, their options too."""
    links = Counter[tuple[str, str]]()

    def question(record: Record) -> Question:
        own = _name(record.told("link"))
        links[record.place, own] += bool(own)
        if (times := links[record.place, own]) > 1:
            own = f"{own}-{times}"
        options = [one for one in lettered([record.told(name) for name in _LETTERED]) if one.text]
        answer = record.told("answer")
        key = right_key(options, record.told("answer_idx"), answer)
        return Question(
            record.id(own), "medbullets", record.split, "single", record.text("question"), options, [key],
            text_of(options, key), quotes=explained(key, record.told("explanation")),
            gates=at_odds(options, key, answer),
        )  # fmt: skip

    yield from by_record(question)(release)


def _name(link: str) -> str:
    """What tells a link from the others: its last number, else its last part."""
    numbers = re.findall(r"\d+", link)
    return numbers[-1] if numbers else link.rstrip("/").rpartition("/")[2]


MEDBULLETS_4 = Task(
    name="medbullets_4",
    title="Medbullets, four options",
    source="https://github.com/HanjieChen/ChallengeClinicalQA",
    licence="unknown: its repository tells none",
    split="test: the release has no other",
    version="2024",
    n=308,
    takes="`medbullets_op4.json` (columns link, question, opa to opd, answer_idx, answer, explanation), or its CSV",
    read=_read,
    unit="medbullets",
    forms=(("question", "opa", "opb", "opc", "opd", "answer_idx"),),
    files=("*op4*.json", "*op4*.csv"),
    defects=(
        "rows and letters of the two releases are shuffled independently (80 of 308 letters equal): join by link",
        "10 questions are asked twice",
        "about 11 are near copies of questions of MedQA's test split",
    ),
    unverified=("licence",),
)

MEDBULLETS_5 = replace(
    MEDBULLETS_4,
    name="medbullets_5",
    title="Medbullets, five options",
    takes="`medbullets_op5.json` (columns link, question, opa to ope, answer_idx, answer, explanation), or its CSV",
    files=("*op5*.json", "*op5*.csv"),
)
