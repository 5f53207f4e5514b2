"""Parameters of ``knowledge_injection``: the base model, the corpus, and how the books are trained in."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from med_small_lm.params.training import LoopParams, OptimiserParams

TINY = "tiny"
"""The value of ``source`` that means a model of random weights, made on the spot."""


class BaseModelParams(BaseModel):
    """The model that everything starts from: a tiny one made here, or any other in Hugging Face layout.

    Papers: BioMedLM 2.7B (MQG); LLaMA 7B and 13B (MedAlpaca, PMC-LLaMA); Mistral-7B, Llama-3-8B and 70B (Meerkat).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(TINY, min_length=1, description='"tiny", a local folder, or a model\'s name on the hub')
    revision: str | None = Field(None, description="commit, tag or branch on the hub; null: its main branch")
    allow_download: bool = Field(False, description="whether a model of the hub may be fetched; else it must lie here")
    vocab_size: int = Field(3_000, ge=300, le=1_000_000, description="tiny: tokens of the vocabulary (BioMedLM 28,896)")
    hidden_size: int = Field(128, ge=8, le=65_536, description="tiny: width of the hidden states (LLaMA-7B 4,096)")
    intermediate_size: int = Field(352, ge=8, le=262_144, description="tiny: width of the MLP (LLaMA-7B 11,008)")
    layers: int = Field(4, ge=1, le=512, description="tiny: transformer layers (LLaMA-7B 32)")
    heads: int = Field(4, ge=1, le=512, description="tiny: attention heads (LLaMA-7B 32)")
    positions: int = Field(
        256, ge=16, le=1_048_576, description="tiny: longest text, in tokens (BioMedLM 1,024, LLaMA 2,048)"
    )

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.heads or (self.hidden_size // self.heads) % 2:
            raise ValueError("hidden_size must be an even multiple of heads")
        return self


class CorpusParams(BaseModel):
    """What of the passages goes into the corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    section_titles: bool = Field(False, description="whether a passage stands under its section's title")
    held_out_share: float = Field(
        0.02,
        ge=0.0,
        le=0.5,
        description="share of each source kept for perplexity; at least ten of a hundred papers or general texts",
    )
    held_out_max: int = Field(
        10_000, ge=1, le=1_000_000, description="most texts of a source that are held out (PMC-LLaMA 10,000 papers)"
    )


class MixtureParams(BaseModel):
    """Parts in which tokens of books, papers and general text are drawn; an absent source's go to the others.

    An epoch is all tokens of the books, with their rephrasings, once. Papers: PMC-LLaMA 15:4:1, a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    book: float = Field(15, gt=0, le=1e6, description="of books and their rephrasings")
    paper: float = Field(4, ge=0, le=1e6, description="of papers; 0: none")
    general: float = Field(1, ge=0, le=1e6, description="of general text; 0: none")


class InjectionParams(LoopParams):
    """How the corpus is trained in: ``tokens`` in all, or ``epochs`` over it. 0 leaves the weights as they are.

    PMC-LLaMA: 5 epochs; MQG's checkpoint is named after 3.
    """

    tokens: int | None = Field(1_200_000, ge=0, description="tokens in all; null: see epochs")
    epochs: float | None = Field(None, ge=0, description="passes over the books; null: see tokens")
    separate_documents: bool = Field(
        False, description="whether the documents of a row are hidden from each other (costs a mask a batch)"
    )
    mixture: MixtureParams = MixtureParams()
    optimiser: OptimiserParams = OptimiserParams()

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.tokens is None) == (self.epochs is None):
            raise ValueError("give either tokens or epochs, the other one null")
        return self


class KnowledgeInjection(BaseModel):
    """All parameters of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: BaseModelParams = BaseModelParams()
    corpus: CorpusParams = CorpusParams()
    injection: InjectionParams = InjectionParams()
    seed: int = Field(0, ge=0, description="of weights, held-out passages and order of the documents")
