"""Modes of training: what is trained, what comes out, and what it gives back when it is loaded."""

from __future__ import annotations

import copy
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tuning import sharing
from transformers import AutoModelForCausalLM, Gemma2Config, GPT2Config, MistralConfig, Qwen2Config

from med_small_lm.benchmarks import models
from med_small_lm.errors import UserError
from med_small_lm.params.training import AdapterParams, LoopParams, OptimiserParams
from med_small_lm.tuning import modes
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError, Draft, Outcome, Plan
from med_small_lm.tuning.optimiser import make_optimiser
from med_small_lm.tuning.weights import load, read, save

MODES = ("full", "lora", "lora_8bit", "qlora")
ADAPTERS = MODES[1:]
TARGETS = ("all-linear",)
SHAPES: dict[str, Any] = {
    "gpt2": GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=128,  # BioMedLM's; its matrices are transposed
                       resid_pdrop=0, embd_pdrop=0, attn_pdrop=0),
    "mistral": MistralConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                             num_key_value_heads=1, head_dim=16, sliding_window=None),
    "qwen2": Qwen2Config(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                         num_key_value_heads=1, tie_word_embeddings=False),
    "gemma2": Gemma2Config(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                           num_key_value_heads=1, head_dim=16, tie_word_embeddings=True),
}  # fmt: skip


def params(mode: str, merge: bool = True, targets: tuple[str, ...] = TARGETS, **more: Any) -> LoopParams:
    return LoopParams(mode=mode, adapter=AdapterParams(targets=targets, merge=merge, dropout=0), **more)


def publish(
    model: Any, tokenizer: Any, folder: Path, *parents: Checkpoint, how: LoopParams | None = None
) -> Checkpoint:
    """What a stage makes of a model: a draft, written by the mode, published."""
    plan = Plan(folder.name, {one.manifest.name: one.manifest.fingerprint for one in parents}, {"to": str(folder)}, {})
    draft = Draft(folder, plan)
    if how is None:
        save(model, tokenizer, draft.path)
    else:
        modes.write(model, tokenizer, parents[0], how, draft.path)
    return draft.publish(Outcome(0, 0, math.nan, 0.0), [])


def shaped(name: str, base: Checkpoint, folder: Path) -> Checkpoint:
    """A checkpoint of another architecture, random weights, with the base's tokenizer."""
    torch.manual_seed(0)
    _, tokenizer = load(base)
    config = SHAPES[name]
    for key, value in (("vocab_size", len(tokenizer)), ("pad_token_id", 0), ("bos_token_id", 0), ("eos_token_id", 0)):
        setattr(config, key, value)
    return publish(AutoModelForCausalLM.from_config(config), tokenizer, folder / name)


def rows(model: Any) -> torch.Tensor:
    """Rows that a few steps learn: four tokens in turn."""
    return torch.arange(24).remainder(4).add(20).repeat(4, 1)


def trained(model: Any, steps: int = 6, bf16: bool = False) -> list[float]:
    """Losses of a few steps on the same rows, the last one after the last step."""
    ids, losses = rows(model), []
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-2)
    model.train()
    for _ in range(steps + 1):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(input_ids=ids, labels=ids).loss
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        if len(losses) <= steps:
            optimiser.step()
    return losses


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=rows(model)).logits.float()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_trains(base: Checkpoint, mode: str, precision: str) -> None:
    how = params(mode, precision=precision, weights=precision, checkpointing=precision == "bf16")
    model, _ = modes.trainable(base, how)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    losses = trained(model, bf16=precision == "bf16")
    assert losses[-1] < losses[0] - 0.3, losses
    assert not model.config.use_cache
    for name, weight in model.named_parameters():
        changes = mode == "full" or ".lora_" in name
        assert weight.requires_grad == changes, name
        if not changes:
            assert torch.equal(weight, before[name]), name
        elif mode != "full":
            assert weight.dtype == torch.float32, name
    wanted = torch.bfloat16 if precision == "bf16" else torch.float32
    assert model.get_input_embeddings().weight.dtype == wanted


@pytest.mark.parametrize("mode", ADAPTERS)
def test_bits_of_the_frozen_weights(base: Checkpoint, mode: str) -> None:
    model, _ = modes.trainable(base, params(mode))
    layer = model.model.layers[0].self_attn.q_proj.base_layer
    kind = {"lora": torch.float32, "lora_8bit": torch.int8, "qlora": torch.uint8}[mode]
    assert layer.weight.dtype == kind
    if mode == "qlora":
        state = layer.weight.quant_state
        assert (state.quant_type, state.nested, state.dtype) == ("nf4", True, torch.float32)


# How far the merged model may be from the one that was trained. In fp32 they differ by rounding alone (1e-5 of the
# greatest logit). bf16 keeps 8 bits of each product (0.4 %), and a few layers of them come to 2 %. With 8 and 4 bits
# the adapter is merged into the weights as they were before they were quantised: the distance is that of the
# quantised base model from the base model itself, and training may widen it by a half.
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("mode", ADAPTERS)
def test_merged_gives_the_same_outputs(base: Checkpoint, tmp_path: Path, mode: str, precision: str) -> None:
    how = params(mode, precision=precision)
    model, tokenizer = modes.trainable(base, how)
    plain = logits(load(base)[0])
    quantised = (logits(model) - plain).abs().max()
    trained(model, bf16=precision == "bf16")
    said = logits(model)
    checkpoint = publish(model, tokenizer, tmp_path / "tuned", base, how=how)
    found = logits(load(checkpoint)[0])
    allowed = {"fp32": 1e-5, "bf16": 2e-2}[precision] * said.abs().max()
    if mode != "lora":
        allowed = allowed + 1.5 * quantised
    assert (found - said).abs().max() <= allowed
    assert (found - plain).abs().max() > 3 * allowed, "training changed too little to tell anything"
    assert next(load(checkpoint)[0].parameters()).dtype == torch.float32, "the precision of the start"
    again = read(base.path, dtype="auto")
    assert torch.equal(logits(models.load(checkpoint.path, "cpu")[0]), found)
    assert torch.equal(logits(modes.merged_model(base, checkpoint.path / modes.ADAPTER)), found)
    assert not torch.equal(logits(again), found)


