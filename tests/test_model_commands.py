"""``kedro export model`` and ``kedro ask`` on a finished run, and before there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import Project


@pytest.fixture(scope="module")
def exported(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "out"
    code, said = finished.forked("export", "model", str(folder))
    assert code == 0, said
    assert f"{folder}: tuned" in said and "own (terms unknown)" in said
    return folder


def test_the_card_has_the_figures_of_the_run(exported: Path, finished: Project) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    scores = finished.read("08_reporting/scores")
    for one in scores[scores.model.isin(["base", "tuned"])].itertuples():
        line = f"| {one.subset} | {one.model} | {one.value:.3f} | {one.ci_low:.3f} to {one.ci_high:.3f} | {one.n} | "
        assert line + f"{one.n_unparsed} |" in card
    for book, own in finished.read("03_primary/passages").groupby("book"):
        assert f"| {book} | own | {len(own)} | {own.n_words.sum():,} |" in card
    assert "on disk are not those" not in card, "what lies there is what was trained on"
    assert f"| the books | own | {len(finished.read('05_model_input/conversations')):,} |" in card
    assert "### Exams" in card and "| pocket_exam | " in card and "| injection | book |" in card


def test_another_model_takes_the_place_of_an_earlier_export(finished: Project, tmp_path: Path) -> None:
    for model in ("base", "injected"):
        code, said = finished.forked("export", "model", str(tmp_path / "out"), "--model", model)
        assert code == 0, said
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["name"] == "injected"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--gguf", "no.py"], "Error: --gguf no.py: no such file"),
        (["--push", "me/small"], "Error: --push: it was trained on own (terms unknown)"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    finished: Project, tmp_path: Path, options: list[str], said: str
) -> None:
    code, output = finished.forked("export", "model", str(tmp_path / "out"), *options)
    assert code == 1 and " ".join(output.split()).startswith(said)
    assert not (tmp_path / "out").exists()


def test_scores_of_an_earlier_checkpoint_are_left_out(scratch: Project, tmp_path: Path) -> None:
    (scratch.data / "06_models/tuned/manifest.json").touch()
    code, said = scratch.forked("export", "model", str(tmp_path / "out"))
    assert code == 0, said
    assert "This checkpoint was not scored." in (tmp_path / "out/README.md").read_text(encoding="utf-8")


def test_a_question_gets_both_answers_and_pages(finished: Project) -> None:
    code, said = finished.forked("ask", "What is the treatment of gout?", "--pages", "1")
    assert code == 0, said
    assert "BASE" in said and "TUNED" in said and "PDF p" in said and "No medical advice" in said
    assert "DEBUG" not in said and "%|" not in said


def test_an_item_is_asked_by_its_id(finished: Project) -> None:
    item = finished.read("05_model_input/exam_items").iloc[0]
    code, said = finished.forked("ask", "--item", item.question_id, "--form", "direct", "--model", "base")
    right = next(one["text"] for one in item.options if one["key"] in item.answer_keys)
    assert code == 0 and right in said.split("KEY")[1] and "TUNED" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask"], "Error: ask one question"),
        (["ask", "Why?", "--item", "x"], "Error: ask one question"),
        (["ask", "Why?"], "Error: there is no passages yet: run `kedro run` first"),
        (["export", "model", "out"], "Error: there is no base model yet: run `kedro run` first"),
    ],
)
def test_before_any_run(bare: Project, arguments: list[str], said: str) -> None:
    code, output = bare.forked(*arguments)
    assert code == 1 and output.startswith(said) and output.count("\n") == 1
