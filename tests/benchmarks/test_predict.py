"""All that models answer to a benchmark: every way of asking, shards that are taken, gone on with, or deleted."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from med_small_lm.benchmarks import predict as module
from med_small_lm.benchmarks.answered import Raw
from med_small_lm.benchmarks.candidates import sources
from med_small_lm.benchmarks.predict import Exam, predict
from med_small_lm.benchmarks.prompts import PlainPrompts
from med_small_lm.benchmarks.scoring import score
from med_small_lm.params.answers import Answers
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import Passage, Prediction, Question

TUNED: dict[str, Any] = {"models": ("tuned",), "max_new_tokens": 6, "batch_tokens": 2_000}
LISTED = {"instruction": "Answer.", "options": "listed", "ending": "The answer is", "letters": True}
HIDDEN = LISTED | {"options": "hidden", "letters": False}


def asked(checkpoint: Path, folder: Path, exam: Exam, answers: Any = None, **changes: Any) -> list[Prediction]:
    """What a run of these parameters predicts."""
    params = Evaluate(**TUNED | {key: value for key, value in changes.items() if key not in ("launch", "progress")})
    models = sources(params, {"base": (checkpoint, "b"), "injected": (checkpoint, "i"), "tuned": (checkpoint, "t")})
    forms = Answers(**(answers or {"direct": HIDDEN, "explain": HIDDEN}))
    beside = {key: value for key, value in changes.items() if key in ("launch", "progress")}
    return predict(exam, models, forms, params, folder / "exam" / "shards", **beside)


def runs(made: list[Prediction]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one.mode, one.variant) for one in made))


def test_every_default_way(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []
    made = asked(checkpoint, tmp_path, Exam("exam", questions), progress=lambda *at: seen.append(at))
    assert runs(made) == [
        ("likelihood", "option_text/0-shot"),
        ("likelihood", "stem_hidden/0-shot"),
        ("generation", "explain/0-shot"),
    ]
    for run in runs(made):
        answered = [entry.question_id for entry in made if (entry.mode, entry.variant) == run]
        assert answered == [question.question_id for question in questions]
    assert {(entry.model, entry.benchmark, entry.sample) for entry in made} == {("tuned", "exam", 0)}
    assert seen[-1] == (12, 12)


def test_every_other_way_is_scored(checkpoint: Path, questions: Any, make_question: Any, tmp_path: Path) -> None:
    examples = [make_question(90 + n, f"Which drug is {n}?", ["one", "two"]) for n in range(3)]
    made = asked(
        checkpoint, tmp_path, Exam("exam", questions, examples), {"direct": LISTED, "explain": LISTED},
        compared=("option_text", "letter", "proposition"), written=("direct", "proposition"), shots=(0, 2),
        normalise=("sum", "length"), samples=3, permutations=3, controls=(),
    )  # fmt: skip
    variants = {variant for _, variant in runs(made)}
    assert {
        "letter/2-shot", "option_text-length/0-shot", "proposition/0-shot", "letter/0-shot/permuted3",
        "direct/0-shot/sc3", "direct/2-shot/permuted3", "proposition/2-shot/sc3",
    } <= variants  # fmt: skip
    assert not any("proposition" in variant and "permuted" in variant for variant in variants)
    samples = Counter((one.variant, one.question_id) for one in made if one.mode == "generation")
    assert samples["direct/0-shot/sc3", "exam-0001"] == 3 and samples["direct/0-shot", "exam-0001"] == 1
    scored = score(made, {"exam": questions}, samples=200)
    assert {(one.mode, one.variant) for one in scored if one.metric == "accuracy"} == set(runs(made))
    assert any(one.metric == "flip_rate" and "permuted3" in one.variant for one in scored)


def test_orders_of_options_change_nothing_where_they_change_nothing(
    checkpoint: Path, questions: Any, tmp_path: Path
) -> None:
    listed = {"direct": LISTED, "explain": LISTED}
    made = asked(checkpoint, tmp_path, Exam("exam", questions), listed, modes=("likelihood",), permutations=4)
    plain = {one.question_id: one for one in made if one.variant == "option_text/0-shot"}
    first = [one for one in made if one.variant == "option_text/0-shot/permuted4" and one.sample == 0]
    for one in first:
        assert (one.answer_keys, one.text) == (plain[one.question_id].answer_keys, plain[one.question_id].text)
        for mine, its in zip(one.option_logprobs, plain[one.question_id].option_logprobs, strict=True):
            assert mine.key == its.key and mine.logprob == pytest.approx(its.logprob, abs=1e-4)
    others = [one for one in made if one.variant.endswith("permuted4") and one.sample]
    assert all(
        [s.key for s in one.option_logprobs] == [s.key for s in plain[one.question_id].option_logprobs]
        for one in others
    )
    hidden = asked(checkpoint, tmp_path / "hidden", Exam("exam", questions), modes=("likelihood",), permutations=4)
    assert not any("permuted" in one.variant for one in hidden)


def test_a_second_run_takes_what_is_there_and_deletes_what_is_old(
    checkpoint: Path, questions: Any, tmp_path: Path, monkeypatch: Any, caplog: Any
) -> None:
    exam = Exam("exam", questions)
    made = asked(checkpoint, tmp_path, exam, shard=2)
    files = sorted((tmp_path / "exam/shards").rglob("*.jsonl"))
    assert len(files) == 6 and not (tmp_path / "exam/work").exists()
    monkeypatch.setattr(module, "launch_work", None)  # nothing is left to be asked
    with caplog.at_level(logging.INFO, logger="med_small_lm"):
        assert asked(checkpoint, tmp_path, exam, shard=2) == made
    assert "exam: 6 of 6 shards are there already; 0 old files deleted" in caplog.text
    monkeypatch.undo()
    files[0].write_text(files[0].read_text()[:-20])  # cut short by something that is not us
    half = files[1].with_name(".half.partial")
    half.write_text("x")
    assert asked(checkpoint, tmp_path, exam, shard=2) == made and not half.exists()
    longer = asked(checkpoint, tmp_path, exam, shard=2, max_new_tokens=7)
    now = sorted((tmp_path / "exam/shards").rglob("*.jsonl"))
    assert len(now) == 6 and len(set(now) & set(files)) == 4  # the likelihoods are the same
    assert [one for one in longer if one.mode == "likelihood"] == [one for one in made if one.mode == "likelihood"]


def test_parts_are_of_one_size(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    told = [replace(questions[0], question_id=f"q{n}") for n in range(5)]
    asked(checkpoint, tmp_path, Exam("exam", told), shard=4, modes=("likelihood",), controls=())
    lengths = [len(file.read_text().splitlines()) - 1 for file in (tmp_path / "exam/shards").rglob("*.jsonl")]
    assert sorted(lengths) == [2, 3]


def test_what_an_answer_depends_on_is_in_a_shards_name(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    def names(**changes: Any) -> set[str]:
        exam = Exam("exam", changes.pop("questions", questions))
        asked(checkpoint, tmp_path, exam, changes.pop("answers", None), **{"modes": ("generation",)} | changes)
        return {path.name for path in (tmp_path / "exam/shards").rglob("*.jsonl")}

    first = names()
    assert first == names(bootstrap_samples=300, lineage_k=5, seed=9)
    for changes in (
        {"max_new_tokens": 5}, {"batch_tokens": 500}, {"early_stop": False},
        {"questions": [replace(questions[0], stem="Else?"), *questions[1:]]},
        {"answers": {"direct": HIDDEN, "explain": HIDDEN | {"instruction": "Say."}}},
    ):  # fmt: skip
        assert not names(**changes) & first, changes
    assert names() == first


@pytest.mark.slow
def test_two_ranks_answer_the_same(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    exam = Exam("exam", questions)
    alone = asked(checkpoint, tmp_path / "1", exam, shard=1, samples=2)
    launch = Launch(how="torchrun", processes=2)
    assert asked(checkpoint, tmp_path / "2", exam, shard=1, samples=2, launch=launch) == alone


def test_a_model_from_elsewhere_and_one_with_the_books_open(
    checkpoint: Path, questions: Any, tmp_path: Path, caplog: Any
) -> None:
    shutil.copytree(checkpoint, tmp_path / "mine")
    places = ("book", 1, "S", 1, 1)
    texts = ["Valproate treats atonic seizures.", "Atonic seizures make one fall. " * 20, "Sheep graze on hills."]
    passages = [Passage(f"p{n}", *places, text, len(text.split()), "", "CC0") for n, text in enumerate(texts)]
    candidates = {"mine": {"model": str(tmp_path / "mine")}, "reader": {"open_book": {"of": "tuned", "passages": 2}}}
    with caplog.at_level(logging.INFO, logger="med_small_lm"):
        exam = Exam("exam", questions, passages=passages)
        made = asked(checkpoint, tmp_path, exam, candidates=candidates, modes=("likelihood",), controls=())
    by_model = {name: [one for one in made if one.model == name] for name in ("tuned", "mine", "reader")}
    told = [[one.option_logprobs for one in own] for own in by_model.values()]
    assert told[0] == told[1] != told[2]
    assert "exam: reader:" in caplog.text and "passages found left out of prompts" in caplog.text


def test_what_does_not_fit_is_truncated_and_counted(
    checkpoint: Path, questions: Any, tmp_path: Path, caplog: Any
) -> None:
    long = replace(questions[0], question_id="long", stem="Which drug? " * 200)
    made = asked(checkpoint, tmp_path, Exam("exam", [long, *questions]), controls=())
    assert [one.state for one in made if one.question_id == "long"] == ["truncated", "truncated"]
    assert "exam: tuned: 1 of 5 questions, in 2 of 2 ways of asking, do not fit its context" in caplog.text


def test_open_questions_are_only_written(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    bare = replace(questions[0], question_id="open", kind="open", options=[], answer_keys=[])
    made = asked(checkpoint, tmp_path, Exam("exam", [bare, questions[1]]), written=("explain", "proposition"))
    ways = {(one.mode, one.variant) for one in made if one.question_id == "open"}
    assert ways == {("generation", "explain/0-shot")}


def test_examples_that_are_not_there_are_told(checkpoint: Path, questions: Any, tmp_path: Path, caplog: Any) -> None:
    made = asked(checkpoint, tmp_path, Exam("exam", questions), shots=(0, 5), modes=("likelihood",), controls=())
    assert runs(made) == [("likelihood", "option_text/0-shot")]
    assert "exam: examples asked for: 5; there are 0 in all: left out" in caplog.text


def test_an_example_that_is_asked_itself_is_none(checkpoint: Path, questions: Any, tmp_path: Path, caplog: Any) -> None:
    examples = [replace(one, question_id=f"dev-{one.question_id}", split="dev") for one in questions[:1]]
    made = asked(checkpoint, tmp_path, Exam("exam", questions, examples), shots=(0, 1), modes=("likelihood",))
    assert not any("1-shot" in variant for _, variant in runs(made))
    assert "exam: examples asked for: 1; there are 0 in all: left out" in caplog.text


def test_each_subject_has_its_own_first_examples(
    checkpoint: Path, make_question: Any, tmp_path: Path, monkeypatch: Any, caplog: Any
) -> None:
    seen: dict[str, str] = {}
    texts = PlainPrompts.texts

    def heard(self: PlainPrompts, question: Question) -> list[str]:
        found = texts(self, question)
        seen[question.question_id] = found[0]
        return found

    monkeypatch.setattr(PlainPrompts, "texts", heard)
    subjects = ("anatomy", "virology")
    asked_for = [make_question(n, f"Of {s}?", ["x", "y"], subject=s) for n, s in enumerate(subjects)]
    dev = [(n, s) for n in (2, 1, 0) for s in subjects]
    examples = [make_question(9 + place, f"{s} {n}?", ["x", "y"], subject=s) for place, (n, s) in enumerate(dev)]
    exam = Exam("exam", asked_for, examples)
    made = asked(checkpoint, tmp_path, exam, layout="mmlu", shots=(2, 4), compared=("letter",), controls=())
    ways = (
        ("likelihood", "letter/2-shot/plain-mmlu"),
        ("generation", "explain/2-shot"),
        ("generation", "explain/4-shot"),
    )
    assert sorted(runs(made)) == sorted(ways)  # of each subject there are not four, of all there are
    for question in asked_for:
        first, second = (f"{question.subject} {n}?\nA. x\nB. y\nAnswer: A\n\n" for n in (2, 1))
        assert f"about {question.subject}.\n\n{first}{second}Of {question.subject}?" in seen[question.question_id]
    assert "exam: examples asked for: 4 of each subject; there are 6 in all: left out" in caplog.text


def test_an_open_book_has_no_control_that_hides_the_question(checkpoint: Path, questions: Any, tmp_path: Path) -> None:
    page = Passage("p", "book", 1, "S", 1, 1, "Valproate treats atonic seizures.", 4, "", "CC0")
    reader = {"reader": {"open_book": {"of": "tuned"}}}
    exam = Exam("exam", questions[:1], passages=[page])
    made = asked(checkpoint, tmp_path, exam, modes=("likelihood",), candidates=reader)
    assert [(one.model, one.variant) for one in made] == [
        ("tuned", "option_text/0-shot"), ("tuned", "stem_hidden/0-shot"), ("reader", "option_text/0-shot"),
    ]  # fmt: skip


def test_an_exam_that_nobody_answers_has_no_predictions(questions: Any, tmp_path: Path) -> None:
    forms = Answers(**{"direct": HIDDEN, "explain": HIDDEN})
    assert predict(Exam("exam", questions[:2]), [], forms, Evaluate(**TUNED), tmp_path / "shards") == []


def test_raw_answers_survive_their_line() -> None:
    from med_small_lm.benchmarks.answered import Reply
    from med_small_lm.schemas.rows import KeyScore

    raw = Raw("q", 2, [Reply("é\n\u2028(C)", 3, True, "failed")], [[KeyScore("A", -0.1 - 1e-17, 2)], []])
    assert Raw.of(raw.line()) == raw and len(raw.line().splitlines()) >= 1