@pytest.mark.parametrize("mode", ADAPTERS)
def test_adapter_by_itself_is_read_through_its_parents(base: Checkpoint, tmp_path: Path, mode: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(base.path, data / "base")
    start = Checkpoint.read(data / "base")
    whole = {}
    for merge in (True, False):
        model, tokenizer = modes.trainable(start, params(mode, merge))
        trained(model)
        whole[merge] = publish(model, tokenizer, data / f"tuned-{merge}", start, how=params(mode, merge))
    alone = whole[False].path
    assert not (alone / "config.json").exists() and not (alone / "model.safetensors").exists()
    assert json.loads((alone / "adapter_config.json").read_text())["base_model_name_or_path"] == "../base"
    assert (alone / "adapter_model.safetensors").stat().st_size < (data / "base/model.safetensors").stat().st_size
    shutil.move(data, tmp_path / "moved")
    found = Checkpoint.read(tmp_path / "moved/tuned-False")
    expected = logits(load(Checkpoint.read(tmp_path / "moved/tuned-True"))[0])
    model, tokenizer = load(found)
    assert torch.equal(logits(model), expected) and tokenizer.chat_template
    assert torch.equal(logits(models.load(found.path, "cpu")[0]), expected)


def test_two_adapters_are_the_sum(base: Checkpoint, tmp_path: Path) -> None:
    how = params("lora", merge=False)
    start, deltas = base, []
    for name in ("injected", "tuned"):
        model, tokenizer = modes.trainable(start, how, seed=len(deltas))
        assert torch.allclose(logits(model), logits(load(start)[0]), atol=1e-6), "it goes on from its parent"
        trained(model, 3)
        layer = model.model.layers[0].mlp.up_proj
        deltas.append((layer.lora_B.default.weight @ layer.lora_A.default.weight).detach() * layer.scaling["default"])
        start = publish(model, tokenizer, tmp_path / name, start, how=how)
        assert not list(tmp_path.glob(".*")), "the merged copy is gone"
    first = read(base.path, dtype="auto").model.layers[0].mlp.up_proj.weight
    found = load(start)[0].model.layers[0].mlp.up_proj.weight
    assert torch.allclose(found, first + deltas[0] + deltas[1], atol=1e-6)
    assert min(float(delta.abs().max()) for delta in deltas) > 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_goes_on_from_an_adapter(base: Checkpoint, tmp_path: Path, mode: str) -> None:
    how = params("lora", merge=False)
    model, tokenizer = modes.trainable(base, how)
    trained(model)
    injected = publish(model, tokenizer, tmp_path / "injected", base, how=how)
    model, tokenizer = modes.trainable(injected, params(mode))
    before, far = logits(load(injected)[0]), logits(load(base)[0])
    assert (logits(model) - before).abs().max() < 0.5 * (before - far).abs().max()
    trained(model)
    tuned = publish(model, tokenizer, tmp_path / "tuned", injected, how=params(mode))
    assert (tuned.path / "config.json").is_file()
    assert torch.equal(logits(models.load(tuned.path, "cpu")[0]), logits(load(tuned)[0]))


OTHERS = [(shape, mode) for shape in SHAPES for mode in ("lora", "qlora")] + [("gpt2", "lora_8bit"), ("qwen2", "full")]


@pytest.mark.parametrize(("shape", "mode"), OTHERS)
def test_other_architectures(base: Checkpoint, tmp_path: Path, shape: str, mode: str) -> None:
    start = shaped(shape, base, tmp_path)
    how = params(mode, checkpointing=True)
    model, tokenizer = modes.trainable(start, how)
    losses = trained(model)
    assert losses[-1] < losses[0] - 0.1, losses
    said = logits(model)
    found, _ = load(publish(model, tokenizer, tmp_path / "tuned", start, how=how))
    close = 1e-5 if mode in ("full", "lora") else 0.3  # weights of 0.02 at random lose a lot in 4 bits
    assert (logits(found) - said).abs().max() <= close * said.abs().max()
    assert found.config.use_cache == load(start)[0].config.use_cache


def test_adapters_start_alike_and_leave_the_random_numbers_alone(base: Checkpoint) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    one, _ = modes.trainable(base, params("lora"))
    assert torch.equal(torch.rand(1), wanted)
    two, _ = modes.trainable(base, params("lora"))
    other, _ = modes.trainable(base, params("lora"), seed=1)
    name = "model.layers.0.self_attn.q_proj.lora_A.default.weight"
    assert torch.equal(one.get_parameter(name), two.get_parameter(name))
    assert not torch.equal(one.get_parameter(name), other.get_parameter(name))


def test_an_adapter_that_was_not_trained_is_not_saved(base: Checkpoint, tmp_path: Path) -> None:
    model, tokenizer = modes.trainable(base, params("lora"))
    with pytest.raises(CheckpointError, match="the adapter is empty"):
        modes.write(model, tokenizer, base, params("lora"), tmp_path)


def test_a_target_that_is_not_there_names_those_that_are(base: Checkpoint, tmp_path: Path) -> None:
    start = shaped("gpt2", base, tmp_path)
    with pytest.raises(UserError, match=r"adapter.targets: .* q_proj; there are c_attn, c_fc, c_proj$"):
        modes.trainable(start, params("lora", targets=("c_attn", "q_proj")))
    with pytest.raises(UserError, match="lm_head"):  # the output layer: tied to the embedding in many models
        modes.trainable(base, params("lora", targets=("lm_head",)))
    model, _ = modes.trainable(base, params("lora", targets=("q_proj", "v_proj")))
    assert sum(".lora_A." in name for name, _ in model.named_parameters()) == 4


@pytest.mark.parametrize("mode", ["lora_8bit", "qlora"])
def test_quantised_weights_are_not_shared_out(base: Checkpoint, mode: str) -> None:
    with pytest.raises(UserError, match="launch.strategy: fsdp .* strategy: ddp"):
        modes.trainable(base, params(mode), shards=2)


def alone(base: Checkpoint, folder: Path) -> tuple[Checkpoint, Checkpoint]:
    """A parent and an adapter on it."""
    shutil.copytree(base.path, folder / "base")
    start, how = Checkpoint.read(folder / "base"), params("lora", merge=False)
    model, tokenizer = modes.trainable(start, how)
    trained(model, 2)
    return start, publish(model, tokenizer, folder / "tuned", start, how=how)


def refused(checkpoint: Checkpoint, why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        load(checkpoint)
    with pytest.raises(CheckpointError, match=why):
        modes.trainable(checkpoint, params("lora"))
    with pytest.raises(models.CheckpointError, match=why):
        models.load(checkpoint.path, "cpu")


def test_a_parent_that_is_gone(base: Checkpoint, tmp_path: Path) -> None:
    start, adapter = alone(base, tmp_path)
    shutil.rmtree(start.path)
    refused(adapter, r"an adapter on \.\./base, which is gone")


def test_a_parent_that_is_another_model(base: Checkpoint, tmp_path: Path) -> None:
    start, adapter = alone(base, tmp_path)
    manifest = json.loads((start.path / "manifest.json").read_text())
    (start.path / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "0" * 64}))
    refused(adapter, "an adapter on another model than the one in .*base")


