"""Two ranks train as one does: under DDP and FSDP2, over gloo, with masked and packed rows and accumulation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from med_small_lm.answers.forms import Form
from med_small_lm.params.instruction_tune import ConversationParams, TuneParams
from med_small_lm.params.launch import Launch
from med_small_lm.params.training import OptimiserParams
from med_small_lm.schemas.rows import Conversation, CorpusText, Question, Rationale
from med_small_lm.tuning.checkpoint import Checkpoint, CheckpointError
from med_small_lm.tuning.conversations import build_conversations
from med_small_lm.tuning.stage import Trained
from med_small_lm.tuning.tune import tune

PARAMS = TuneParams(
    block_size=64, batch_size=4, accumulation=2, log_steps=1, save_steps=3, steps=6, threads=1, replay_share=0.25,
    evaluations=1, samples=1, dev_share=0.2,
    optimiser=OptimiserParams(name="adamw", learning_rate=3e-3, warmup_steps=2),
)  # fmt: skip
HALF = PARAMS.model_copy(update={"batch_size": 2})


@pytest.fixture(scope="module")
def conversations(questions: list[Question], rationales: list[Rationale], forms: dict[str, Form]) -> list[Conversation]:
    return build_conversations(questions, rationales, forms, ConversationParams(), 0)


@pytest.fixture(scope="module")
def alone(
    base: Checkpoint,
    conversations: list[Conversation],
    corpus: list[CorpusText],
    tmp_path_factory: pytest.TempPathFactory,
) -> Trained:
    return tune(base, conversations, corpus, PARAMS, 0, tmp_path_factory.mktemp("alone") / "m")


def losses(made: Trained) -> torch.Tensor:
    return torch.tensor([row["loss"] for row in made.history if row["loss"] == row["loss"]])


class Cut(Exception):
    """What stops a training from outside."""


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_ranks_end_where_one_does_also_after_a_stop(
    base: Checkpoint,
    conversations: list[Conversation],
    corpus: list[CorpusText],
    alone: Trained,
    tmp_path: Path,
    strategy: str,
) -> None:
    launch = Launch(how="torchrun", processes=2, strategy=strategy)  # type: ignore[arg-type]
    held: list[float] = []

    def cut(told: dict[str, float], step: int) -> None:
        held.extend(value for name, value in told.items() if name.endswith("share_held"))
        if step >= 4:
            raise Cut

    with pytest.raises(Cut):
        tune(base, conversations, corpus, HALF, 0, tmp_path / "m", cut, launch)  # type: ignore[arg-type]
    assert list((tmp_path / "m.partial" / "work").glob("checkpoint-*/complete"))
    with pytest.raises(CheckpointError, match=r"begun by 2 rank.*now there are 1: launch as before, or delete"):
        tune(base, conversations, corpus, HALF, 0, tmp_path / "m")
    made = tune(base, conversations, corpus, HALF, 0, tmp_path / "m", launch=launch)
    assert torch.allclose(losses(made), losses(alone), atol=1e-4, rtol=0) and len(losses(made)) == 6
    ours, theirs = (load_file(one.checkpoint.path / "model.safetensors") for one in (made, alone))
    assert ours.keys() == theirs.keys()
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in ours) < 1e-4
    told = [(row.step, row.perplexity) for row in made.perplexities]
    assert told == [(row.step, pytest.approx(row.perplexity, rel=1e-3)) for row in alone.perplexities]
    assert all(abs(share - 0.5) < 0.1 for share in held) and bool(held) == (strategy == "fsdp")
