"""What a training will need, in a line, before it starts; and what would fit where it does not."""

from __future__ import annotations

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

from med_small_lm.errors import UserError
from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import BaseModelParams, InjectionParams
from med_small_lm.params.launch import Launch
from med_small_lm.params.training import OptimiserParams
from med_small_lm.tuning import estimate as module
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.estimate import Place, check, config_of, estimate, refusal, stage_memory, what_fits
from med_small_lm.tuning.memory import training_memory

SHAPE = LlamaConfig(
    vocab_size=512, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2, tie_word_embeddings=True,
)  # fmt: skip
ADAMW = OptimiserParams(name="adamw")


def injection(**changes: object) -> InjectionParams:
    return InjectionParams.model_validate({"block_size": 32, "batch_size": 2, "optimiser": ADAMW} | changes)


def test_line_says_time_memory_and_disk(base: Checkpoint, small: BaseModelParams) -> None:
    loop = InjectionParams(block_size=32, batch_size=2, tokens=64_000, save_steps=0, threads=1)
    found = estimate(small, loop, TuneParams(block_size=32, batch_size=2, steps=100, save_steps=0, threads=1), 1000)
    assert found.seconds > 0
    assert 0.9 < found.disk / (3 * (base.path / "model.safetensors").stat().st_size) < 1.5
    assert str(found).startswith("training needs: about ") and "of disk" in str(found)
    saved = loop.model_copy(update={"save_steps": 5, "best_kept": 2, "tokens": 0})
    twice = estimate(small, saved, TuneParams(steps=0), 1000)
    assert twice.disk > 2 * found.disk


def test_weights_gradients_and_moments_are_counted_to_the_byte() -> None:
    wide = LlamaConfig(**(SHAPE.to_dict() | {"hidden_size": 512, "intermediate_size": 1024}))
    weights = sum(weight.numel() for weight in AutoModelForCausalLM.from_config(wide).parameters())
    found = training_memory(wide, injection(batch_size=1, block_size=8))
    assert 4 * weights <= found.weights < 4 * weights + 4096  # beside the weights the table of the positions
    assert found.gradients == 4 * weights
    assert 8 * weights <= found.optimiser < 8 * weights + 4096  # and a counter for each of them
    low = training_memory(wide, injection(weights="bf16", batch_size=1, block_size=8))
    assert low.gradients == 2 * weights


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"batch_size": 8}, {"batch_size": 4}),
        ({"batch_size": 8, "block_size": 256}, {"batch_size": 8, "block_size": 256, "checkpointing": True}),
        ({"accumulation": 2, "batch_size": 8}, {"accumulation": 1, "batch_size": 8}),
        ({}, {"mode": "lora"}),
        ({"mode": "lora"}, {"mode": "lora_8bit"}),
        ({"mode": "lora_8bit"}, {"mode": "qlora"}),
    ],
)
def test_what_saves_memory_is_seen_to(more: dict[str, object], less: dict[str, object]) -> None:
    assert training_memory(SHAPE, injection(**less)).total < training_memory(SHAPE, injection(**more)).total


def test_layers_that_are_not_gone_through_are_counted() -> None:
    deep = LlamaConfig(**(SHAPE.to_dict() | {"num_hidden_layers": 14}))
    by_layer = {n: LlamaConfig(**(SHAPE.to_dict() | {"num_hidden_layers": n})) for n in (4, 5)}
    four, five = (training_memory(by_layer[n], injection(), packed=True) for n in (4, 5))
    found = training_memory(deep, injection(), packed=True)
    assert found.total == pytest.approx(four.total + 10 * (five.total - four.total), rel=0.02)


def test_fsdp_shares_out_and_ddp_does_not() -> None:
    alone = training_memory(SHAPE, injection())
    shared = training_memory(SHAPE, injection(), ranks=4, strategy="fsdp")
    assert shared.optimiser == pytest.approx(alone.optimiser / 4, rel=0.01)
    assert training_memory(SHAPE, injection(), ranks=4, strategy="ddp").total > alone.total


def test_what_cannot_fit_is_refused_with_what_would() -> None:
    loop = injection(batch_size=64, block_size=128)
    memory = training_memory(SHAPE, loop, packed=False, device="cuda")
    said = refusal(SHAPE, loop, memory, Launch(), Place("cuda", memory.total - (5 << 20), 1))
    assert "needs" in said and "the smallest GPU has" in said and "\n" not in said
    assert "this would fit" in said and "batch_size: 32, accumulation: 2" in said
    assert refusal(SHAPE, loop, memory, Launch(), Place("cuda", 2 * memory.total, 1)) == ""


