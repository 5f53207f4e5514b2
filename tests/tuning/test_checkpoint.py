"""A checkpoint is whole or not there, and is made once."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from med_small_lm.tuning import checkpoint
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError, Draft, Outcome, Plan, digest, finished

PLAN = Plan("injected", {"base": "b"}, {"corpus": "c"}, {"tokens": 1})
OUTCOME = Outcome(10, 2, math.nan, 0.5)


def make(folder: Path, plan: Plan = PLAN, text: str = "weights") -> Checkpoint:
    draft = Draft(folder, plan)
    (draft.path / "model.safetensors").write_text(text)
    (draft.work / "state").write_text("of the trainer")
    return draft.publish(OUTCOME, [{"step": 0, "loss": math.nan}])


def test_published_folder_holds_files_manifest_and_history(tmp_path: Path) -> None:
    made = make(tmp_path / "model")
    assert sorted(p.name for p in made.path.iterdir()) == [
        "README.md", "history.json", "manifest.json", "model.safetensors"
    ]  # fmt: skip
    assert made.manifest.parents == {"base": "b"} and made.manifest.tokens_seen == 10
    assert math.isnan(made.manifest.final_loss) and math.isnan(made.history()[0]["loss"])
    assert json.loads((made.path / "manifest.json").read_text())["final_loss"] is None
    assert not (tmp_path / "model.partial").exists()


def test_same_plan_is_found_and_another_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path / "model")
    with caplog.at_level("INFO"):
        assert finished(tmp_path / "model", PLAN) is not None
    assert "already made" in caplog.text
    assert finished(tmp_path / "model", Plan("injected", {"base": "b"}, {"corpus": "c"}, {"tokens": 2})) is None
    assert finished(tmp_path / "other", PLAN) is None


@pytest.mark.parametrize("harm", ["no manifest", "half a manifest", "no weights", "weights cut short", "field gone"])
def test_incomplete_folder_is_never_taken_for_whole(tmp_path: Path, harm: str) -> None:
    folder = make(tmp_path / "model").path
    manifest, weights = folder / "manifest.json", folder / "model.safetensors"
    if harm == "no manifest":
        manifest.unlink()
    elif harm == "half a manifest":
        manifest.write_text(manifest.read_text()[:100])
    elif harm == "no weights":
        weights.unlink()
    elif harm == "weights cut short":
        weights.write_text("wei")
    else:
        manifest.write_text(json.dumps({k: v for k, v in json.loads(manifest.read_text()).items() if k != "steps"}))
    with pytest.raises(CheckpointError):
        Checkpoint.read(folder)
    assert finished(folder, PLAN) is None


def test_an_older_checkpoint_is_replaced_and_foreign_files_are_not(tmp_path: Path) -> None:
    make(tmp_path / "model")
    newer = make(tmp_path / "model", Plan("injected", {}, {}, {}), "other weights")
    assert (newer.path / "model.safetensors").read_text() == "other weights"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("work of years")
    with pytest.raises(CheckpointError, match="thesis"):
        Draft(tmp_path / "thesis", PLAN)


@pytest.mark.parametrize("older", [False, True])
def test_death_before_the_last_rename_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: bool) -> None:
    if older:
        make(tmp_path / "model", Plan("injected", {}, {}, {}))

    def die(*_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "_rename", die)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "model")
    monkeypatch.undo()
    mended = finished(tmp_path / "model", PLAN)
    assert mended is not None and mended.manifest.fingerprint == PLAN.fingerprint
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_draft_of_the_same_plan_is_kept_and_of_another_is_emptied(tmp_path: Path) -> None:
    (Draft(tmp_path / "model", PLAN).work / "checkpoint-5").mkdir()
    assert (Draft(tmp_path / "model", PLAN).work / "checkpoint-5").is_dir()
    assert not (Draft(tmp_path / "model", Plan("injected", {}, {}, {})).work / "checkpoint-5").exists()


def test_digest_depends_on_content_and_order() -> None:
    assert digest(["a", "b"]) == digest(["a", "b"]) != digest(["b", "a"])
    assert digest([PLAN]) != digest([Plan("injected", {"base": "x"}, {"corpus": "c"}, {"tokens": 1})])
