"""LiveQA, the medical task of TREC 2017: what people asked the National Library of Medicine, with reference answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from med_small_lm.benchmarks.releases import Record, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.record_files import Row
from med_small_lm.schemas.rows import Question


def _rows(file: Path) -> Iterator[Row]:
    """A row a question, with all its reference answers; the test and training files spell their tags differently."""
    from med_small_lm.xml_files import elements

    for asked in elements(file, ("NLM-QUESTIONS",), "NLM-QUESTION"):
        if isinstance(asked, Row):
            yield asked
            continue
        original = _texts(asked, "SUBJECT") + _texts(asked, "MESSAGE")
        id_ = asked.get("qid") or asked.get("questionid") or ""
        fields = {"id": id_, "question": "\n".join(original), "answer": "\n\n".join(_texts(asked, "ANSWER"))}
        yield Row(int(asked.sourceline or 1), fields)


def _texts(asked: Any, tag: str) -> list[str]:
    """The texts of the elements of a tag, in capitals or not, each once."""
    from med_small_lm.xml_files import text_of

    found = (text_of(one) for one in asked.iter() if isinstance(one.tag, str) and one.tag.upper() == tag)
    return list(dict.fromkeys(text for text in found if text))


def _question(record: Record) -> Question:
    return Question(
        record.id(record.told("id")), "liveqa", record.split, "open", record.text("question"), [], [],
        record.text("answer"),
    )  # fmt: skip


LIVEQA = Task(
    name="liveqa",
    title="LiveQA, medical task of TREC 2017",
    source="https://github.com/abachaa/LiveQA_MedicalTask_TREC2017",
    licence="unknown: its readme tells none",
    split="test; the training files have 634 pairs",
    version="2017",
    n=104,
    takes="`TestDataset/TREC-2017-LiveQA-Medical-Test.xml`, or the folder of the release",
    read=by_record(_question),
    rows=_rows,
    forms=(("question", "answer"),),
    metric="judged",
    suffixes=(".xml",),
    files=("!*summaries*", "*"),
    unverified=("n: its readme counts no test questions", "licence"),
    defects=("a question may have several reference answers: they are kept together",),
)
