"""A small world for the benches of training: texts and conversations of drawn words, and a model of random weights."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from med_small_lm.params.instruction_tune import TuneParams
from med_small_lm.params.knowledge_injection import BaseModelParams
from med_small_lm.params.launch import Launch
from med_small_lm.params.training import OptimiserParams
from med_small_lm.schemas.rows import Conversation, CorpusText, Message
from med_small_lm.tuning.base_model import make_base
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.stage import Trained
from med_small_lm.tuning.tune import tune

BASE = BaseModelParams(vocab_size=600, hidden_size=64, intermediate_size=176, layers=4, heads=4, positions=128)
LAUNCHES = {
    "1 rank": Launch(),
    "2 ranks DDP": Launch(how="torchrun", processes=2, strategy="ddp"),
    "2 ranks FSDP2": Launch(how="torchrun", processes=2, strategy="fsdp"),
}


def corpus(n: int = 120, seed: int = 0) -> list[CorpusText]:
    """Texts of drawn words, the last tenth held out."""
    draw, words = random.Random(seed), _words(seed)
    split, names = {True: "held_out", False: "train"}, [f"book{i % 3}-{i}" for i in range(n)]
    return [
        CorpusText(name, "book", split[i >= 0.9 * n], _text(draw, words, 10, 60), [name], "CC0")
        for i, name in enumerate(names)
    ]


def conversations(n: int = 160, seed: int = 1) -> list[Conversation]:
    """Conversations of one to three turns."""
    draw, words = random.Random(seed), _words(0)
    made = []
    for i in range(n):
        turns = [Message("system", "Answer.")]
        for _ in range(draw.randint(1, 3)):
            turns += [Message("user", _text(draw, words, 3, 12)), Message("assistant", _text(draw, words, 2, 10))]
        made.append(Conversation(f"e{i}", "book", "direct", turns, [], f"q{i}", [], "CC0"))
    return made


def base(folder: Path) -> Checkpoint:
    """The model that the benches train."""
    return make_base([text.text for text in corpus()], BASE, 0, folder)


def params(**changes: Any) -> TuneParams:
    """How the benches train: masked and packed rows, books replayed between them."""
    told: dict[str, Any] = {
        "block_size": 64, "batch_size": 8, "log_steps": 1, "save_steps": 0, "threads": 1, "steps": 20,
        "replay_share": 0.25, "samples": 0, "best_kept": 0,
        "optimiser": OptimiserParams(name="adamw", learning_rate=3e-3),
    }  # fmt: skip
    return TuneParams(**told | changes)


def trained(start: Checkpoint, folder: Path, launch: Launch, log: Any = None, **changes: Any) -> Trained:
    """The tuned model of one launch."""
    given = [log] if log else []
    return tune(start, conversations(), corpus(), params(**changes), 0, folder, *given, launch=launch)


def furthest(one: Checkpoint, other: Checkpoint) -> float:
    """The greatest difference between two models' weights."""
    ours, theirs = (load_file(model.path / "model.safetensors") for model in (one, other))
    assert ours.keys() == theirs.keys()
    return max(float((ours[name].float() - theirs[name].float()).abs().max()) for name in ours)


def losses(made: Trained) -> torch.Tensor:
    """The logged losses, a step each."""
    return torch.tensor([row["loss"] for row in made.history if row["loss"] == row["loss"]])


def _words(seed: int) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choice("aeioubcdlmnprst") for _ in range(draw.randint(3, 8))) for _ in range(80)]


def _text(draw: random.Random, words: list[str], least: int, most: int) -> str:
    return " ".join(draw.choice(words) for _ in range(draw.randint(least, most))) + "."