def test_an_adapter_that_lacks_weights(base: Checkpoint, tmp_path: Path) -> None:
    _, adapter = alone(base, tmp_path)
    file = adapter.path / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({name: weight for name, weight in weights.items() if ".0." not in name}, file)
    refused(adapter, "does not hold the adapter")
    file.write_bytes(file.read_bytes()[:100])
    refused(adapter, "the adapter cannot be read")


def test_8_bit_moments_go_on_where_they_were() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Embedding(100, 64), torch.nn.Linear(64, 100))
    ids = torch.arange(100)

    def steps(optimiser: Any, n: int) -> float:
        for _ in range(n):
            loss = torch.nn.functional.cross_entropy(model(ids), ids)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        return loss.item()

    settings = OptimiserParams(name="adamw_8bit", learning_rate=1e-2)
    optimiser = make_optimiser(model, settings)
    first, last = steps(optimiser, 1), steps(optimiser, 9)
    assert last < first / 2
    kinds = {name: optimiser.state[weight]["state1"].dtype for name, weight in model.named_parameters()}
    assert kinds == {"0.weight": torch.float32, "1.weight": torch.uint8, "1.bias": torch.float32}
    saved, told = copy.deepcopy(model.state_dict()), copy.deepcopy(optimiser.state_dict())
    storages = [value.data_ptr() for state in told["state"].values() for value in state.values()
                if isinstance(value, torch.Tensor)]  # fmt: skip
    assert len(storages) == len(set(storages)), "safetensors takes no tensor twice"
    unbroken = steps(optimiser, 3)
    model.load_state_dict(saved)
    fresh = make_optimiser(model, settings)
    fresh.load_state_dict(told)
    assert steps(fresh, 3) == unbroken


def test_two_ranks_under_fsdp_write_what_one_writes(base: Checkpoint, tmp_path: Path) -> None:
    shutil.copytree(base.path, tmp_path / "base")
    start, how = Checkpoint.read(tmp_path / "base"), params("lora", merge=False)
    model, tokenizer = modes.trainable(start, how)
    trained(model, 2)
    publish(model, tokenizer, tmp_path / "adapter", start, how=how)
    shaped("gpt2", base, tmp_path)
    ranks = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "tests.tuning.sharing", str(tmp_path)],
        cwd=Path(__file__).parents[2], env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "src"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ranks.returncode == 0, ranks.stderr[-3000:]
    for mode, name, parent in sharing.CASES:
        losses = sharing.work(tmp_path, mode, name, parent)
        found = [float(loss) for loss in (tmp_path / f"losses-{name}-{parent}.txt").read_text().split()]
        assert found == pytest.approx(losses, abs=1e-5), name
        one, two = (tmp_path / f"{mode}-{name}-{parent}-{n}" for n in (1, 2))
        assert sorted(path.name for path in one.iterdir()) == sorted(path.name for path in two.iterdir())
        for file in one.glob("*.json"):
            assert file.read_text() == (two / file.name).read_text()
        (file,) = one.glob("*.safetensors")
        weights, others = load_file(file), load_file(two / file.name)
        # a moment that stands between two of its 256 values may round the other way
        close = 1e-3 if name == "adamw_8bit" else 1e-5
        assert weights.keys() == others.keys()
        for key, weight in weights.items():
            assert torch.allclose(weight, others[key], rtol=0, atol=close), (name, key)
