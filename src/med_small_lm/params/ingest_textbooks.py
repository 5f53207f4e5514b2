"""Parameters of ``ingest_textbooks``: how pages are read and how long a passage is."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Reading(BaseModel):
    """Thresholds of the page layout. Relative ones scale with the book's own type, so one set serves all books."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(
        default=3.0, ge=0.0, le=20.0, description="Depth at head and foot of running heads, in leadings"
    )
    margin_pages: float = Field(default=0.2, ge=0.0, le=1.0, description="Least pages that have a running head, share")
    gutter: float = Field(
        default=0.7, ge=0.2, le=5.0, description="Least white between two columns, in body type sizes"
    )
    heading_size: float = Field(default=1.1, ge=1.01, le=3.0, description="Least size of a heading, in body type sizes")
    small_size: float = Field(
        default=0.94, ge=0.5, le=1.0, description="Below it is a caption or a note, in body type sizes"
    )
    paragraph_gap: float = Field(
        default=1.07, ge=1.0, le=3.0, description="Least leading that parts paragraphs, in leadings"
    )
    front_matter: float = Field(
        default=0.2, ge=0.0, le=1.0, description="Most that may be dropped before the first chapter, share of pages"
    )
    pages_max: int = Field(
        default=20_000, ge=1, le=1_000_000, description="A file with more pages is quarantined, in pages"
    )
    unknown_max: float = Field(
        default=0.3, ge=0.0, le=1.0, description="With more characters that map to no Unicode a scan is needed, share"
    )


class PassageBudget(BaseModel):
    """How long a passage is, in the unit of the counting function: words unless another is passed in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int = Field(default=120, ge=8, le=100_000, description="Most that a passage holds, in words")
    words_min: int = Field(
        default=40, ge=0, le=100_000, description="Below it a passage is filled up or evened out, in words"
    )
    overlap: int = Field(
        default=0, ge=0, le=100_000, description="Repeated from the end of the passage before, in words"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.words_min > self.words or self.overlap > self.words // 2:
            raise ValueError("words_min must be at most words, and overlap at most half of words")
        return self


class IngestTextbooks(BaseModel):
    """All parameters of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: Reading = Reading()
    passages: PassageBudget = PassageBudget()
    strict: bool = Field(
        default=False, description="whether one unreadable file stops the run; else it is only reported"
    )
