"""Loading a checkpoint, and the parameters of an evaluation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

import med_small_lm
from med_small_lm.benchmarks.models import CheckpointError, load
from med_small_lm.params.evaluate import Evaluate


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


def test_an_adapter_from_elsewhere_is_put_on_a_model(checkpoint: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    model, _ = load(checkpoint)
    weights = {name: weight.clone() for name, weight in model.named_parameters()}
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(str(tmp_path))
    changed, _ = load(checkpoint, adapters=[tmp_path])
    apart = {name for name, weight in changed.named_parameters() if not torch.equal(weight, weights[name])}
    assert apart == {name for name in weights if "q_proj" in name}
    (tmp_path / "adapter_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="adapter cannot be read"):
        load(checkpoint, adapters=[tmp_path])


def test_parameters() -> None:
    assert Evaluate(models=(), candidates={"gpt": {"model": "gpt2"}}).names == ("gpt",)  # type: ignore[dict-item]
    for wrong in (
        {"models": ()}, {"shots": (-1,)}, {"shots": (1, 1)}, {"contexts": ("own",)}, {"normalise": "sum"},
        {"modes": ()}, {"modes": ("guess",)}, {"models": ("a", "a")}, {"batch_tokens": 1}, {"colour": 1},
    ):  # fmt: skip
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
