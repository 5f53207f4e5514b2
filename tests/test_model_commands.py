"""``kedro export model`` and ``kedro ask`` on a finished run, and before there is one."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from pyarrow.parquet import read_table, write_table
from tests.conftest import Project

from med_small_lm.finished import how_asked, written_to
from med_small_lm.markdown import significant


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
    for one in scores[scores.model.isin(["base", "tuned"]) & (scores.metric == "accuracy")].itertuples():
        line = f"| {one.subset} | {one.model} | {one.value:.3f} | {one.ci_low:.3f} to {one.ci_high:.3f} | {one.n} | "
        assert line + f"{one.n_unparsed} |" in card
    for book, own in finished.read("03_primary/passages").groupby("book"):
        assert f"| {book} | own | {len(own)} | {own.n_words.sum():,} |" in card
    assert "on disk are not those" not in card, "what lies there is what was trained on"
    assert f"| the books | own | {len(finished.read('05_model_input/conversations')):,} |" in card
    assert "### Exams" in card and "| pocket_exam | " in card and "| injection | book |" in card
    told = finished.data / "06_models/injected/perplexities.json"
    last = [one for one in json.loads(told.read_text(encoding="utf-8")) if not one["book"]][-1]
    assert f" {significant(last['ratio'])} ({significant(last['ratio_low'])} to " in card, "what it gained or forgot"
    asked = re.search(r'"user", "content": (".*?")}\]', card)
    samples = (finished.data / "06_models/tuned/samples.md").read_text(encoding="utf-8")
    assert asked and f"## {json.loads(asked[1])}\n" in samples, "a question that it was not taught"


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
        (
            ["--push", "me/small"],
            'Error: --push: it was trained on texts under the licence "own", which does not say whether',
        ),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    finished: Project, tmp_path: Path, options: list[str], said: str
) -> None:
    code, output = finished.forked("export", "model", str(tmp_path / "out"), *options)
    assert code == 1 and " ".join(output.split()).startswith(said)
    assert not (tmp_path / "out").exists()


def test_what_belongs_to_another_checkpoint_is_left_out(scratch: Project, tmp_path: Path) -> None:
    (scratch.data / "06_models/tuned/manifest.json").touch()
    for name in ("08_reporting/perplexities", "05_model_input/conversations"):
        file = scratch.data / f"{name}.parquet"
        few = read_table(file).slice(0, 3)
        file.unlink()  # the copy is of links
        write_table(few, file)
    code, said = scratch.forked("export", "model", str(tmp_path / "out"))
    assert code == 0, said
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "This checkpoint was not scored: `kedro run --pipelines evaluate`" in card
    assert "The conversations records on disk are not those" in card and "| rephrasing |" in card, "the corpus is"
    assert "| tuning | book |" in card, "perplexities are the checkpoint's own"


def test_a_folder_that_cannot_be_written_is_one_line(finished: Project) -> None:
    code, said = finished.forked("export", "model", "/proc/out", "--model", "base")
    assert code == 1 and said.startswith("Error: /proc/out was not written: ") and said.count("\n") == 1
    code, said = finished.forked("export", "openai", "/proc/out")
    assert code == 1 and said.startswith("Error: /proc/out was not written: ") and said.count("\n") == 1


def test_a_full_disk_keeps_its_own_message() -> None:
    with pytest.raises(OSError, match="No space left"), written_to(Path("out")):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("forms", "form", "asked"),
    [
        (["direct", "explain"], None, "explain"),
        (["proposition", "direct"], None, "proposition"),
        (["direct"], "explain", "explain"),
    ],
)
def test_a_model_is_asked_as_it_was_taught(forms: list[str], form: str | None, asked: str) -> None:
    one = {"instruction": "", "options": "hidden", "ending": "It is", "letters": False}
    told = {
        "evaluate": {"max_new_tokens": 7},
        "answers": {"direct": one, "explain": one},
        "instruction_tune": {"conversations": {"forms": forms}},
    }
    catalog = DataCatalog({f"params:{name}": MemoryDataset(value) for name, value in told.items()})
    chosen, most = how_asked(catalog, form)
    assert (chosen.name, most) == (asked, 7)


def test_a_question_gets_both_answers_and_pages(finished: Project) -> None:
    code, said = finished.forked("ask", "What is the treatment of gout?", "--pages", "1")
    assert code == 0, said
    assert "BASE" in said and "TUNED" in said and "PDF p" in said and "No medical advice" in said
    assert "DEBUG" not in said and "%|" not in said
    assert "BASE (untrained: its weights are random)" in said and "TUNED\n" in said


def test_an_item_is_asked_by_its_id(finished: Project) -> None:
    item = finished.read("05_model_input/exam_items").iloc[0]
    code, said = finished.forked("ask", "--item", item.question_id, "--form", "direct", "--model", "base")
    right = next(one["text"] for one in item.options if one["key"] in item.answer_keys)
    assert code == 0 and right in said.split("KEY")[1] and "TUNED" not in said
    code, said = finished.forked("ask", "--item", item.question_id, "--form", "proposition", "--pages", "0")
    assert code == 0 and f"({item.options[1]['key']})" in said.split("TUNED")[1] and "PAGES" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask"], "Error: ask one question"),
        (["ask", "Why?", "--item", "x"], "Error: ask one question"),
        (["ask", "Why?", "--pages", "0", "--form", "proposition"], "Error: a form of propositions needs options"),
        (["ask", "Why?"], "Error: there is no passages yet: run `kedro run` first"),
        (["export", "model", "out"], "Error: there is no base model yet: run `kedro run` first"),
    ],
)
def test_before_any_run(bare: Project, arguments: list[str], said: str) -> None:
    code, output = bare.forked(*arguments)
    assert code == 1 and output.startswith(said) and output.count("\n") == 1
