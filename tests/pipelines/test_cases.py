"""The node of the progressive cases over real HTTP: good, leaking and useless replies, each accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from tests.synthesis.conftest import make_passage
from tests.synthesis.test_cases import CASE_REPLY, FACTS
from tests.teacher.endpoint import Answer, serving

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.params.generate_questions import Cases, GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.generate_questions.cases import write_cases
from med_small_lm.schemas import frames
from med_small_lm.schemas.rows import Passage, Question
from med_small_lm.schemas.tables import to_frame
from med_small_lm.teacher.prompts import Prompt

ROOT = Path(__file__).resolve().parents[2]
BOOK = [
    make_passage(FACTS, ordinal=n, section=f"Chapter > {name}") for n, name in enumerate(("Good", "Leaking", "Mute"))
]
NONE = to_frame([], Question)


def reply(body: dict[str, Any], _: int) -> Answer:
    """A sound case, one that tells the answer in its second stem, or no JSON."""
    asked = str(body["messages"])  # a repair's too
    if "> Mute" in asked:
        return Answer("I would rather not.")
    first, second = CASE_REPLY["questions"]
    told = (
        {"stem": "The frozen mulberries were thrown away. Which statements are correct?"}
        if "> Leaking" in asked
        else {}
    )
    return Answer(json.dumps(CASE_REPLY | {"questions": [first, second | told]}))


def test_each_section_is_asked_about_once_and_every_call_is_accounted_for(tmp_path: Path) -> None:
    source = yaml.safe_load((ROOT / "conf/base/prompts/case.yml").read_text(encoding="utf-8"))
    params = GenerateQuestions(held_out_share=0, cases=Cases(share=1, questions=2, propositions=2))
    with serving(reply) as endpoint:
        teacher = TeacherParams(
            model="a-model", base_url=(endpoint.url,), price_in=0, price_out=0, allow_hosts=("127.0.0.1",)
        )
        kept, rejected, contamination, use = write_cases(
            to_frame(BOOK, Passage), NONE, NONE, Prompt.parse(source), TeacherAccess(tmp_path / "teacher.sqlite"),
            teacher, params,
        )  # fmt: skip
    frames.Questions.validate(kept)
    frames.RejectedQuestions.validate(rejected)
    assert kept["rank"].tolist() == [1, 2] and kept["case_id"].nunique() == 1
    assert kept["passage_ids"].tolist() == [[BOOK[0].passage_id]] * 2 and (kept["licence"] != "").all()
    stops = {(ids[0], gates[-1]["gate"]) for ids, gates in zip(rejected["passage_ids"], rejected["gates"], strict=True)}
    leaking, mute = BOOK[1].passage_id, BOOK[2].passage_id
    assert stops == {(leaking, "leak"), (leaking, "case"), (mute, "reply")}
    assert set(kept["call_id"]).isdisjoint(rejected["call_id"]) and set(kept["method"]) == {"case"}
    assert use[["calls", "failed", "records_kept"]].values.tolist() == [[3, 1, 2]] and contamination.empty
