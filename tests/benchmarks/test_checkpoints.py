"""Loading a checkpoint, and all that it answers to a benchmark."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

import med_small_lm
from med_small_lm.benchmarks.models import CheckpointError, load
from med_small_lm.benchmarks.predict import predict
from med_small_lm.params.evaluate import Evaluate

SMALL = Evaluate(max_new_tokens=6, batch_tokens=2_000)


def test_every_mode_and_control(checkpoint: Path, questions: Any, forms: Any) -> None:
    seen: list[tuple[str, int, int]] = []
    made = predict(checkpoint, "tuned", "exam", questions, forms, SMALL, lambda *at: seen.append(at))
    runs = list(dict.fromkeys((entry.mode, entry.variant) for entry in made))
    assert runs == [
        ("likelihood", "option_text/0-shot"),
        ("likelihood", "stem_hidden/0-shot"),
        ("generation", "explain/0-shot"),
    ]
    for run in runs:
        answered = [entry.question_id for entry in made if (entry.mode, entry.variant) == run]
        assert answered == [question.question_id for question in questions]
    assert {(entry.model, entry.benchmark, entry.sample) for entry in made} == {("tuned", "exam", 0)}
    assert ("generation explain/0-shot", 4, 4) in seen
    assert predict(checkpoint, "tuned", "exam", questions, forms, SMALL) == made


def test_only_what_is_asked_for(checkpoint: Path, questions: Any, forms: Any) -> None:
    likelihood = replace_params(modes=("likelihood",), controls=(), normalise="length", shared_prefix=False)
    made = predict(checkpoint, "base", "exam", questions, forms, likelihood)
    assert {(entry.mode, entry.variant) for entry in made} == {("likelihood", "option_text/0-shot")}
    for entry in made:
        best = max(entry.option_logprobs, key=lambda option: option.logprob / option.n_tokens)
        assert entry.answer_keys == [best.key] and entry.state == "parsed"
    written = predict(checkpoint, "base", "exam", questions, forms, replace_params(modes=("generation",)))
    assert {entry.mode for entry in written} == {"generation"}


def replace_params(**changes: Any) -> Evaluate:
    return Evaluate(**{**SMALL.model_dump(), **changes})


def test_no_options(checkpoint: Path, questions: Any, forms: Any) -> None:
    with pytest.raises(ValueError, match="1 questions of exam have no options, the first is exam-0002"):
        predict(checkpoint, "m", "exam", [questions[0], replace(questions[1], options=[])], forms, SMALL)


def test_load(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    assert next(model.parameters()).dtype == torch.float32 and not model.training
    assert tokenizer.chat_template


def test_folders_that_are_no_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="config.json is missing"):
        load(tmp_path / "nothing")
    pickled = tmp_path / "pickled"
    shutil.copytree(checkpoint, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="no \\*.safetensors"):
        load(pickled)
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    (broken / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(broken)
    partial = tmp_path / "partial"
    shutil.copytree(checkpoint, partial)
    weights = load_file(partial / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, partial / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="lacks weights: lm_head.weight"):
        load(partial)
    silent = tmp_path / "silent"
    shutil.copytree(checkpoint, silent)
    (silent / "chat_template.jinja").unlink()
    with pytest.raises(CheckpointError, match="no chat template"):
        load(silent)


def test_parameters() -> None:
    for wrong in ({"modes": ()}, {"modes": ("guess",)}, {"models": ("a", "a")}, {"batch_tokens": 1}, {"colour": 1}):
        with pytest.raises(ValidationError):
            Evaluate(**wrong)  # type: ignore[arg-type]


def test_slow_libraries_are_left_alone() -> None:
    names = ["answers.extraction", "benchmarks", "params.evaluate"]
    names += [f"benchmarks.{name}" for name in ("ask", "items", "scoring", "lineage", "trace", "report")]
    imports = "; ".join(f"import med_small_lm.{name}" for name in names)
    code = f"import sys; {imports}; print({{'torch', 'transformers', 'sklearn', 'statsmodels'}} & set(sys.modules))"
    source = str(Path(med_small_lm.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": source}
    )
    assert ran.stdout == "set()\n"
