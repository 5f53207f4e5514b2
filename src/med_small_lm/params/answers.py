"""Typed parameters of the forms in which questions are asked and answered."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class AnswerForm(BaseModel):
    """One form: see ``med_small_lm.answers.forms.Form`` for what each key means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: str = Field(description="system message; empty for none")
    options: Literal["hidden", "listed"] = Field(description="whether the prompt shows the options")
    ending: str = Field(
        min_length=1, description="phrase before the answer, 'The answer is', or all of it: 'OPTION {key} IS CORRECT'"
    )
    letters: bool = Field(description="whether the option's key is part of the answer")


class PropositionParams(BaseModel):
    """Each proposition of a question by itself, true or false (MQG): for several right options, and for cases."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: str = Field("True or false?", description="system message; empty for none")
    lead: str = Field("Statement:", description="what stands before the proposition")
    right: str = Field("True", min_length=1, description="the answer to a proposition that holds")
    wrong: str = Field("False", min_length=1, description="the answer to one that does not")
    words_max: int = Field(
        80,
        ge=1,
        description="most words of a prompt on a case: its oldest questions are left out first, never the vignette",
    )

    @model_validator(mode="after")
    def _two_words(self) -> Self:
        if self.right.casefold() == self.wrong.casefold():
            raise ValueError("right and wrong must be different words")
        return self


class Answers(BaseModel):
    """The forms that every model is taught and asked in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    direct: AnswerForm
    explain: AnswerForm
    proposition: PropositionParams = PropositionParams()
