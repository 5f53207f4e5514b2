"""A short training by transformers' Trainer, for one process or for each of several under torchrun."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import torch
from torch import distributed as dist
from torch.distributed.tensor import DTensor
from transformers import Trainer, TrainingArguments

from med_small_lm.params.training import AdapterParams, LoopParams, OptimiserParams
from med_small_lm.tuning import modes, optimiser
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.packing import stack

CASES = (
    ("full", "muon", "base"),
    ("full", "adamw_8bit", "base"),
    ("full", "adamw", "gpt2"),
    ("lora", "adamw", "adapter"),
)
ROWS, STEPS = 8, 3


def work(folder: Path, mode: str, name: str, start: str) -> list[float]:
    """Trains ``folder/start`` and writes it; returns the losses."""
    arguments = TrainingArguments(
        output_dir=str(folder / "work"), use_cpu=True, max_steps=STEPS, logging_steps=1, save_strategy="no",
        train_sampling_strategy="sequential", learning_rate=1e-2, warmup_steps=0, report_to="none", disable_tqdm=True,
        remove_unused_columns=False, dataloader_pin_memory=False,
    )  # fmt: skip
    ranks = 2 if arguments.device and dist.is_initialized() else 1
    arguments.per_device_train_batch_size = ROWS // ranks
    adapter = AdapterParams(dropout=0, targets=("all-linear",), merge=False)
    how, parent = LoopParams(mode=mode, adapter=adapter, checkpointing=True), Checkpoint.read(folder / start)
    model, tokenizer = modes.trainable(parent, how, shards=ranks)
    weights = list(model.parameters())
    assert (ranks == 1) == (not any(isinstance(weight, DTensor) for weight in weights))
    ids = torch.randint(3, 300, (ROWS * STEPS, 16), generator=torch.Generator().manual_seed(0))
    rows = [{"input_ids": row, "labels": row} for row in ids]
    steps = optimiser.make_optimiser(model, OptimiserParams(name=name, learning_rate=1e-2))
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=stack, optimizers=(steps, None))
    exact = mock.patch.object(optimiser, "_working_precision", lambda _: torch.float32)  # bf16 would round 1e-7 to 1e-2
    with exact:
        trainer.train()
    modes.write(model, tokenizer, parent, how, folder / f"{mode}-{name}-{start}-{ranks}")
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in CASES:
        found = work(Path(sys.argv[1]), *case)
        if dist.get_rank() == 0:
            (Path(sys.argv[1]) / f"losses-{case[1]}-{case[2]}.txt").write_text(" ".join(map(repr, found)))
    dist.barrier()
    dist.destroy_process_group()
