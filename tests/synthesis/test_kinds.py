"""Questions of several right answers and of yes, no or maybe: asked of a share, read, gated, beside single choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.synthesis.conftest import make_passage

from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import GenerateQuestions, Kinds, QuestionGates
from med_small_lm.schemas.rows import Option, Passage, Question
from med_small_lm.synthesis.asked import Asked
from med_small_lm.synthesis.gates.judging import ANSWERABLE, OBVIOUS, ONE_RIGHT, SUPPORT, judge_requests, judged
from med_small_lm.synthesis.gates.sifting import sift_questions, sound_questions
from med_small_lm.synthesis.questions import kind_requests, question_requests, questions_from
from med_small_lm.teacher import builtin
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply, Request

TEXT = "Scurvy is due to lack of vitamin C. Fresh fruit prevents scurvy. Night blindness is due to lack of vitamin A."
PASSAGE = make_passage(TEXT)
QUOTES = TEXT.split(". ")
MULTI: dict[str, Any] = {
    "stem": "Which of the following statements on scurvy are correct?",
    "propositions": [
        {"text": "It is due to lack of vitamin C.", "is_true": True, "quote": QUOTES[0]},
        {"text": "It is prevented by fresh fruit.", "is_true": True, "quote": QUOTES[1]},
        {"text": "It is due to lack of vitamin A.", "is_true": False, "quote": QUOTES[0]},
        {"text": "It is due to lack of iron.", "is_true": False, "quote": QUOTES[0]},
    ],
}
YES_NO: dict[str, Any] = {
    "excerpt": f"{QUOTES[0]}. {QUOTES[1]}.",
    "stem": "Is scurvy due to lack of vitamin A?",
    "answer": "no",
    "quote": QUOTES[0],
}


def asked(kind: str) -> Asked:
    return Asked(Request(f"question_{kind}", {}, (), slots={"kind": kind}), PASSAGE)


def read(reply: Callable[..., Reply], kind: str, item: dict[str, Any]) -> Question:
    (question,), rejected = questions_from([asked(kind)], [reply({"questions": [item]})])
    assert not rejected
    return question


def test_a_share_of_the_passages_is_asked_and_shown_the_exams_questions_of_that_kind(
    passages: list[Passage], dev: list[Question], prompts: dict[str, Prompt]
) -> None:
    exemplar = replace(dev[0], kind="yes_no", stem="Is it so?", context=passages[0].text, quotes=[])
    own = {kind: prompts[f"question_{kind}"] for kind in ("multi", "yes_no")}
    params = GenerateQuestions(kinds=Kinds(multi=0.1, yes_no=1.0))
    passages = passages[:200]
    made = kind_requests(passages, [*dev, exemplar], own, params)
    multi = [one for one in made if one.request.slots["kind"] == "multi"]
    assert 0.05 * len(passages) < len(multi) < 0.15 * len(passages) and len(made) - len(multi) == len(passages)
    assert all(one.request.slots["exemplars"] == [] for one in multi)
    shown = next(one for one in made if one.passage is passages[0] and one not in multi)
    assert [one["stem"] for one in shown.request.slots["exemplars"]] == ["Is it so?"]
    wider = {
        one.passage.passage_id for one in kind_requests(passages, [], own, GenerateQuestions(kinds=Kinds(multi=0.3)))
    }
    assert {one.passage.passage_id for one in multi} <= wider
    assert kind_requests(passages, dev, own, GenerateQuestions(kinds=Kinds(multi=0, yes_no=0))) == []


def test_items_of_both_kinds_become_records_that_pass_the_gates(reply: Callable[..., Reply]) -> None:
    multi, yes_no = read(reply, "multi", MULTI), read(reply, "yes_no", YES_NO)
    assert (multi.kind, multi.method, multi.answer_keys) == ("multi", "exam_like: multi", ["A", "B"])
    assert multi.answer_text == "It is due to lack of vitamin C.; It is prevented by fresh fruit."
    assert [quote.option for quote in multi.quotes] == list("ABCD")
    assert (yes_no.kind, yes_no.method, yes_no.context) == ("yes_no", "exam_like: yes_no", YES_NO["excerpt"])
    assert (yes_no.answer_keys, yes_no.answer_text) == (["B"], "no")
    assert yes_no.options == [Option("A", "yes"), Option("B", "no"), Option("C", "maybe")]
    kept, rejected = sound_questions([multi, yes_no], [PASSAGE], QuestionGates())
    assert kept and not rejected, rejected[0].gates
    assert QUOTES[0] in question_document(multi).asserted and YES_NO["excerpt"] in question_document(yes_no).asserted


LETTERED = ["A. scurvy", "B) beriberi", "(C) pellagra", "D: rickets"]
SINGLE: dict[str, Any] = {"stem": "Lack of vitamin C causes which?", "answer": 0, "quote": QUOTES[0]}


def test_letters_that_a_teacher_sets_before_its_options_are_no_part_of_them(reply: Callable[..., Reply]) -> None:
    """Options change places where the keys are balanced: "B. beriberi" at A would name two."""
    lettered = [
        {**one, "text": f"{key}. {one['text']}"} for key, one in zip("ABCD", MULTI["propositions"], strict=True)
    ]
    multi = read(reply, "multi", MULTI | {"propositions": lettered})
    assert [option.text for option in multi.options] == [one["text"] for one in MULTI["propositions"]]
    single = read(reply, "single", SINGLE | {"options": LETTERED})
    assert [option.text for option in single.options] == ["scurvy", "beriberi", "pellagra", "rickets"]
    assert single.answer_text == "scurvy"
    species = ["A. fumigatus", "B. cereus", "C. albicans", "E. coli"]
    assert [o.text for o in read(reply, "single", SINGLE | {"options": species}).options] == species


@pytest.mark.parametrize(
    ("kind", "item", "why"),
    [
        ("multi", MULTI | {"stem": ""}, "no stem"),
        ("multi", MULTI | {"propositions": "none"}, "0 propositions"),
        ("multi", MULTI | {"propositions": [*MULTI["propositions"][:2], {"text": "x", "is_true": 1}]}, "has no quote"),
        (
            "multi",
            MULTI | {"propositions": [{**one, "is_true": "yes"} for one in MULTI["propositions"]]},
            "neither true",
        ),
        ("yes_no", YES_NO | {"excerpt": None}, "no excerpt"),
        ("yes_no", YES_NO | {"answer": "perhaps"}, "none of yes, no, maybe"),
    ],
)
def test_an_item_that_lacks_a_part_is_a_rejected_record(
    reply: Callable[..., Reply], kind: str, item: dict[str, Any], why: str
) -> None:
    found, (rejected,) = questions_from([asked(kind)], [reply({"questions": [item]})])
    assert not found and why in rejected.gates[-1].reason and rejected.method == f"exam_like: {kind}"


@pytest.mark.parametrize(
    ("kind", "changes", "gate"),
    [
        ("multi", {"answer_keys": []}, "schema"),
        ("multi", {"answer_keys": ["A", "B", "D"], "quotes": []}, "support"),
        ("multi", {"options": [Option(k, text) for k, text in zip("AB", QUOTES, strict=False)], "answer_keys": ["B"]},
         "support"),
        ("yes_no", {"answer_keys": ["A", "B"]}, "schema"),
        ("yes_no", {"context": "Scurvy is due to too much of vitamin C, as all know well."}, "support"),
        ("yes_no", {"context": f"{QUOTES[1]}."}, "support"),
    ],
)  # fmt: skip
def test_a_question_that_does_not_hold_falls_at_its_gate(
    reply: Callable[..., Reply], kind: str, changes: dict[str, Any], gate: str
) -> None:
    question = read(reply, kind, MULTI if kind == "multi" else YES_NO)
    kept, rejected = sound_questions([replace(question, **changes)], [PASSAGE], QuestionGates())
    assert not kept and rejected[0].gates[-1].gate == gate, rejected[0].gates


def test_each_judgement_is_asked_of_the_kinds_that_it_can_tell(
    reply: Callable[..., Reply], prompts: dict[str, Prompt]
) -> None:
    multi, no = read(reply, "multi", MULTI), read(reply, "yes_no", YES_NO)
    maybe = replace(no, question_id="m", answer_keys=["C"], answer_text="maybe")
    every = [multi, no, maybe]
    for judge, name, wanted in ((SUPPORT, "support", [no]), (ONE_RIGHT, "one_right", [multi]),
                                (ANSWERABLE, "answerable", [no, maybe]), (OBVIOUS, "obvious", [])):  # fmt: skip
        made = judge_requests(judge, every, [PASSAGE], prompts[name])
        assert [one.question for one in made] == wanted, name
    both = [option.text for option in multi.options[:2]]
    made = judge_requests(ONE_RIGHT, [multi], [PASSAGE], prompts["one_right"])
    assert judged(ONE_RIGHT, [multi], made, [reply({"right": both, "why": ""})])[0]
    assert judged(ONE_RIGHT, [multi], made, [reply({"right": both[:1], "why": ""})])[1]


def test_questions_of_other_kinds_change_nothing_of_those_of_single_choice(
    passages: list[Passage], dev: list[Question], prompts: dict[str, Prompt], reply: Callable[..., Reply]
) -> None:
    some = passages[:16]
    own = {kind: prompts[f"question_{kind}"] for kind in ("multi", "yes_no")}
    single = question_requests(some, dev, prompts["question"], GenerateQuestions())
    others = kind_requests(some[5:], dev, own, GenerateQuestions(kinds=Kinds(multi=0.5, yes_no=0.5)))
    alone, both = (
        questions_from(made, [reply(builtin.answer(one.request.task, one.request.slots)) for one in made],
                       {some[0].passage_id})[0]
        for made in (single, [*single, *others])
    )  # fmt: skip
    gates = QuestionGates()
    kept = sift_questions(sound_questions(alone, some, gates)[0], [], dev, gates)[0]
    sound, unsound = sound_questions(both, some, gates)
    mixed = sift_questions(sound, [], dev, gates)[0]
    assert [question for question in mixed if question.kind == "single"] == kept
    kinds = {question.kind for question in mixed if question.split == "train"}
    assert kinds == {"single", "multi", "yes_no"} and len(unsound) < 0.05 * len(both)
