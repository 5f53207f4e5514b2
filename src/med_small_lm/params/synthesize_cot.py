"""Parameters of ``synthesize_cot``: how many rationales are asked for, and what they must pass."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RationaleGates(BaseModel):
    """Thresholds of the gates that a rationale passes before it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words_min: int = Field(default=4, ge=1, le=1_000, description="Shorter rationales are rejected, in words")
    words_max: int = Field(default=120, ge=5, le=5_000, description="Longer rationales are rejected, in words")
    supported: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="Least share of the rationale's words in passage, stem and right option",
    )
    coverage: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="Share of a guarded item's word 8-grams from which question and rationale are contaminated",
    )


class SynthesizeCot(BaseModel):
    """How rationales are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(
        default=1, ge=1, le=64, description="Rationales asked for each question; all that pass are kept"
    )
    gates: RationaleGates = Field(default_factory=RationaleGates, description="What a rationale must pass to be kept")
