"""Typed parameters of the forms in which questions are asked and answered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AnswerForm(BaseModel):
    """One form: see ``med_small_lm.answers.forms.Form`` for what each key means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: str = Field(description="system message; empty for none")
    options: Literal["hidden", "listed"] = Field(description="whether the prompt shows the options")
    ending: str = Field(min_length=1, description="phrase before the answer, e.g. 'The answer is'")
    letters: bool = Field(description="whether the option's key is part of the answer")


class Answers(BaseModel):
    """The two forms that every model is taught and asked in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direct: AnswerForm
    explain: AnswerForm
