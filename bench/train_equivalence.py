"""Do one rank and two give the same training? `python bench/train_equivalence.py`.

The same rows (masked, packed, books between them) are trained on by one process, by two under DDP and by two under
FSDP2, over gloo on the CPU, with 1 and 4 batches a step; then batches of packed examples are read against the same
examples alone. FSDP2 is the wrapper that GPU runs use; the worker itself refuses to train where parameters are no
DTensors or a rank holds more than its part.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from _figures import say
from _training import LAUNCHES, base, conversations, furthest, losses, trained

from med_small_lm.params.training import OptimiserParams
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.masking import encode, pack
from med_small_lm.tuning.packing import stack
from med_small_lm.tuning.weights import load

BATCHES = {
    1: {"1 rank": 8, "2 ranks DDP": 4, "2 ranks FSDP2": 4},
    4: {"1 rank": 2, "2 ranks DDP": 1, "2 ranks FSDP2": 1},
}
OPTIMISERS = {
    "adamw": OptimiserParams(name="adamw", learning_rate=3e-3),
    "muon": OptimiserParams(name="muon", learning_rate=3e-3, muon_learning_rate=3e-3, ns_precision="fp32"),
}


def equivalence(start: Checkpoint, folder: Path) -> bool:
    """Losses and weights of the launches against those of one rank."""
    sound = True
    for name, optimiser in OPTIMISERS.items():
        for accumulation, batches in BATCHES.items():
            made, held = {}, []
            for launch, batch in batches.items():
                place = folder / f"{name}-{accumulation}-{launch.replace(' ', '-')}"
                log = lambda told, step: held.extend(v for key, v in told.items() if key.endswith("share_held"))  # noqa: E731, B023
                made[launch] = trained(
                    start,
                    place,
                    LAUNCHES[launch],
                    log,
                    batch_size=batch,
                    accumulation=accumulation,
                    optimiser=optimiser,
                )
            one = made.pop("1 rank")
            for launch, other in made.items():
                apart = float((losses(one) - losses(other)).abs().max())
                weights = furthest(one.checkpoint, other.checkpoint)
                told = f"{name}, accumulation {accumulation}, {launch} against 1 rank"
                assert len(losses(one)) == len(losses(other)) == 20
                sound &= say(f"{told}: losses of 20 steps, furthest apart", apart, "<= 1e-4", apart <= 1e-4, "nats")
                sound &= say(f"{told}: final weights, furthest apart", weights, "<= 1e-4", weights <= 1e-4)
            sound &= say(
                f"{name}, accumulation {accumulation}: share of the weights' bytes that a rank holds under FSDP2",
                round(max(held), 4), "about 0.5", len(held) == 1 and abs(held[0] - 0.5) < 0.05, "share",
            )  # fmt: skip
    return sound


def packed(start: Checkpoint) -> bool:
    """Logits of packed rows against each example read alone."""
    model, tokenizer = load(start)
    encoded = encode(tokenizer, conversations())
    rows = pack(encoded, 96, tokenizer.pad_token_id)
    alone: dict[tuple[int, ...], torch.Tensor] = {}
    with torch.no_grad():
        for example in encoded:
            alone[tuple(example.input_ids)] = model(input_ids=torch.tensor([example.input_ids])).logits[0]
        worst, naive, read = 0.0, 0.0, 0
        for first in range(0, len(rows), 8):
            batch = stack([rows[n] for n in range(first, min(first + 8, len(rows)))])
            logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
            joined = model(input_ids=batch["input_ids"], use_cache=False).logits
            for row, (ids, places) in enumerate(zip(batch["input_ids"], batch["position_ids"], strict=True)):
                for begin, end in _examples(places):
                    expected = alone.get(tuple(ids[begin:end].tolist()))
                    if expected is not None:
                        worst = max(worst, float((logits[row, begin:end] - expected).abs().max()))
                        naive = max(naive, float((joined[row, begin:end] - expected).abs().max()))
                        read += 1
    ok = worst <= 1e-5 and read >= len(alone)
    told = f"logits of {read} packed examples against separate forward passes, furthest apart (peer: without positions)"
    return say(told, worst, "<= 1e-5", ok, peer=naive)


def _examples(places: Any) -> list[tuple[int, int]]:
    starts = [n for n, place in enumerate(places.tolist()) if place == 0]
    return list(zip(starts, [*starts[1:], len(places)], strict=True))


def main() -> int:
    """Print the figures; return 1 if one falls short."""
    with tempfile.TemporaryDirectory() as folder:
        start = base(Path(folder) / "base")
        sound = packed(start)
        return 0 if equivalence(start, Path(folder)) and sound else 1


if __name__ == "__main__":
    sys.exit(main())
