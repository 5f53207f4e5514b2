"""Parameters of ``instruction_tune``: the examples, and how a model is tuned on them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from med_small_lm.params.training import LoopParams, OptimiserParams


class ConversationParams(BaseModel):
    """Which examples are made of a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    forms: tuple[Literal["explain", "direct", "proposition"], ...] = Field(
        ("explain", "direct"),
        min_length=1,
        description="forms that each question is asked in (Meerkat: reasoning for most sources, answer alone for one; "
        "MQG: proposition, each option true or false)",
    )
    rationale_styles: tuple[Literal["hidden", "general", "optionwise"], ...] = Field(
        ("hidden",),
        min_length=1,
        description="styles of rationale that are trained on, the first that a question has (PMC-LLaMA: general, "
        "optionwise; optionwise names letters, so answers.explain.options has to be listed)",
    )
    questions_max: int = Field(0, ge=0, description="most questions used, drawn by seed; 0: all (Meerkat 77,660)")


class TuneParams(LoopParams):
    """How a model is tuned: a fixed number of steps, so that an ablation has the same, or ``epochs`` over the examples.

    MedAlpaca's train.py: 3 epochs, batches of 128 (its paper 256). PMC-LLaMA: 3 epochs, batches of 256.
    """

    steps: int | None = Field(
        1_500, ge=0, description="optimiser steps; 0 leaves the weights as they are; null: see epochs"
    )
    epochs: float | None = Field(
        None, ge=0, description="passes over the examples; null: see steps (PMC-LLaMA 3, MedAlpaca's train.py 3)"
    )
    replay_share: float = Field(0.5, ge=0, lt=1, description="share of the rows that are the books again; 0: none")
    general_share: float = Field(
        0.1, ge=0, lt=1, description="share of the rows that are general text, where the corpus has any (Meditron 0.01)"
    )
    loss: Literal["responses", "all"] = Field(
        "responses", description="which tokens are under loss: the assistant's turns, or all (MedAlpaca)"
    )
    long_examples: Literal["drop", "cut"] = Field(
        "drop",
        description="an example longer than a row: drop, or cut at the end of a word (MedAlpaca); both are counted",
    )
    mixture: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        {},
        description="draws of an example a pass, by its source, e.g. wikidoc: 0.5; 1 where none is named, 0: none",
    )
    dev_share: float = Field(
        0.02, ge=0, le=0.5, description="share of the questions kept for the dev score (MedAlpaca 0.1)"
    )
    samples: int = Field(
        4, ge=0, le=100, description="dev questions whose generated replies are shown at every dev score"
    )
    optimiser: OptimiserParams = OptimiserParams(learning_rate=5e-3, muon_learning_rate=1e-2)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs, the other one null")
        if self.replay_share + self.general_share >= 1:
            raise ValueError("replay_share and general_share leave no row for the examples: their sum must be under 1")
        return self


class InstructionTune(BaseModel):
    """All parameters of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversations: ConversationParams = ConversationParams()
    tune: TuneParams = TuneParams()
    seed: int = Field(0, ge=0, description="of the order of the examples and of the replayed books")
