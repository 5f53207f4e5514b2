"""What a way of asking is called, which questions it takes, and how its likelihoods are compared."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.answers.forms import forms_of
from med_small_lm.benchmarks.answered import Raw, predictions_of
from med_small_lm.benchmarks.candidates import sources
from med_small_lm.benchmarks.likelihood import best_key
from med_small_lm.benchmarks.models import CheckpointError
from med_small_lm.benchmarks.predict import Exam, predict
from med_small_lm.benchmarks.runs import Run
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore, Question

HIDDEN = {"instruction": "Answer.", "options": "hidden", "ending": "The answer is", "letters": False}
ANSWERS = Answers(direct=HIDDEN, explain=HIDDEN)  # type: ignore[arg-type]
PLAIN = {"normalise": ("sum", "length", "characters"), "layout": "mmlu"}


def variants(run: Run, question: Question, scores: list[list[KeyScore]], forms: Any) -> dict[str, list[str]]:
    """The keys that are answered, by variant."""
    raw = Raw(question.question_id, 0, [], scores)
    made = predictions_of(run, [raw], {question.question_id: question}, forms, Evaluate(**PLAIN), "m", "exam")
    return {one.variant: one.answer_keys for one in made}


def test_only_option_texts_are_compared_by_length(make_question: Any, forms: Any) -> None:
    """A letter is as long as any other, however long the text behind it is."""
    question = make_question(1, "Which?", ["a long option", "short"])
    likelier = [KeyScore("A", -1.0, 1), KeyScore("B", -0.9, 1)]
    assert variants(Run("likelihood", "letter", 0), question, [likelier], forms) == {"letter/0-shot/plain-mmlu": ["B"]}
    texts = variants(Run("likelihood", "option_text", 0), question, [likelier], forms)
    assert texts == {
        "option_text/0-shot/plain-mmlu": ["B"],
        "option_text-length/0-shot/plain-mmlu": ["B"],
        "option_text-characters/0-shot/plain-mmlu": ["A"],
    }
    true, false = ([KeyScore("T", t, 1), KeyScore("F", f, 1)] for t, f in ((-0.1, -2.0), (-2.0, -0.1)))
    told = variants(Run("likelihood", "proposition", 0), question, [true, false], forms_of(ANSWERS))
    assert told == {"proposition/0-shot": ["A"]}, "asked in turns, whatever the layout"


def test_an_option_without_a_text_is_compared(make_question: Any) -> None:
    question = make_question(1, "Which?", ["abc", ""])
    assert best_key([KeyScore("A", -3.0, 1), KeyScore("B", -0.5, 1)], "characters", question) == "B"


def test_an_open_question_is_answered_once() -> None:
    bare = Question("q", "exam", "test", "open", "Why?", [], [], "So.")
    assert Run("generation", "explain", 0).takes(bare)
    for beside in ("sc", "permuted"):
        assert not Run("generation", "explain", 0, beside, "10").takes(bare), "texts have no majority"


@pytest.mark.parametrize(("compared", "fails"), [("option_text", False), ("proposition", True)])
def test_propositions_need_a_chat_template_whatever_the_layout(
    checkpoint: Path, questions: Any, tmp_path: Path, compared: str, fails: bool
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(checkpoint, bare, ignore=shutil.ignore_patterns("chat_template.jinja"))
    told = json.loads((bare / "tokenizer_config.json").read_text())
    (bare / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in told.items() if k != "chat_template"}))
    params = Evaluate(models=("tuned",), modes=("likelihood",), compared=(compared,), layout="medqa", controls=())
    models = sources(params, {"tuned": (bare, "t")})
    with pytest.raises(CheckpointError, match="no chat template") if fails else nullcontext():
        made = predict(Exam("exam", questions), models, ANSWERS, params, tmp_path / "exam" / "shards")
        assert {one.variant for one in made} == {"option_text/0-shot/plain-medqa"}
