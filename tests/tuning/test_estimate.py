"""What a run will need, in a line, before it starts."""

from __future__ import annotations

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.estimate import estimate


def test_line_says_time_memory_and_disk(base: Checkpoint, small: BaseModelParams) -> None:
    injection = InjectionParams(block_size=32, batch_size=2, tokens=64_000, save_steps=0)
    found = estimate(small, injection, TuneParams(block_size=32, batch_size=2, steps=100, save_steps=0), 1000)
    assert 0 < found.seconds < 600
    assert 0.9 < found.disk / (3 * (base.path / "model.safetensors").stat().st_size) < 1.5
    assert str(found).startswith("training needs: about ") and "of disk" in str(found)
    twice = estimate(small, injection.model_copy(update={"save_steps": 5}), TuneParams(), 1000, probe=False)
    assert twice.disk > found.disk and "not tried out" in str(twice)
