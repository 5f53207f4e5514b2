"""Parameters of ``evaluate``: which models are asked what, and how their answers are counted."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from med_small_lm.params.candidates import Candidate
from med_small_lm.params.judge import Judge

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class Evaluate(BaseModel):
    """How checkpoints are asked the benchmarks' questions, and how scores and lineage are made of the answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Literal["base", "injected", "tuned"], ...] = Field(
        ("base", "injected", "tuned"), description="Checkpoints to evaluate, by the catalog's names"
    )
    candidates: dict[str, Candidate] = Field(
        {},
        description="Other models beside them: NAME: {model: FOLDER}, {endpoint: …} or {open_book: {of: tuned}}, "
        "each kept to some `exams` or answering all; null takes one away",
    )
    modes: tuple[Literal["likelihood", "generation"], ...] = Field(
        ("likelihood", "generation"), min_length=1, description="Ways to answer: the likeliest option, or written text"
    )
    compared: tuple[Literal["option_text", "letter", "proposition"], ...] = Field(
        ("option_text",), min_length=1, description="What the likelihood compares; proposition: true or false for each"
    )
    written: tuple[Literal["explain", "direct", "proposition"], ...] = Field(
        ("explain",), min_length=1, description="Forms of `answers` in which replies are written"
    )
    layout: Literal["chat", "medqa", "medmcqa", "pubmedqa", "mmlu"] = Field(
        "chat", description="Prompts of the likelihood: the chat template, or a plain text as lm-evaluation-harness's"
    )
    shots: tuple[int, ...] = Field(
        (0,),
        min_length=1,
        description="Solved examples before a question, of its exam; each a variant (Meditron-7B, BioMistral 3; 70B 5)",
    )
    controls: tuple[Literal["stem_hidden"], ...] = Field(
        ("stem_hidden",), description="Runs beside the likelihood that should stay at chance; empty for none"
    )
    normalise: tuple[Literal["sum", "length", "characters"], ...] = Field(
        ("sum",), min_length=1, description="Options compared by log-probability: in all, a token, a character"
    )
    samples: int = Field(
        1,
        ge=1,
        le=1_000,
        description="Replies drawn for a majority, variant sc…; 1: none (Meerkat, UltraMedical 10; Meditron 5)",
    )
    temperature: float = Field(
        0.7, gt=0, le=2, description="Of the replies that are drawn (UltraMedical 0.7, Meditron 0.8)"
    )
    top_p: float = Field(
        0.9, gt=0, le=1, description="Least probability of the tokens that are drawn from (MedAlpaca, UltraMedical 0.9)"
    )
    permutations: int = Field(
        0, ge=0, le=100, description="Orders in which listed options are shown, variant permuted…; 0: as published"
    )
    contexts: tuple[Literal["gold", "model", "none"], ...] = Field(
        (), description="Whose answers to a case's earlier questions are shown, each a variant; empty: as none, unnamed"
    )
    shared_prefix: bool = Field(
        True, description="Read a prompt once for all its options; false reads it again for each (slower, same scores)"
    )
    early_stop: bool = Field(True, description="End a reply with the sentence that gives its answer")
    batch_tokens: int = Field(
        8_192, ge=64, le=4_194_304, description="Most that a batch holds, in tokens with padding; more helps on a GPU"
    )
    shard: int = Field(256, ge=1, le=100_000, description="Questions answered before they are saved, and by one GPU")
    max_new_tokens: int = Field(
        64,
        ge=1,
        le=32_768,
        description="Longest written reply, in tokens; a longer is cut (MedAlpaca 128, PMC-LLaMA 1,000)",
    )
    bootstrap_samples: int = Field(2_000, ge=200, le=1_000_000, description="Resamples behind an interval")
    seed: int = Field(0, ge=0, description="Seed of draws and resamples")
    dirty_coverage: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of a question in one training document from which on it counts as seen (dirty)",
    )
    lineage_k: int = Field(3, ge=1, le=100, description="Nearest training records and passages kept for an item")
    judge: Judge = Field(Judge(), description="Who judges open answers, by their statements, criteria, or in pairs")

    @property
    def names(self) -> tuple[str, ...]:
        """All models that are asked, the run's own first."""
        return (*self.models, *self.candidates)

    def names_on(self, exam: str) -> tuple[str, ...]:
        """The models that answer an exam, in the same order."""
        return tuple(name for name in self.names if exam in self.exams_of(name) or not self.exams_of(name))

    def exams_of(self, name: str) -> tuple[str, ...]:
        """The exams that a model is kept to; none where it answers all."""
        candidate = self.candidates.get(name)
        if candidate is None:
            return ()
        return candidate.exams or (self.exams_of(candidate.open_book.of) if candidate.open_book else ())

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        for name in ("models", "modes", "compared", "written", "shots", "controls", "normalise", "contexts"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names one twice: {', '.join(map(str, values))}")
        if any(not 0 <= count <= 64 for count in self.shots):
            raise ValueError("shots are numbers from 0 to 64")
        return self

    @model_validator(mode="after")
    def _endpoints_write(self) -> Self:
        for name, candidate in self.candidates.items():
            if candidate.endpoint and "generation" not in self.modes:
                raise ValueError(f"candidates.{name}: an endpoint can only write: modes lacks generation")
        return self

    @field_validator("candidates", mode="before")
    @classmethod
    def _taken_away(cls, named: Any) -> Any:
        """Layers of configuration add names and cannot take one away: null does."""
        return {name: one for name, one in named.items() if one is not None} if isinstance(named, dict) else named

    @model_validator(mode="after")
    def _names_serve(self) -> Self:
        if not self.names:
            raise ValueError("models and candidates are both empty: nothing would be evaluated")
        for name in self.candidates:
            if not _NAME.fullmatch(name) or name in ("base", "injected", "tuned"):
                raise ValueError(f"candidates.{name}: a name has letters, digits and ._- and is none of the run's own")
        closed = [name for name in self.names if name in self.models or not self.candidates[name].open_book]
        for name, candidate in self.candidates.items():
            if candidate.open_book and candidate.open_book.of not in closed:
                raise ValueError(
                    f"candidates.{name}: open_book.of is none of {', '.join(closed)}; null in its place takes it away"
                )
        return self

    @model_validator(mode="after")
    def _pairs_are_asked(self) -> Self:
        for pair in self.judge.pairs:
            if len(set(pair)) < 2 or not set(pair) <= set(self.names):
                raise ValueError(f"judge.pairs: {' and '.join(pair)} are no two of {', '.join(self.names)}")
            kept = [set(self.exams_of(name)) for name in pair]
            if all(kept) and not kept[0] & kept[1]:
                raise ValueError(f"judge.pairs: {' and '.join(pair)} answer no exam both: see their exams")
        return self
