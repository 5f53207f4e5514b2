"""Muon steps as torch's own does, AdamW takes the rest, and both go on after a save."""

from __future__ import annotations

import copy

import pytest
import torch

from med_small_lm.params.training import OptimiserParams
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.optimiser import Muon, hidden_matrices, make_optimiser, orthogonalised
from med_small_lm.tuning.weights import load

IDS = torch.randint(6, 90, (2, 16), generator=torch.Generator().manual_seed(0))


def steps(model: torch.nn.Module, optimiser: torch.optim.Optimizer, n: int) -> None:
    for _ in range(n):
        model(input_ids=IDS, labels=IDS).loss.backward()
        optimiser.step()
        optimiser.zero_grad()


def test_hidden_matrices_are_those_of_the_layers(base: Checkpoint) -> None:
    model, _ = load(base)
    names = {id(weight): name for name, weight in model.named_parameters()}
    found = sorted(names[id(weight)] for weight in hidden_matrices(model))
    assert found == sorted(name for name in names.values() if name.endswith("proj.weight"))
    assert len(found) == 2 * 7


def test_steps_are_those_of_torch(base: Checkpoint) -> None:
    ours, _ = load(base)
    theirs = copy.deepcopy(ours)
    params = OptimiserParams(learning_rate=1e-3, muon_learning_rate=1e-2)
    steps(ours, make_optimiser(ours, params), 3)
    hidden = hidden_matrices(theirs)
    rest = [w for w in theirs.parameters() if id(w) not in {id(h) for h in hidden}]
    muon = torch.optim.Muon(hidden, lr=1e-2, weight_decay=0.01)
    adamw = torch.optim.AdamW(rest, lr=1e-3, weight_decay=0.01, betas=(0.9, 0.95))
    for _ in range(3):
        theirs(input_ids=IDS, labels=IDS).loss.backward()
        muon.step()
        adamw.step()
        theirs.zero_grad()
    for name, weight in theirs.named_parameters():
        assert torch.allclose(ours.get_parameter(name), weight, atol=2e-3), name


def test_orthogonalised_keeps_order_shape_and_directions() -> None:
    matrices = [torch.randn(shape, generator=torch.Generator().manual_seed(n)) for n, shape in
                enumerate([(8, 8), (4, 9), (9, 4), (8, 8), (4, 9)])]  # fmt: skip
    for matrix, found in zip(matrices, orthogonalised(matrices, 5), strict=True):
        assert found.shape == matrix.shape
        u, _, v = torch.linalg.svd(matrix, full_matrices=False)
        assert torch.linalg.svdvals(found).max() < 1.3
        assert float((found * (u @ v)).sum() / found.norm() / (u @ v).norm()) > 0.9


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_goes_on_after_a_save_as_if_nothing_had_been(base: Checkpoint, name: str) -> None:
    model, _ = load(base)
    params = OptimiserParams(name=name)
    optimiser = make_optimiser(model, params)
    steps(model, optimiser, 2)
    twin = copy.deepcopy(model)
    resumed = make_optimiser(twin, params)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    steps(model, optimiser, 2)
    steps(twin, resumed, 2)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_schedule_reaches_both_groups(base: Checkpoint) -> None:
    model, _ = load(base)
    optimiser = make_optimiser(model, OptimiserParams(learning_rate=1e-3, muon_learning_rate=1e-2))
    assert isinstance(optimiser, Muon)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5e-3, 0.5e-2]
    assert schedule.get_last_lr()[0] == 0.5e-3
