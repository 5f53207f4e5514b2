"""AdamW with its two moments in 8 bits: bitsandbytes' own, made to be saved exactly and to be shared out."""

from __future__ import annotations

from typing import Any

import torch
from bitsandbytes.optim import AdamW8bit
from torch import Tensor
from torch.distributed.tensor import DTensor

_MAPS = {"qmap1": "dynamic", "qmap2": "udynamic"}  # the 256 values that 8 bits stand for; every weight has the same


class ShardedAdamW8bit(AdamW8bit):
    """bitsandbytes' AdamW8bit whose moments belong to a rank's own part of each weight (FSDP2).

    A group with ``optim_bits: 32`` keeps its moments in float32, as embeddings should (Dettmers et al. 2022).
    """

    def __init__(self, groups: list[dict[str, Any]], **settings: Any) -> None:
        """Take groups that say ``optim_bits``, and AdamW's settings."""
        super().__init__(groups, **settings)

    def get_config(self, gindex: int, pindex: int, group: dict[str, Any]) -> dict[str, Any]:
        """The settings for a weight."""
        return {**super().get_config(gindex, pindex, group), "optim_bits": group["optim_bits"]}

    def init_state(self, group: dict[str, Any], p: Tensor, gindex: int, pindex: int) -> None:
        """Makes the moments of a weight's part."""
        part = _local(p)
        super().init_state(group, part, gindex, pindex)
        self.state[p] = self.state.pop(part)

    def update_step(self, group: dict[str, Any], p: Tensor, gindex: int, pindex: int) -> None:
        """Makes a step on a weight's part."""
        part = _local(p)
        part.grad = None if p.grad is None else _local(p.grad)
        self.state[part] = self.state[p]
        super().update_step(group, part, gindex, pindex)
        if part is not p:
            del self.state[part]

    def state_dict(self) -> dict[str, Any]:
        """The state as torch's optimisers give it: tensors and numbers by weight, what all have in common left out."""
        told = torch.optim.Optimizer.state_dict(self)
        own = {place: {k: v for k, v in state.items() if k not in _MAPS} for place, state in told["state"].items()}
        return {**told, "state": own}

    def load_state_dict(self, state_dict: dict[str, Any], move_to_device: bool = True) -> None:
        """Takes up a state of ``state_dict``."""
        super().load_state_dict(state_dict, move_to_device)
        for weight, state in self.state.items():
            for key, value in state.items():
                state[key] = _local(value) if isinstance(value, Tensor) else value
            if state["state1"].dtype == torch.uint8:
                state.update({key: self.name2qmap[name].to(weight.device) for key, name in _MAPS.items()})


def _local(tensor: Tensor) -> Tensor:
    """Returns what this rank holds of a tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor
