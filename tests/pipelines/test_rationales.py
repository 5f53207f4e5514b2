"""The nodes that ask for rationales, over HTTP: styles in their order, exams without a train split, calls counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.teacher.endpoint import Answer, Endpoint, serving

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.synthesize_cot import ExamRationales, ShownStyle, Style, Styles, SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.synthesize_cot.exams import write_exam_rationales
from med_small_lm.pipelines.synthesize_cot.nodes import write_rationales
from med_small_lm.schemas import frames
from med_small_lm.schemas.rows import Option, Passage, Question, Quote
from med_small_lm.schemas.tables import to_frame
from med_small_lm.teacher.prompts import Prompt

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Scurvy is due to a lack of vitamin C. Goiter is due to a lack of iodine."
BOOK = [Passage(f"book-{n}", "book", n, f"S{n}", 1, 1, TEXT, 15, "0" * 64, "own") for n in range(4)]
OPTIONS = [Option(key, text) for key, text in zip("ABCD", ("vitamin C", "iodine", "zinc", "iron"), strict=True)]
QUOTES = [Quote("A", "Scurvy is due to a lack of vitamin C.", "", "book-1")]
ASKED = Question("q-1", "book", "train", "single", "The lack of which causes scurvy?", OPTIONS, ["A"], "vitamin C",
                 quotes=QUOTES, passage_ids=["book-1"], licence="own")  # fmt: skip
ITEM = replace(ASKED, question_id="t-1", source="medqa", quotes=[], passage_ids=[], licence="")
OTHER = [Option("A", "heart"), Option("B", "liver")]
DEV = Question("d-1", "medqa", "dev", "single", "What pumps the blood?", OTHER, ["A"], "heart",
               quotes=[Quote("A", "It is the heart that pumps.")])  # fmt: skip
CHECKS = (
    *(frames.Questions, frames.Rationales, frames.RejectedRationales),
    *(frames.Contaminations, frames.TeacherReport),
)
NONE = to_frame([], Question)
TOLD = "Scurvy is due to a lack of vitamin C."
WHYS = (TOLD, "Iodine is lacking in goiter.", "Zinc is not named there.", "Iron is not named there.")


def prompt(name: str) -> Prompt:
    return Prompt.parse(yaml.safe_load((ROOT / f"conf/base/prompts/{name}.yml").read_text(encoding="utf-8")))


def reply(body: dict[str, Any], _: int) -> Answer:
    """What a teacher says of scurvy in the form that it is asked in."""
    if "verdict" not in json.dumps(body["response_format"]):
        return Answer(json.dumps({"rationale": TOLD, "answer": "vitamin C"}))
    told = [{"option": key, "verdict": "TRUE" if key == "A" else "FALSE", "why": why}
            for key, why in zip("ABCD", WHYS, strict=True)]  # fmt: skip
    return Answer(json.dumps({"options": told}))


def params_for(endpoint: Endpoint) -> TeacherParams:
    return TeacherParams(model="a-model", base_url=(endpoint.url,), price_in=0, price_out=0, allow_hosts=("127.0.0.1",))


def test_styles_come_in_their_order_and_are_counted_each(tmp_path: Path) -> None:
    styles = Styles(
        hidden=ShownStyle(share=1, exemplars=0), general=ShownStyle(share=1, exemplars=1), optionwise=Style(share=1)
    )
    cot = SynthesizeCot(samples=2, styles=styles)
    gold = {style: prompt(f"{style}_rationale") for style in ("general", "optionwise")}
    with serving(reply) as endpoint:
        kept, rejected, contamination, use = write_rationales(
            to_frame([ASKED], Question), to_frame(BOOK, Passage), to_frame([DEV], Question), NONE, prompt("rationale"),
            TeacherAccess(tmp_path / "teacher.sqlite"), params_for(endpoint), cot, **gold,
        )  # fmt: skip
    methods = ["passage_cot", "gold_shown: general", "gold_shown: optionwise"]
    assert kept["method"].tolist() == rejected["method"].tolist() == methods
    assert [gates[-1]["reason"] for gates in rejected["gates"]] == ["the same rationale stands in another sample"] * 3
    assert use["method"].tolist() == methods
    assert use["calls"].tolist() == [2, 2, 2] and use["records_kept"].tolist() == [1, 1, 1]
    turns = sorted(len(body["messages"]) for body, _ in endpoint.seen)
    assert turns == [2, 2, 2, 2, 4, 4], "only the general style shows an exemplar"
    assert contamination.empty or contamination["n_flagged"].sum() == 0
    frames.Rationales.validate(kept)
    frames.RejectedRationales.validate(rejected)


def exam_rationales(access: TeacherAccess, params: TeacherParams, *exams: Question) -> tuple[pd.DataFrame, ...]:
    cot = SynthesizeCot(exams=ExamRationales(passages=3))
    made = write_exam_rationales(
        to_frame(exams, Question), NONE, to_frame(BOOK, Passage), prompt("exam_rationale"), access, params, cot,
        GenerateQuestions(held_out_share=0.5),
    )  # fmt: skip
    for frame, check in zip(made, CHECKS, strict=True):
        check.validate(frame)
    return made


def test_train_items_are_asked_and_kept_with_licence_and_lineage(tmp_path: Path) -> None:
    leak = replace(DEV, question_id="t-2", split="train")
    with serving(reply) as endpoint:
        items, kept, rejected, contamination, use = exam_rationales(
            TeacherAccess(tmp_path / "teacher.sqlite"), params_for(endpoint), ITEM, leak, DEV
        )
    assert items["question_id"].tolist() == kept["question_id"].tolist() == ["t-1"]
    assert (items["licence"].item(), kept["licence"].item()) == ("unknown", "unknown and own")
    assert set(kept["passage_ids"].item()) < {one.passage_id for one in BOOK}, "held-out sections are not shown"
    assert rejected["question_id"].tolist() == ["t-2"] and use["calls"].item() == 2
    assert set(contamination["source"]) == {"exam rationales"}


def test_a_teacher_that_knows_nothing_keeps_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    item = replace(ITEM, stem="The lack of which causes zostalgia?")
    items, kept, rejected, _, use = exam_rationales(TeacherAccess(tmp_path / "t.sqlite"), TeacherParams(), item, DEV)
    assert len(items) == len(kept) == 0 and use["calls"].item() == len(rejected) == 1
    assert "no exam rationale was kept" in caplog.text and "synthesize_cot.exams.passages" in caplog.text


def test_without_a_train_split_nothing_is_asked(tmp_path: Path) -> None:
    access = TeacherAccess(tmp_path / "teacher.sqlite")
    assert all(frame.empty for frame in exam_rationales(access, TeacherParams(), DEV))
    assert not access.ledger.exists()
