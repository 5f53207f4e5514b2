"""Parameters of where training and evaluation run: in this process, on several GPUs, or on a cluster."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Launch(BaseModel):
    """Where the nodes that train, and models that are evaluated, run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: Literal["inline", "torchrun", "slurm"] = Field(
        "inline", description="inline: in this process; torchrun: one process a GPU; slurm: the same as a Slurm job"
    )
    processes: int = Field(1, ge=1, le=4096, description="processes a host, one a GPU (or a share of the CPU's cores)")
    hosts: int = Field(1, ge=1, le=4096, description="hosts; all see the project's folder under the same path")
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp",
        description="ddp: every GPU holds the whole model; fsdp: its weights, gradients and moments are shared out",
    )
    rendezvous: str | None = Field(
        None,
        pattern=r"^.+:\d+$",
        description="this host and a free port, host:port, for torchrun on several hosts; null: this host alone",
    )
    slurm: tuple[str, ...] = Field((), description="further options of sbatch, e.g. --partition=gpu, --time=08:00:00")
    shutdown: float = Field(
        120.0, gt=0, description="time that processes have to save and end when stopped, in seconds"
    )

    @model_validator(mode="after")
    def _ranks(self) -> Self:
        if self.how == "inline" and self.processes * self.hosts > 1:
            raise ValueError("how: inline is one process on one host; for more, how: torchrun or slurm")
        if self.how == "torchrun" and self.hosts > 1 and self.rendezvous is None:
            raise ValueError("torchrun on several hosts needs rendezvous: host:port")
        return self
