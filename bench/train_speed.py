"""Speed of training: `python bench/train_speed.py`, some eight minutes on two quiet cores.

Tokens a second of the default tiny model (1.1 M parameters) on the same packed rows in float32, without checkpointing:
the project's loop beside TRL's SFTTrainer as it comes and a bare PyTorch loop, all on the same packed and masked
batches with the same optimiser, the median of five turns.
`STEPS=n` and `TURNS=n` take other numbers.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from med_small_lm.quiet import be_quiet

be_quiet()

import numpy as np  # noqa: E402  after what keeps libraries quiet
import torch  # noqa: E402
from _figures import say  # noqa: E402
from _shapes import config_of, loop_of  # noqa: E402

STEPS = int(os.environ.get("STEPS") or 400)
TURNS = int(os.environ.get("TURNS") or 5)
SHAPE = {"layers": 4, "hidden": 128, "inner": 352, "heads": 4, "vocabulary": 3000, "positions": 256}


def model_of() -> Any:
    """The tiny model, the same each time."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config_of(**SHAPE))


def rows_of(length: int, n: int) -> Any:
    """So many packed rows of examples of drawn lengths, the second half of each under loss."""
    from med_small_lm.tuning.masking import Encoded, PackedRows, pack

    draw, examples = np.random.default_rng(0), []
    while sum(len(one.input_ids) for one in examples) < (n + 1) * length:
        size = int(draw.integers(16, length))
        ids = draw.integers(1, SHAPE["vocabulary"], size).astype(np.int32)
        examples.append(Encoded(ids, np.arange(size) >= size // 2))
    packed = pack(examples, length, 0)
    return PackedRows(packed.input_ids[:n], packed.under_loss[:n], packed.starts[:n])


def ours(loop: Any, rows: Any, work: Path) -> float:
    """Seconds of the project's loop."""
    from med_small_lm.tuning.curve import Curve, Pace, no_log
    from med_small_lm.tuning.trainer import Loop, train, training_arguments

    run = Loop("speed", STEPS, loop, loop.optimiser, 0, "")
    arguments = training_arguments(run, work)
    model, curve = model_of(), Curve("speed", Pace(loop.batch_size * loop.block_size), no_log)
    begun = time.perf_counter()
    train(model, rows, run, work, curve, arguments)
    return time.perf_counter() - begun


def of_trl(loop: Any, rows: Any, work: Path) -> float:
    """Seconds of TRL's SFTTrainer with its own defaults, but for the optimiser, the schedule and the reports."""
    import datasets
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from med_small_lm.tuning.optimiser import make_optimiser
    from med_small_lm.tuning.packing import stack
    from med_small_lm.tuning.tokenizer import train_tokenizer

    model = model_of()
    arguments = SFTConfig(
        output_dir=str(work), max_steps=STEPS, per_device_train_batch_size=loop.batch_size, learning_rate=1e-4,
        max_length=loop.block_size, report_to="none", save_strategy="no", disable_tqdm=True, bf16=False,
        gradient_checkpointing=False, use_cpu=True, dataloader_pin_memory=False, remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    columns = {key: torch.stack([row[key] for row in rows]).numpy() for key in rows[0]}
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=datasets.Dataset.from_dict(columns).with_format("torch"),
        processing_class=train_tokenizer(["some text"], 300, 128), data_collator=stack,
        optimizers=(make_optimiser(model, loop.optimiser), None),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    begun = time.perf_counter()
    trainer.train()
    return time.perf_counter() - begun


def bare(loop: Any, rows: Any, work: Path) -> float:
    """Seconds of a loop of a few lines with the same optimiser, clipping and log."""
    from med_small_lm.tuning.optimiser import make_optimiser
    from med_small_lm.tuning.packing import stack

    model = model_of().train()
    optimiser = make_optimiser(model, loop.optimiser)
    begun, size = time.perf_counter(), loop.batch_size
    for step in range(STEPS):
        batch = stack([rows[step * size + i] for i in range(size)])
        loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), loop.optimiser.clip)
        optimiser.step()
        optimiser.zero_grad()
        if step % loop.log_steps == 0 and not math.isfinite(loss.item()):
            raise SystemExit("the bare loop diverged")
    return time.perf_counter() - begun


def speed() -> bool:
    """Whether the project's loop is as fast as it should be."""
    loop = loop_of({})
    torch.set_num_threads(loop.threads)
    rows = rows_of(loop.block_size, STEPS * loop.batch_size)
    kinds: dict[str, Callable[[Any, Any, Path], float]] = {"ours": ours, "trl": of_trl, "bare": bare}
    spent: dict[str, list[float]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as work:
        for turn in range(TURNS + 1):
            for name, run in kinds.items():
                seconds = run(loop, rows, Path(work) / f"{name}-{turn}")
                spent[name] += [seconds] if turn else []  # the first turn warms up
    tokens = STEPS * loop.batch_size * loop.block_size
    rate = {name: tokens / median(seconds) for name, seconds in spent.items()}
    good = True
    for peer, goal in (("trl", 1.4), ("bare", 0.9)):
        ratio = rate["ours"] / rate[peer]
        name = f"tokens a second, 1.1 M parameters, beside {'SFTTrainer' if peer == 'trl' else 'a bare loop'}"
        good &= say(name, round(rate["ours"]), f">= {goal} x", ratio >= goal, "/s", round(rate[peer]), round(ratio, 2))
    return good


if __name__ == "__main__":
    sys.exit(not speed())
