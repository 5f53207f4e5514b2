"""Perplexity is that of each text read alone, the same on any number of ranks, with intervals that hold."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tuning.ranks_of_perplexity import BATCH, TEXTS
from transformers import AutoModelForCausalLM

from med_small_lm.schemas.frames import Perplexities
from med_small_lm.schemas.rows import CorpusText, Perplexity
from med_small_lm.schemas.tables import to_frame
from med_small_lm.tuning import perplexity
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.corpus import held_out_by_book
from med_small_lm.tuning.perplexity import Text, change_of, losses, measured, perplexity_of


@pytest.fixture(scope="module")
def model(base: Checkpoint) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(base.path).eval()


def alone(model: torch.nn.Module, ids: list[int], under: list[bool]) -> float:
    """Nats of one stretch, token by token."""
    logs = model(input_ids=torch.tensor([ids])).logits[0].detach().log_softmax(-1)
    return -sum(float(logs[k - 1, ids[k]]) for k in range(1, len(ids)) if under[k])


def test_a_text_loses_what_it_loses_alone(model: torch.nn.Module) -> None:
    ids, half = list(range(5, 45)), [k % 2 == 0 for k in range(40)]
    found = losses(model, [Text(ids), Text(ids, half), Text([7]), Text([]), Text(ids, [False] * 40)])
    assert found[:, 1].tolist() == [39, 19, 0, 0, 0]
    assert found[0, 0] == pytest.approx(alone(model, ids, [True] * 40), abs=1e-4)
    assert found[1, 0] == pytest.approx(alone(model, ids, half), abs=1e-4)
    assert found[2:, 0].tolist() == [0, 0, 0] and losses(model, []).shape == (0, 2)


def test_a_text_longer_than_the_positions_is_read_in_stretches(model: torch.nn.Module) -> None:
    ids = [4 + k % 90 for k in range(300)]
    [[nats, tokens]] = losses(model, [Text(ids)])
    parts = [ids[:128], ids[128:256], ids[256:]]
    assert tokens == 300 - 3
    assert nats == pytest.approx(sum(alone(model, part, [True] * len(part)) for part in parts), abs=1e-3)


def test_a_text_of_an_array_is_read_where_it_stands(model: torch.nn.Module) -> None:
    ids = np.arange(300) % 90 + 4
    pieces = list(Text(ids, np.arange(300) % 2 == 0).stretches(128))
    assert all(np.shares_memory(piece, ids) for piece, _ in pieces) and [len(piece) for piece, _ in pieces] == [
        128,
        128,
        44,
    ]
    assert [int(learnt.sum()) for _, learnt in pieces] == [63, 63, 21]
    assert losses(model, [Text(ids)]).tolist() == losses(model, [Text(ids.tolist())]).tolist()


def test_batches_are_bounded_and_change_nothing(model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    plain = perplexity._nats
    monkeypatch.setattr(
        perplexity,
        "_nats",
        lambda model, batch: seen.append(len(batch) * max(len(one.ids) for one in batch)) or plain(model, batch),
    )
    small, large = losses(model, TEXTS, 200), losses(model, TEXTS, 10_000)
    assert len(seen) > 5 and max(seen[:-1]) <= 200 and small == pytest.approx(large, abs=1e-3)


def test_the_model_stays_in_its_mode(model: torch.nn.Module) -> None:
    for mode in (True, False):
        model.train(mode)
        losses(model, [Text([5, 6, 7])])
        assert model.training is mode


def test_two_ranks_find_what_one_finds_whole_and_sharded(base: Checkpoint, tmp_path: Path) -> None:
    told = losses(AutoModelForCausalLM.from_pretrained(base.path), TEXTS, BATCH)
    script = Path(__file__).with_name("ranks_of_perplexity.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run([*command, str(base.path), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("whole0", "whole1", "shared0", "shared1"):
        found = np.load(tmp_path / f"{name}.npy")
        assert found[:, 1].tolist() == told[:, 1].tolist()
        assert found[:, 0] == pytest.approx(told[:, 0], abs=1e-4), name
    assert len(list(perplexity._batches(TEXTS, 128, BATCH))) % 2, "no rank had to read a batch for nothing"


def test_perplexity_is_exp_of_the_mean_a_token() -> None:
    value, low, high = perplexity_of(np.array([[10.0, 5], [30.0, 10], [0.0, 0]]))
    assert value == pytest.approx(math.exp(40 / 15)) and math.exp(2) <= low < value < high <= math.exp(3)
    assert all(math.isnan(one) for one in perplexity_of(np.zeros((3, 2))))
    value, *interval = perplexity_of(np.array([[10.0, 5]]))
    assert value == pytest.approx(math.exp(2)) and all(math.isnan(one) for one in interval), "one text tells no spread"
    assert perplexity_of(np.array([[1e6, 5], [1e6, 5]]))[0] == math.exp(700)


def test_the_interval_holds_the_truth_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perplexity, "RESAMPLES", 400)
    draw = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        tokens = draw.integers(50, 150, 60)
        nats = tokens * draw.normal(2.0, 0.5, 60)
        _, low, high = perplexity_of(np.column_stack([nats, tokens]), trial)
        held += low <= math.exp(2.0) <= high
    assert 0.88 <= held / 200 <= 0.99


def test_pairs_tell_more_than_their_two_intervals() -> None:
    draw = np.random.default_rng(0)
    tokens = draw.integers(50, 150, 40)
    before = np.column_stack([tokens * draw.normal(3, 1, 40), tokens])  # texts differ far more than the models
    after = before - np.column_stack([tokens * draw.normal(0.1, 0.02, 40), np.zeros(40)])
    value, low, high = change_of(before, after)
    assert low < value < high < 1 and value == pytest.approx(math.exp(-0.1), abs=0.01)
    apart = perplexity_of(before)[1] / perplexity_of(after)[2], perplexity_of(before)[2] / perplexity_of(after)[1]
    assert apart[0] < 1 < apart[1]
    assert change_of(before, before) == (1, 1, 1)
    assert all(math.isnan(one) for one in change_of(before[:0], after[:0]))


def test_draws_in_parts_tell_the_same_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = np.column_stack([np.arange(1.0, 51), np.full(50, 10.0)])
    whole = perplexity_of(lost)
    monkeypatch.setattr(perplexity, "DRAWS_AT_ONCE", 70)
    assert perplexity_of(lost) == pytest.approx(whole, rel=0.03)


HELD_OUT = {
    ("book", "a"): [Text(list(range(5, 30))), Text(list(range(9, 50)))],
    ("book", "b"): [Text(list(range(50, 90)))],
    ("general", ""): [Text(list(range(20, 60))), Text(list(range(30, 50)))],
    ("paper", ""): [],
}


def test_rows_are_of_sources_and_books(model: torch.nn.Module, tmp_path: Path) -> None:
    first = measured(model, HELD_OUT, "injection", 0, start=tmp_path / "start.npy")
    assert [(row.source, row.book, row.n_texts, row.tokens) for row in first] == [
        ("book", "", 3, 24 + 40 + 39), ("book", "a", 2, 64), ("book", "b", 1, 39), ("general", "", 2, 39 + 19),
    ]  # fmt: skip
    assert all(row.ratio == 1 for row in first) and first[0].ci_low < first[0].perplexity < first[0].ci_high
    books = losses(model, [text for own in list(HELD_OUT.values())[:2] for text in own])
    assert first[0].perplexity == pytest.approx(math.exp(books[:, 0].sum() / books[:, 1].sum()))
    Perplexities.validate(to_frame(first, Perplexity))


def test_ratios_stand_against_the_stages_own_start_after_a_resume_too(base: Checkpoint, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base.path)
    first = measured(model, HELD_OUT, "injection", 0, start=tmp_path / "start.npy")
    with torch.no_grad():
        model.lm_head.weight.mul_(0.5)
    later = measured(model, HELD_OUT, "injection", 9, start=tmp_path / "start.npy")
    assert [row.ratio for row in later] == pytest.approx(
        [b.perplexity / a.perplexity for a, b in zip(first, later, strict=True)]
    )
    assert later[0].ratio != 1 and later[0].ratio_low <= later[0].ratio <= later[0].ratio_high
    assert all(math.isnan(row.ratio) for row in measured(model, HELD_OUT, "injection", 9))


def test_held_out_texts_are_told_by_book(corpus: list[CorpusText]) -> None:
    [(key, texts)] = held_out_by_book(corpus).items()
    assert key == ("book", "book") and len(texts) == 1
    both = [CorpusText("web-1", "general", "held_out", "text", [], ""), *corpus]
    assert list(held_out_by_book(both)) == [("book", "book"), ("general", "")]
