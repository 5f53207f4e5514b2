"""The forms in which a question is put to a model and in which it answers.

Training and evaluation use the same ``Form``, so that a model is asked as it was taught. Meerkat has two of them as
well: one that asks for reasoning before a fixed ending phrase, one that asks for the answer alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from med_small_lm.params.answers import Answers
from med_small_lm.schemas.rows import Message, Option, Question


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask and to answer.

    Attributes:
        name: ``direct`` (the answer alone) or ``explain`` (a rationale, then the answer).
        instruction: the system message; empty for none.
        options: ``hidden`` puts the stem alone; ``listed`` puts "(A) text (B) text" behind it.
        ending: what leads to the answer, the last thing that a reply says: "The answer is".
        letters: whether the option's key stands before its text: "(C) text".
    """

    name: str
    instruction: str
    options: str
    ending: str
    letters: bool

    def messages(self, question: Question) -> list[Message]:
        """The system and user turns that put ``question`` to a model."""
        parts = [question.context, question.stem]
        if self.options == "listed":
            parts.append(" ".join(f"({option.key}) {option.text}" for option in question.options))
        user = Message("user", " ".join(part for part in parts if part))
        return [Message("system", self.instruction), user] if self.instruction else [user]

    def answer(self, option: Option) -> str:
        """The closing sentence that names ``option``, as in "The answer is (C) text"."""
        shown = f"({option.key}) {option.text}" if self.letters else option.text
        return f"{self.ending} {shown}."

    def reply(self, option: Option, rationale: str = "") -> str:
        """The assistant's whole turn: the rationale, if there is one, then the closing sentence."""
        return f"{rationale.strip()} {self.answer(option)}".strip()


def forms_of(answers: Answers) -> dict[str, Form]:
    """The forms by name, from their parameters."""
    return {name: Form(name, **dict(getattr(answers, name))) for name in type(answers).model_fields}
