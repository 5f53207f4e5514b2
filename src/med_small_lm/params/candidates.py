"""Parameters of the models that are evaluated beside the run's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, DirectoryPath, Field, model_validator

from med_small_lm.params.teacher import BUILTIN, TeacherParams

_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")


class Endpoint(TeacherParams):
    """A model behind an OpenAI-compatible endpoint: the teacher's own settings, asked without a second chance."""

    model: str = Field(min_length=1, description="the name of the endpoint's model")
    temperature: float | None = Field(0.0, ge=0, le=2, description="of sampling; null leaves it to the endpoint")
    max_tokens: int = Field(
        1024, ge=1, description="longest reply, in tokens; evaluate.max_new_tokens unless it is said"
    )
    context: int | None = Field(
        None, ge=1, description="tokens of prompt and reply that it holds; null: what it cannot hold it refuses"
    )
    repairs: Literal[0] = Field(0, description="no model is asked again because its answer was of no use")

    @model_validator(mode="after")
    def _is_no_builtin(self) -> Self:
        if self.model == BUILTIN:
            raise ValueError("the built-in teacher answers no questions: name the endpoint's model")
        return self

    @property
    def scope(self) -> str:
        """What tells it from another endpoint that calls its model the same: its addresses, in any order."""
        return " ".join(sorted(self.base_url))

    def writing(self, max_new_tokens: int) -> Self:
        """It, with the evaluation's longest reply where it has none of its own."""
        own = "max_tokens" in self.model_fields_set
        return self if own else self.model_copy(update={"max_tokens": max_new_tokens})


class OpenBook(BaseModel):
    """Another model of the evaluation with the books open: it gets the passages nearest to a question (BM25)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str = Field(min_length=1, description="base, injected, tuned or another candidate")
    passages: int = Field(3, ge=1, le=50, description="most passages before a question; only whole ones that fit")


class Candidate(BaseModel):
    """One model beside the run's own: a folder or a name on the hub, an endpoint, or another one with books open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(None, min_length=1, description="a folder in Hugging Face layout, or a name on the hub")
    adapter: DirectoryPath | None = Field(None, description="folder of a PEFT adapter that is put on the model")
    revision: str | None = Field(None, description="commit, tag or branch on the hub; null: its main branch")
    allow_download: bool = Field(False, description="whether a model of the hub may be fetched; else it must lie here")
    endpoint: Endpoint | None = Field(None, description="an endpoint, with the keys of `teacher`")
    open_book: OpenBook | None = Field(None, description="another model, with passages before each question")
    exams: tuple[str, ...] = Field(
        (),
        description="the exams that it answers; empty: all that are scored, of an open book those of the other model",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in ("model", "endpoint", "open_book") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"one of model, endpoint and open_book is needed, not {' and '.join(given) or 'none'}")
        if self.model is None and (self.adapter or self.revision or self.allow_download):
            raise ValueError("adapter, revision and allow_download belong to a model")
        return self

    @model_validator(mode="after")
    def _exams_once(self) -> Self:
        if len(set(self.exams)) < len(self.exams):
            raise ValueError(f"exams names one twice: {', '.join(self.exams)}")
        return self

    @model_validator(mode="after")
    def _has_model(self) -> Self:
        if self.model is None:
            return self
        folder = Path(self.model)
        if folder.is_dir():
            if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
                raise ValueError(f"model: {folder} holds no model in Hugging Face layout: it has no config.json")
            if self.revision or self.allow_download:
                raise ValueError(f"model: {folder} is a folder: revision and allow_download are for the hub")
        elif not _HUB.fullmatch(self.model) or self.model.startswith((".", "/")):
            raise ValueError(f"model: there is no folder {folder}, and a name on the hub is written owner/name")
        if self.adapter and not (self.adapter / "adapter_config.json").is_file():
            raise ValueError(f"adapter: {self.adapter} holds no PEFT adapter: it has no adapter_config.json")
        return self
