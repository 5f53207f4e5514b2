"""Parameters of ``evaluate``: which models are asked what, and how their answers are counted."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Evaluate(BaseModel):
    """How checkpoints are asked the benchmarks' questions, and how scores and lineage are made of the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Literal["base", "injected", "tuned"], ...] = Field(
        ("base", "injected", "tuned"), min_length=1, description="Checkpoints to evaluate, by the catalog's names"
    )
    modes: tuple[Literal["likelihood", "generation"], ...] = Field(
        ("likelihood", "generation"), min_length=1, description="Ways to answer: the likeliest option, or written text"
    )
    controls: tuple[Literal["stem_hidden"], ...] = Field(
        ("stem_hidden",), description="Runs beside the likelihood that should stay at chance; empty for none"
    )
    normalise: Literal["sum", "length"] = Field(
        "sum", description="Options compared by log-probability in all, or by its mean a token"
    )
    shared_prefix: bool = Field(
        True, description="Read a prompt once for all its options; false reads it again for each (slower, same scores)"
    )
    batch_tokens: int = Field(
        4_096, ge=64, le=4_194_304, description="Most that a batch holds, in tokens with padding; more helps on a GPU"
    )
    max_new_tokens: int = Field(64, ge=1, le=32_768, description="Longest written reply, in tokens; a longer is cut")
    bootstrap_samples: int = Field(2_000, ge=200, le=1_000_000, description="Resamples behind an interval")
    seed: int = Field(0, ge=0, description="Seed of the resamples")
    lineage_k: int = Field(3, ge=1, le=100, description="Nearest training records and passages kept for an item")

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for name in ("models", "modes", "controls"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names one twice: {', '.join(values)}")
        return self
