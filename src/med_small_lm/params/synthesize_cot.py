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
    fuzzy: float = Field(
        default=0.54,
        gt=0.0,
        le=1.0,
        description="Likeness to a guarded item, 0 to 1 in content words weighted by rarity, from which a question and "
        "its rationales are copies",
    )


class CoverageLimits(BaseModel):
    """How little may come of a book before the run ends with an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept_min: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Least share of a book's passages from which a step keeps a record; 0 lets any book be empty",
    )
    failed_max: float = Field(
        default=0.1, ge=0.0, le=1.0, description="Largest share of a step's calls without a usable reply; 1 allows all"
    )


class SynthesizeCot(BaseModel):
    """How rationales are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(
        default=1, ge=1, le=64, description="Rationales asked for each question; all that pass are kept"
    )
    gates: RationaleGates = Field(default_factory=RationaleGates, description="What a rationale must pass to be kept")
    coverage: CoverageLimits = Field(
        default_factory=CoverageLimits, description="How little may come of a book before the run ends with an error"
    )
