"""ECN-QA: the French residency examination, isolated questions and progressive cases, any number of options right.

Nobody told the names of its fields, so an entry of ``benchmarks.yml`` maps them: ``fields: {question: enonce, ...}``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from med_small_lm.benchmarks.choices import keyed, lettered, right_key, text_of
from med_small_lm.benchmarks.releases import Found, Record, Release, Unusable, by_record
from med_small_lm.benchmarks.task import Task
from med_small_lm.schemas.rows import Option, Question


def _read(release: Release) -> Iterator[Found]:
    """Isolated questions are of kind ``multi``; those of a case ``progressive``, ranked as told or as they stand."""
    asked = Counter[str]()

    def question(record: Record) -> Question:
        def told(role: str) -> str:
            return record.told(name) if (name := release.field(role)) else ""

        case = told("case") and f"{record.place}-{told('case')}"
        asked[case] += 1  # before anything is found wrong: what follows in the case keeps its rank
        rank = told("rank") or str(asked[case] if case else 0)
        if not re.fullmatch(r"\d{1,4}(\.0)?", rank):
            raise Unusable(f"the rank {rank!r} is no number")
        options, keys = _propositions(record)
        return Question(
            record.id(told("id")), "ecn_qa", record.split, "progressive" if case else "multi",
            record.text(release.field("question")), options, keys, "; ".join(text_of(options, key) for key in keys),
            case_id=case, rank=int(float(rank)), language=release.task.language, context=told("context"),
            subject=told("subject"),
        )  # fmt: skip

    yield from by_record(question)(release)


def _propositions(record: Record) -> tuple[list[Option], list[str]]:
    """The options, and the keys of the right ones.

    Propositions are texts, by key or in a list, or objects of a text and whether it is true; answers are keys or texts,
    in a list or as ``ABD``, or as many truths as there are propositions.
    """
    field = record.release.field
    held, answers = record.fields.get(field("propositions")), record.fields.get(field("answers"))
    if held and isinstance(held, list) and all(isinstance(one, Mapping) for one in held):
        options = lettered([_text(one, field("text")) for one in held])
        answers = answers or [next((value for value in one.values() if isinstance(value, bool)), None) for one in held]
    else:
        options = keyed(held)
    return options, _keys(options, answers)


def _text(proposition: Mapping[str, Any], name: str) -> str:
    """The text of a proposition: its field of that name, else the only field that is a text."""
    held = [proposition[name]] if name in proposition else list(proposition.values())
    texts = [text for text in held if isinstance(text, str)]
    if len(texts) != 1:
        raise Unusable(f"which field is a proposition's text? Name it: `text` among `fields`, which is {name} now")
    return texts[0]


def _keys(options: Sequence[Option], answers: Any) -> list[str]:
    if isinstance(answers, str):
        told = answers.strip()
        answers = (
            list(told)
            if re.fullmatch(r"[A-Za-z]+", told) and len(told) <= len(options)
            else re.split(r"[;,|\s]+", told)
        )
    if not isinstance(answers, list) or not answers:
        raise Unusable("no answer")
    if all(isinstance(one, bool | int) for one in answers):
        if len(answers) != len(options) or not set(answers) <= {0, 1}:
            raise Unusable("the answers are numbers, but not a 0 or 1 for each proposition")
        keys = [option.key for option, right in zip(options, answers, strict=True) if right]
    else:
        keys = sorted(
            {right_key(options, str(one), str(one)) for one in answers if one is not None and str(one).strip()}
        )
    if not keys:
        raise Unusable("no answer")
    return keys


ECN_QA = Task(
    name="ecn_qa",
    title="ECN-QA, French",
    source="https://huggingface.co/datasets/raidium/ECN-QA",
    licence="unknown: see its card",
    split="test; by case, never by question",
    version="2024",
    n=0,
    takes="`french/{qi,dp}_{train,test}` as JSON Lines, or one of them; `fields` names its fields where they differ",
    read=_read,
    unit="ecn_qa",
    language="fr",
    metric="multi_select",
    fields={
        "id": "?id",
        "question": "question",
        "propositions": "propositions",
        "text": ".text",
        "answers": "?answers",
        "case": "?case_id",
        "rank": "?rank",
        "context": "?context",
        "subject": "?subject",
    },
    files=("!*english*", "!*custom*", "!*_en.*", "*qi_*", "*dp_*"),
    unverified=("the names of all fields", "n", "licence"),
    defects=("what its paper's metrics are, nobody told: all of the family are reported",),
)

ECN_QA_EN = replace(
    ECN_QA,
    name="ecn_qa_en",
    title="ECN-QA, English",
    takes="`english/{qi,dp}_{train,test}` as JSON Lines, or one of them; `fields` names its fields where they differ",
    language="en",
    files=("!*french*", "!*custom*", "!*_fr.*", "*qi_*", "*dp_*"),
    defects=(*ECN_QA.defects, "the English side seems to be translated by machine"),
)
