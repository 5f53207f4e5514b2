"""Training on one GPU: `python bench/train_gpu.py`, about fifteen minutes on an H200; `skipped` without a GPU.

Random weights of Mistral-7B's shape: MFU of full tuning in bf16 and of LoRA on packed rows of 256, 2,048 and 4,096
tokens; peak memory of full, LoRA, LoRA-8bit and QLoRA beside MedAlpaca's table; losses of the tiny model beside the
CPU's. It imports neither Kedro nor MLflow nor TRL. `TINY=1` walks through all of it with a tiny shape on any machine.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

from med_small_lm.quiet import be_quiet  # noqa: E402

be_quiet()

import torch  # noqa: E402
from _figures import say  # noqa: E402
from _shapes import Random, config_of, loop_of, random_base  # noqa: E402

TINY = bool(os.environ.get("TINY"))
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
MISTRAL: dict[str, Any] = {"layers": 32, "hidden": 4096, "inner": 14_336, "heads": 32, "key_heads": 8, "tied": False}
SMALL: dict[str, Any] = {"layers": 2, "hidden": 64, "inner": 128, "heads": 2, "vocabulary": 512}
SHAPE = SMALL if TINY else MISTRAL
LENGTHS = (32, 64) if TINY else (256, 2048, 4096)
ROW_TOKENS = 128 if TINY else 16_384  # of a batch
WARM, STEPS = 1, (2 if TINY else 6)
FULL = {"optimiser": "adamw_8bit", "weights": "bf16", "precision": "bf16", "checkpointing": True}
LORA = {"mode": "lora", "optimiser": "adamw", "precision": "bf16", "checkpointing": True}
GOALS = {"full": 0.50, "lora": 0.45}
# LLaMA-7B, README of MedAlpaca's repository: GB, and what it says of full training without checkpointing.
MEDALPACA = {"full": 79.5, "lora": 18.8, "lora_8bit": 8.9, "qlora": None}


def stamped(pace: Any) -> Any:
    """A curve that keeps the time at the end of every step, the device awaited."""
    from med_small_lm.tuning.curve import Curve, no_log

    class Stamped(Curve):
        times: list[float]

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            super().on_step_end(*args, **kwargs)
            if GPU:
                torch.cuda.synchronize()
            self.times.append(time.perf_counter())

    curve = Stamped("gpu", pace, no_log)
    curve.times = []
    return curve


def trained(base: Any, changes: dict[str, Any], steps: int) -> dict[str, Any]:
    """What training with these changes came to: tokens a second, peak bytes, losses."""
    from med_small_lm.tuning import modes
    from med_small_lm.tuning.curve import Pace
    from med_small_lm.tuning.trainer import Loop, train, training_arguments

    loop = loop_of({"log_steps": 1, **changes})
    run = Loop("gpu", steps, loop, loop.optimiser, 0, "")
    if GPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as work:
        arguments = training_arguments(run, Path(work))
        model, _ = modes.trainable(base, loop)
        rows = Random(model.config.vocab_size, loop.block_size, steps * loop.batch_size, packed=True)
        curve = stamped(Pace(loop.batch_size * loop.block_size))
        train(model, rows, run, Path(work), curve, arguments)
    spent = (curve.times[-1] - curve.times[WARM - 1]) / (len(curve.times) - WARM)
    peak = torch.cuda.max_memory_allocated() if GPU else 0
    del model
    gc.collect()
    losses = [row["loss"] for row in curve.rows]
    return {"speed": loop.batch_size * loop.block_size / spent, "peak": peak, "losses": losses, "loop": loop}


def utilisation(base: Any, config: Any) -> bool:
    """Whether the arithmetic of the GPU is used as it should be; both peaks are told."""
    from med_small_lm.tuning.flops import matmul_rate, peak_flops, token_flops

    good, sheet = True, peak_flops(DEVICE, "bf16")
    rate = matmul_rate(DEVICE, "bf16")
    say("matmul rate, bf16, beside the data sheet's", round(rate / 1e12, 1), "told", True, "TFLOP/s",
        round(sheet / 1e12, 1), round(rate / sheet, 3))  # fmt: skip
    for name, changes in (("full", FULL), ("lora", LORA)):
        for length in LENGTHS:
            batch = {"block_size": length, "batch_size": max(1, ROW_TOKENS // length)}
            found = trained(base, {**changes, **batch}, WARM + STEPS)
            done = found["speed"] * token_flops(config, name, length)
            due = length >= 2048 and not TINY
            ok = done / sheet >= GOALS[name] if due and GPU else True
            goal = f">= {GOALS[name]} of the data sheet" if due else "told"
            good &= say(f"MFU, {name}, context {length}, packed: {found['speed']:.0f} tokens a second",
                        round(done / sheet, 3), goal, ok, "", round(done / rate, 3), None)  # fmt: skip
    return good


def memory(base: Any, config: Any) -> bool:
    """Prints the peak memory of each mode beside MedAlpaca's, and what was foretold."""
    from med_small_lm.tuning.memory import training_memory

    batch = {"block_size": LENGTHS[0], "batch_size": 4}
    for mode, theirs in MEDALPACA.items():
        changes = FULL if mode == "full" else {**LORA, "mode": mode}
        found = trained(base, {**changes, **batch}, WARM + 1)
        foretold = training_memory(config, found["loop"], device=DEVICE.type).total
        say(f"peak memory, {mode}, 4 x {LENGTHS[0]} (foretold {foretold / 1e9:.1f} GB)",
            round(found["peak"] / 1e9, 2), "told beside MedAlpaca's", True, "GB", theirs,
            round(found["peak"] / 1e9 / theirs, 2) if theirs else None)  # fmt: skip
    return True


