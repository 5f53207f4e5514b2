"""Cases: earlier questions with their answers before a question; the oldest go first, the vignette never."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from med_small_lm.answers.forms import Form, proposition_form
from med_small_lm.benchmarks.answered import Reply
from med_small_lm.benchmarks.asking import Setting, answered
from med_small_lm.benchmarks.progressive import closing, waves
from med_small_lm.benchmarks.runs import Run
from med_small_lm.params.answers import PropositionParams
from med_small_lm.params.evaluate import Evaluate

FORM = Form("explain", "Explain.", "listed", "The answer is", True)


@pytest.fixture
def case(make_question: Any) -> list[Any]:
    told = {"case_id": "c", "context": "A girl drinks much."}
    return [make_question(n, f"Question {n}?", ["yes", "no"], "AB"[n % 2], rank=n, **told) for n in (3, 1, 2)]


class Recorder:
    """Answers each question by a rule, and keeps what it was asked."""

    def __init__(self, says: Any, most: int = 10_000) -> None:
        self.says, self.most = says, most
        self.batches: list[list[Any]] = []

    def write(self, questions: Any, run: Any, form: Any, shots: Any) -> list[Reply]:
        self.batches.append(list(questions))
        return [Reply(self.says(question), 3, False) for question in questions]

    def score(self, questions: Any, run: Any, form: Any, shots: Any) -> Any:
        raise AssertionError

    def fits(self, question: Any, run: Any, form: Any, shots: Any) -> bool:
        return sum(len(turn.content) for turn in form.messages(question)) <= self.most


def shown(recorder: Recorder, form: Form = FORM) -> dict[str, list[str]]:
    """The turns of each question as it was asked."""
    return {q.question_id: [t.content for t in form.messages(q)][1:] for batch in recorder.batches for q in batch}


def test_gold_answers_stand_before_a_question(case: Any) -> None:
    recorder, counts = Recorder(lambda q: "The answer is (A) yes."), Counter[str]()
    setting = Setting(Evaluate(), {"explain": FORM})
    answered(Run("generation", "explain", 0, "context", "gold"), case, recorder, setting, counts)
    asked = shown(recorder)
    assert asked["exam-0001"] == ["A girl drinks much. Question 1? (A) yes (B) no"]
    assert asked["exam-0003"] == [
        "A girl drinks much. Question 1? (A) yes (B) no",
        "The answer is (B) no.",
        "Question 2? (A) yes (B) no",
        "The answer is (A) yes.",
        "Question 3? (A) yes (B) no",
    ]
    assert len(recorder.batches) == 1 and counts == {"earlier": 3, "earlier left out": 0}


def test_the_models_own_answers_stand_before_a_question_wave_by_wave(case: Any, make_question: Any) -> None:
    says = {"Question 1?": "The answer is (A) yes.", "Question 2?": "I do not know at all."}
    recorder = Recorder(lambda q: says.get(q.stem, "The answer is (B) no."))
    alone = make_question(9, "Alone?", ["yes", "no"])
    setting = Setting(Evaluate(), {"explain": FORM})
    raws = answered(Run("generation", "explain", 0, "context", "model"), [*case, alone], recorder, setting)
    assert [[q.question_id for q in batch] for batch in recorder.batches] == [
        ["exam-0001", "exam-0009"], ["exam-0002"], ["exam-0003"],
    ]  # fmt: skip
    asked = shown(recorder)
    assert asked["exam-0002"][1] == "The answer is (A) yes."  # its own, though wrong
    assert asked["exam-0003"] == [asked["exam-0002"][0], "The answer is (A) yes.", "Question 3? (A) yes (B) no"]
    assert sorted(raw.question_id for raw in raws) == ["exam-0001", "exam-0002", "exam-0003", "exam-0009"]


def test_no_context_is_no_context(case: Any) -> None:
    recorder = Recorder(lambda q: "")
    setting = Setting(Evaluate(), {"explain": FORM})
    answered(Run("generation", "explain", 0, "context", "none"), case, recorder, setting)
    assert all(len(turns) == 1 and turns[0].startswith("A girl") for turns in shown(recorder).values())


@pytest.mark.parametrize(("most", "left"), [(150, 0), (115, 1), (60, 2)])
def test_the_oldest_go_first_and_the_vignette_never(case: Any, most: int, left: int) -> None:
    recorder, counts = Recorder(lambda q: "", most), Counter[str]()
    setting = Setting(Evaluate(), {"explain": FORM})
    answered(Run("generation", "explain", 0, "context", "gold"), case, recorder, setting, counts)
    last = shown(recorder)["exam-0003"]
    assert last[0].startswith("A girl drinks much.") and len(last) == 5 - 2 * left
    assert last[-1].endswith("Question 3? (A) yes (B) no")
    assert counts["earlier left out"] >= left


def test_propositions_are_put_behind_the_answers_too(case: Any) -> None:
    form = proposition_form(PropositionParams())
    recorder = Recorder(lambda q: "True." if q.stem.endswith("yes") else "False.")
    setting = Setting(Evaluate(), {"proposition": form})
    run = Run("generation", "proposition", 0, "context", "model")
    answered(run, case, recorder, setting)
    third = [q for q in recorder.batches[2] if q.question_id == "exam-0003-A"][0]
    assert third.context == "A girl drinks much. Question 1? yes. True. no. False. Question 2? yes. True. no. False."


def test_waves_and_closing_sentences(case: Any, make_question: Any) -> None:
    other = replace(case[0], question_id="z", case_id="d")
    assert [[q.question_id for q in wave] for wave in waves([*case, other])] == [
        ["exam-0001", "z"], ["exam-0002"], ["exam-0003"],
    ]  # fmt: skip
    both = replace(case[0], answer_keys=["A", "B"])
    assert closing(FORM, both) == "The answer is (A) yes, (B) no."
    none = replace(both, answer_keys=[], kind="progressive")
    assert closing(FORM, none) == "The answer is none of them."
    assert closing(replace(FORM, ending="OPTION {key} IS CORRECT"), both) == "OPTION A IS CORRECT OPTION B IS CORRECT"
    assert closing(replace(FORM, ending="OPTION {key} IS CORRECT"), none) == "", "the form cannot say it"
    assert closing(FORM, replace(none, kind="single")) == "", "no answer, and none of them is none either"


def test_what_has_no_answer_to_show_is_left_out_and_counted(case: Any) -> None:
    """A whole ending cannot say that none is right; no turn is ever empty."""
    form = replace(FORM, ending="OPTION {key} IS CORRECT")
    first, second, third = sorted(case, key=lambda one: one.rank)
    told = [replace(first, answer_keys=[], kind="multi"), second, third]
    recorder, counts = Recorder(lambda q: ""), Counter[str]()
    answered(Run("generation", "explain", 0, "context", "gold"), told, recorder, Setting(Evaluate(), {"explain": form}),
             counts)  # fmt: skip
    turns = shown(recorder, form)["exam-0003"]
    assert len(turns) == 3 and turns[0].startswith("A girl drinks much. Question 2?") and all(turns)
    assert counts == {"earlier": 3, "earlier left out": 2}


def test_an_own_answer_that_was_not_read_is_counted(case: Any) -> None:
    recorder, counts = Recorder(lambda q: "I do not know at all."), Counter[str]()
    setting = Setting(Evaluate(), {"explain": FORM})
    answered(Run("generation", "explain", 0, "context", "model"), case, recorder, setting, counts)
    assert all(len(turns) == 1 for turns in shown(recorder).values())
    assert counts == {"earlier": 3, "earlier left out": 3}


def test_an_open_question_is_followed_by_its_answer(case: Any) -> None:
    first, second, third = sorted(case, key=lambda one: one.rank)
    told = [replace(first, kind="open", options=[], answer_keys=[], answer_text="Insulin."), second, third]
    setting = Setting(Evaluate(), {"explain": FORM})
    for whose, expected in (("gold", "Insulin."), ("model", "Rest helps.")):
        recorder = Recorder(lambda q: "The answer is (A) yes." if q.options else "<think>Why?</think>Rest helps.")
        answered(Run("generation", "explain", 0, "context", whose), told, recorder, setting)
        assert shown(recorder)["exam-0003"][1] == expected
