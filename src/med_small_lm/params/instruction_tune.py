"""Parameters of ``instruction_tune``: the examples, and how a model is tuned on them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from med_small_lm.params.knowledge_injection import LoopParams, OptimiserParams


class ConversationParams(BaseModel):
    """Which examples are made of a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    forms: tuple[Literal["explain", "direct"], ...] = Field(
        ("explain", "direct"),
        min_length=1,
        description="forms that each question is asked in (Meerkat: reasoning for most sources, answer alone for one)",
    )
    questions_max: int = Field(0, ge=0, description="most questions used, drawn by seed; 0: all (Meerkat 77,660)")


class InstructionParams(BaseModel):
    """What a record of an instruction set from outside must pass before it is trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coverage: float = Field(
        0.2,
        gt=0,
        le=1,
        description="share of a guarded item's word 8-grams from which a record is contaminated",
    )
    fuzzy: float = Field(
        0.54,
        gt=0,
        le=1,
        description="likeness of its words to a guarded item from which it is, too, however it is reworded",
    )
    shown: int = Field(3, ge=0, description="records of each set, stopped for one reason, that the log names")


class TuneParams(LoopParams):
    """How a model is tuned: a fixed number of steps, so that an ablation has the same.

    Papers: MedAlpaca 3 epochs, batches of 128; PMC-LLaMA 3 epochs, batches of 256; Meerkat 3 epochs.
    """

    steps: int = Field(1_500, ge=0, description="optimiser steps; 0 leaves the weights as they are")
    replay_share: float = Field(
        0.5, ge=0, lt=1, description="share of the rows that are the books again; 0: none (the papers replay nothing)"
    )
    optimiser: OptimiserParams = OptimiserParams(learning_rate=5e-3, muon_learning_rate=1e-2)


class InstructionTune(BaseModel):
    """All parameters of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversations: ConversationParams = ConversationParams()
    instructions: InstructionParams = InstructionParams()
    tune: TuneParams = TuneParams()
    seed: int = Field(0, ge=0, description="of the order of the examples and of the replayed books")
