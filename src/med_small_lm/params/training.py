"""Parameters of a training, which injection and tuning share: batches, mode, optimiser, saves."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class OptimiserParams(BaseModel):
    """The optimiser and its schedule: linear warm-up, then a cosine down to a share of the peak."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["muon", "adamw", "adamw_8bit"] = Field(
        "muon",
        description="muon: Muon for hidden matrices, AdamW for the rest; adamw: AdamW alone (MedAlpaca, PMC-LLaMA); "
        "adamw_8bit: its two moments in 8 bits (bitsandbytes), a quarter of their memory",
    )
    learning_rate: float = Field(
        2e-2, gt=0, le=1.0, description="peak, of AdamW (PMC-LLaMA 2e-5, MedAlpaca 2e-5; a tiny model needs far more)"
    )
    muon_learning_rate: float = Field(2e-2, gt=0, le=10.0, description="peak, of Muon's matrices")
    weight_decay: float = Field(0.01, ge=0, le=1.0, description="decoupled, a step (PMC-LLaMA 0)")
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's decay of the mean gradient")
    beta2: float = Field(0.95, ge=0, lt=1, description="AdamW's decay of its square")
    momentum: float = Field(0.95, ge=0, lt=1, description="Muon's momentum (Nesterov)")
    ns_steps: int = Field(5, ge=1, le=20, description="Newton-Schulz steps of Muon's orthogonalisation")
    ns_precision: Literal["bf16", "fp32"] = Field(
        "bf16", description="of these steps, where the machine is faster in it; fp32: the same on any number of ranks"
    )
    warmup_steps: int = Field(
        50, ge=0, description="optimiser steps to the peak (MedAlpaca 100; PMC-LLaMA 3 % of all); at most half of all"
    )
    final_share: float = Field(0.05, ge=0, le=1, description="learning rate at the end, as a share of the peak")
    clip: float = Field(1.0, gt=0, description="greatest norm of the gradient")


class AdapterParams(BaseModel):
    """Low-rank adapters (LoRA), for the modes that train them. Defaults: MedAlpaca's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(8, ge=1, le=4096, description="rank of the two matrices (MedAlpaca 8)")
    alpha: float = Field(
        16, gt=0, le=65_536, description="scale: alpha / rank times their product is added (MedAlpaca 16)"
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="share of an adapter's input left out at random (MedAlpaca 0.1)"
    )
    targets: tuple[str, ...] = Field(
        ("q_proj", "v_proj"),
        min_length=1,
        description="linear layers that get one, by the end of their name; all-linear: every one but the output layer "
        "(MedAlpaca q_proj, v_proj)",
    )
    merge: bool = Field(
        True, description="whether the checkpoint is a whole model; false: the adapter alone, on its parent's folder"
    )


class LoopParams(BaseModel):
    """What every training loop has: batches, log, saves, machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_size: int = Field(
        128, ge=8, le=1_048_576, description="tokens of a row (PMC-LLaMA 2,048, MedAlpaca 256); at most the model's"
    )
    batch_size: int = Field(
        4, ge=1, le=65_536, description="rows of a batch, a device (PMC-LLaMA's injection 3,200 in all, its tuning 256)"
    )
    accumulation: int = Field(1, ge=1, le=65_536, description="batches of an optimiser step")
    log_steps: int = Field(50, ge=1, description="optimiser steps between two points of the curves")
    save_steps: int = Field(
        500, ge=0, description="optimiser steps between two saves to resume from; 0: none (MedAlpaca 200)"
    )
    evaluations: int = Field(
        4, ge=0, le=1000, description="times that what is held out is measured on the way, beside each save"
    )
    mode: Literal["full", "lora", "lora_8bit", "qlora"] = Field(
        "full",
        description="what is trained: full: all weights (MedAlpaca, PMC-LLaMA); lora: adapters (MedAlpaca); lora_8bit: "
        "adapters on weights in 8 bits (MedAlpaca); qlora: on 4 bits",
    )
    adapter: AdapterParams = AdapterParams()
    precision: Literal["fp32", "bf16"] = Field("fp32", description="of the arithmetic (PMC-LLaMA bf16)")
    weights: Literal["fp32", "bf16"] = Field(
        "fp32", description="of full training's weights, gradients and moments at rest; bf16 takes half the memory"
    )
    checkpointing: bool = Field(
        False,
        description="whether activations are computed again backwards: less memory, a third more time (PMC-LLaMA)",
    )
    compile: bool = Field(False, description="whether torch compiles the model first; worth it for hours on a GPU")
    best_kept: int = Field(
        1, ge=0, le=100, description="best states by their dev score that are kept with the checkpoint; 0: none"
    )
    publish: Literal["last", "best"] = Field("last", description="which state becomes the checkpoint: last or best")
    threads: int = Field(2, ge=0, le=1024, description="CPU threads; 0: as many as torch takes by itself")

    @model_validator(mode="after")
    def _best_is_saved(self) -> Self:
        if self.publish == "best" and not (self.best_kept and self.save_steps):
            raise ValueError("publish: best needs states to choose from: best_kept and save_steps above 0")
        return self
