"""What each of two ranks measures: run by torchrun, with a model's folder and the folder for what is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["ACCELERATE_USE_CPU"] = "true"

import numpy as np
import torch.distributed as dist
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM
from transformers.distributed import DistributedConfig

from med_small_lm.tuning.perplexity import Text, losses

TEXTS = [Text(list(range(4, 4 + n)), None if n % 2 else [k % 3 == 0 for k in range(n)]) for n in range(1, 180, 7)]
BATCH = 350  # tokens: an odd number of batches, so that one rank has one fewer


def main(model: Path, out: Path) -> None:
    """Write the losses of a model that every rank holds whole, and of one that they share."""
    dist.init_process_group("gloo")
    whole = AutoModelForCausalLM.from_pretrained(model)
    config = DistributedConfig(fsdp_size=dist.get_world_size())
    shared = AutoModelForCausalLM.from_pretrained(model, distributed_config=config)
    assert all(isinstance(parameter, DTensor) for parameter in shared.parameters())
    for name, one in (("whole", whole), ("shared", shared)):
        one.train()
        np.save(out / f"{name}{dist.get_rank()}.npy", losses(one, TEXTS, BATCH))
        assert one.training
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
