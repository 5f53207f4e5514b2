"""Parameters of the judge of open answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from med_small_lm.params.teacher import TeacherParams


class Judge(BaseModel):
    """The model that judges open answers: it is asked as the teacher is, with the teacher's settings but for these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field("", description="Model at the teacher's endpoint that judges open answers; empty: the teacher's")
    price_in: float | None = Field(
        None, ge=0, description="Of a million tokens that a model of its own reads, as teacher.price_in"
    )
    price_out: float | None = Field(None, ge=0, description="Of a million tokens that it writes, as teacher.price_out")
    temperature: float | None = Field(0.0, ge=0, le=2, description="Of its verdicts; null leaves it to the endpoint")
    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="Models whose open answers are compared, in both orders: [[tuned, base]]; empty: none"
    )

    def asked_by(self, teacher: TeacherParams) -> TeacherParams:
        """The settings with which the judge is asked.

        Raises:
            ValueError: A model of its own has no prices where the endpoint is not the user's.
        """
        own: dict[str, object] = {"temperature": self.temperature}
        if self.model:
            own |= {"model": self.model, "price_in": self.price_in, "price_out": self.price_out}
        return TeacherParams.model_validate(teacher.model_dump() | own)
