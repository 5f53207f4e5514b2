"""Parameters of ``ingest_textbooks``: how pages are read and how long a passage is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Reading(BaseModel):
    """Thresholds of the page layout. Relative ones scale with the book's own type, so one set serves all books."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(
        default=3.0, ge=0.0, le=20.0, description="Depth at head and foot of running heads, in leadings"
    )
    margin_pages: float = Field(default=0.2, ge=0.0, le=1.0, description="Least pages that have a running head, share")
    gutter: float = Field(
        default=0.5, ge=0.2, le=5.0, description="Least white between two columns, in body type sizes"
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
    megabytes_max: int = Field(
        default=256, ge=1, le=100_000, description="A file other than a PDF that unpacks to more is quarantined, in MB"
    )
    ocr: Literal["auto", "never"] = Field(
        default="auto", description="auto: pages without legible text by Tesseract where it is installed; or never"
    )
    ocr_dpi: int = Field(default=300, ge=72, le=1200, description="Resolution of pages for OCR, in dots an inch")


class Workers(BaseModel):
    """The processes that read files, and what ends one that a file keeps from going on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: int = Field(default=0, ge=0, le=1024, description="Processes that read; 0: one a core")
    pages: int = Field(default=64, ge=1, le=1_000_000, description="Least that each process gets of one PDF, in pages")
    seconds: float = Field(
        default=20.0, gt=0.0, le=86_400.0, description="Longest that a page may take (5 times that by OCR), in seconds"
    )
    memory: int = Field(default=4096, ge=256, le=10_000_000, description="Most that one process may use, in MiB")


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


class Library(BaseModel):
    """How a folder of files is read: in shards that are done or not, on this machine or on a cluster by datatrove."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: int = Field(default=32, ge=1, le=100_000, description="Length of a shard, about, in files")
    executor: Literal["local", "slurm", "ray"] = Field(default="local", description="local, slurm or ray")
    jobs: int = Field(
        default=100, ge=1, le=100_000, description="Most jobs on Slurm or Ray, each reads every n-th shard"
    )
    cpus: int = Field(default=1, ge=1, le=1_024, description="Cores of a job on Slurm or Ray, each reads a file")
    memory: int = Field(default=2, ge=1, le=4_096, description="Memory of a core on Slurm or Ray, in GiB")
    time: str = Field(default="24:00:00", description="Longest run of a job on Slurm, as hours:minutes:seconds")
    partition: str = Field(default="cpu", description="Partition of Slurm")
    qos: str = Field(default="", description="Quality of service of Slurm; empty: the partition's own")
    address: str = Field(default="", description="Address of a Ray cluster; empty: one on this machine, for the run")


class Duplicates(BaseModel):
    """What counts as the same passage in two books: it is kept once, with all its places in ``also_in``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float | None = Field(
        default=0.8, gt=0.0, le=1.0, description="Least Jaccard similarity of two (Lee et al. 2022: 0.8); null: off"
    )
    shingle: int = Field(default=3, ge=1, le=50, description="Run of words that is compared (Lee et al. 5), in words")
    permutations: int = Field(default=128, ge=16, le=4_096, description="Length of a MinHash signature, in hashes")


class IngestTextbooks(BaseModel):
    """All parameters of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: Reading = Reading()
    passages: PassageBudget = PassageBudget()
    workers: Workers = Workers()
    duplicates: Duplicates = Duplicates()
    library: Library = Library()
    strict: bool = Field(
        default=False, description="whether one unreadable file stops the run; else it is only reported"
    )