def test_the_gentlest_change_that_fits_is_named() -> None:
    wide = LlamaConfig(**(SHAPE.to_dict() | {"hidden_size": 1024, "intermediate_size": 4096}))
    one = injection(batch_size=1, accumulation=4)
    itself = training_memory(SHAPE, injection(batch_size=1, block_size=8), device="cuda").total
    full = training_memory(wide, one, packed=False, device="cuda").total
    room = Place("cuda", itself + (full - itself) // 2, 1)
    assert "optimiser.name: adamw_8bit" in what_fits(wide, one, Launch(), room)
    several = Place("cuda", itself + (full - itself) * 3 // 4, 8)
    assert "processes: 8, strategy: fsdp" in what_fits(wide, one, Launch(), several)
    assert what_fits(wide, one, Launch(), Place("cuda", itself // 2, 8)).startswith("no batch")


@pytest.mark.parametrize("how", ["torchrun", "slurm"])
def test_what_is_quantised_is_held_whole_and_proposed_so(how: str) -> None:
    wide = LlamaConfig(**(SHAPE.to_dict() | {"hidden_size": 1024, "intermediate_size": 4096}))
    shared = Launch(how=how, processes=8, strategy="fsdp")
    whole, vast = shared.model_copy(update={"strategy": "ddp"}), Place("cuda", 1 << 60, 8)
    lora, low = (injection(batch_size=1, mode=mode, precision="bf16", checkpointing=True) for mode in ("lora", "qlora"))
    needed = stage_memory(wide, low, whole, vast)
    assert stage_memory(wide, low, shared, vast) == needed
    said = what_fits(wide, lora, shared, Place("cuda", int(1.06 * needed.total), 8))
    assert "mode: qlora" in said and said.endswith(f"launch: {{how: {how}, processes: 8, strategy: ddp}}")


def test_what_cannot_go_together_is_refused_with_the_cure() -> None:
    shared = Launch(how="torchrun", processes=2, strategy="fsdp")
    with pytest.raises(UserError, match="fsdp cannot share out .* mode qlora; take strategy: ddp"):
        check(SHAPE, injection(mode="qlora"), shared, "here")
    check(SHAPE, injection(mode="lora"), shared, "here")
    check(SHAPE, injection(mode="qlora"), shared.model_copy(update={"processes": 1}), "here")
    short = LlamaConfig(**(SHAPE.to_dict() | {"max_position_embeddings": 16}))
    with pytest.raises(UserError, match=r"here.block_size is 32 tokens, .* reads 16 at most; take block_size: 16"):
        check(short, injection(), Launch(), "here")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_hub_is_open_for_the_shape_alone(allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shut: list[bool] = []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(AutoConfig, "from_pretrained", lambda *_, **__: shut.append(constants.HF_HUB_OFFLINE))
    config_of(BaseModelParams(source="some/model", allow_download=allowed))
    assert shut == [not allowed] and constants.HF_HUB_OFFLINE


def test_only_the_gpus_that_train_are_asked_and_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 8)
    monkeypatch.setattr(module, "FREE", "import sys; print(*[70, 60, 50, 40][: int(sys.argv[1])])")
    assert Place.here(Launch()) == Place("cuda", 70, 8)
    assert Place.here(Launch(how="torchrun", processes=3)) == Place("cuda", 50, 8)
    monkeypatch.setattr(module, "FREE", "raise SystemExit('all in use')")
    with pytest.raises(UserError, match="free: all in use$"):
        Place.here(Launch())


def test_nothing_is_allocated() -> None:
    huge = LlamaConfig(hidden_size=8192, intermediate_size=28672, num_hidden_layers=80, num_attention_heads=64,
                       num_key_value_heads=8, vocab_size=128_256)  # fmt: skip
    before = torch.get_rng_state()
    found = training_memory(huge, injection(mode="qlora", precision="bf16", checkpointing=True))
    assert 35e9 < found.total < 60e9  # Llama 2 and 3 of 70 B: "a 48 GB GPU" (QLoRA, Dettmers et al. 2023)
    assert torch.equal(torch.get_rng_state(), before)