def losses(folder: Path) -> bool:
    """Whether the tiny model's losses on the GPU are the CPU's, within what bf16 leaves of them."""
    base = random_base(config_of(**SMALL), folder / "tiny")
    here = {"block_size": 64, "batch_size": 4, "precision": "bf16"}
    on_gpu = trained(base, here, 10)["losses"]
    (folder / "gpu.json").write_text(json.dumps(on_gpu))
    command = f"CUDA_VISIBLE_DEVICES= {sys.executable} {__file__} losses {base.path} > {folder / 'cpu.json'}"
    if os.system(command):
        return say("losses of the tiny model, GPU beside CPU", "failed", "within bf16", False)
    on_cpu = json.loads((folder / "cpu.json").read_text().splitlines()[-1])
    apart = max(abs(one - other) / other for one, other in zip(on_gpu, on_cpu, strict=True))
    return say("losses of the tiny model, GPU beside CPU: largest relative difference", apart, "<= 0.01",
               apart <= 0.01)  # fmt: skip


def skip() -> None:
    """Prints what could not be measured here."""
    say("MFU, full, bf16, context 2048 and up", "skipped", ">= 0.50", None)
    say("MFU, LoRA, context 2048 and up", "skipped", ">= 0.45", None)
    say("peak memory of full, LoRA, LoRA-8bit, QLoRA", "skipped", "beside MedAlpaca's", None)
    say("losses of the tiny model, GPU beside CPU", "skipped", "within bf16", None)


def main() -> bool:
    """Whether all figures are good; without a GPU nothing is measured unless TINY is set."""
    if not GPU and not TINY:
        skip()
        return True
    config = config_of(**SHAPE)
    with tempfile.TemporaryDirectory() as work:
        base = random_base(config, Path(work) / "base", torch.bfloat16)
        return all([utilisation(base, config), memory(base, config), losses(Path(work))])


if __name__ == "__main__":
    if sys.argv[1:2] == ["losses"]:
        from med_small_lm.tuning.checkpoint import Checkpoint

        told = trained(Checkpoint.read(Path(sys.argv[2])), {"block_size": 64, "batch_size": 4, "precision": "bf16"}, 10)
        print(json.dumps(told["losses"]))
        sys.exit()
    sys.exit(not main())
