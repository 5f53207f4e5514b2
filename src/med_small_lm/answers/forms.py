"""The forms in which a question is put to a model and in which it answers.

Training and evaluation use the same ``Form``, so that a model is asked as it was taught. Meerkat has two of them as
well: one that asks for reasoning before a fixed ending phrase, one that asks for the answer alone. MQG's is the third:
each proposition of a question by itself, true or false.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from med_small_lm.params.answers import Answers, PropositionParams
from med_small_lm.schemas.rows import Message, Option, Question


@dataclass(frozen=True, slots=True)
class Form:
    """One way to ask and to answer.

    Attributes:
        name: ``direct`` (the answer alone), ``explain`` (a rationale, then the answer) or ``proposition``.
        instruction: the system message; empty for none.
        options: ``hidden`` puts the stem alone; ``listed`` puts "(A) text (B) text" behind it.
        ending: what leads to the answer, the last thing that a reply says: "The answer is". One with ``{key}`` or
            ``{text}`` is the whole sentence: "OPTION {key} IS CORRECT", "{key}: {text}".
        letters: whether the option's key stands before its text: "(C) text".
    """

    name: str
    instruction: str
    options: str
    ending: str
    letters: bool

    @property
    def is_whole(self) -> bool:
        """Whether the ending is the whole closing sentence, and not only what leads to the answer."""
        return "{key}" in self.ending or "{text}" in self.ending

    @property
    def phrase(self) -> str:
        """What leads to the answer; empty where the sentence has the answer within."""
        return "" if self.is_whole else self.ending.strip()

    def messages(self, question: Question, shots: Sequence[Question] = ()) -> list[Message]:
        """The turns that put ``question`` to a model: ``shots``, examples with their answers, then its own turns."""
        turns = [Message("system", self.instruction)] if self.instruction else []
        for shot in shots:
            turns += [self.put(shot), Message("assistant", self.answer(right_option(shot)))]
        return [*turns, *question.turns, self.put(question)]

    def put(self, question: Question) -> Message:
        """The user's turn that puts a question."""
        parts = [question.context, question.stem]
        if self.options == "listed":
            parts.append(" ".join(f"({option.key}) {option.text}" for option in question.options))
        return Message("user", " ".join(part for part in parts if part))

    def answer(self, option: Option) -> str:
        """The closing sentence that names ``option``, as in "The answer is (C) text"."""
        if self.is_whole:
            return self.ending.replace("{key}", option.key).replace("{text}", option.text)
        shown = f"({option.key}) {option.text}" if self.letters else option.text
        return f"{self.ending} {shown}.".strip()

    def letter(self, option: Option) -> str:
        """The closing sentence as far as the option's key, "The answer is (C": what comes after it tells no more.

        In a whole sentence the key stands in the first place for an option, be it for its text.
        """
        if self.is_whole:
            return re.split(r"\{(?:key|text)\}", self.ending)[0] + option.key
        return f"{self.ending} ({option.key}".strip()

    def reply(self, option: Option, rationale: str = "") -> str:
        """The assistant's whole turn: the rationale, if there is one, then the closing sentence."""
        return f"{rationale.strip()} {self.answer(option)}".strip()


@dataclass(frozen=True, slots=True)
class PropositionForm(Form):
    """The form in which each proposition of a question is judged by itself, after MQG.

    A proposition is asked as a question of its own, whose two options are the words for true and false: ``messages``,
    ``answer`` and ``reply`` serve it as they serve any other.

    ::

        A girl of 9 drinks much. | Which are right? Insulin is lacking. True. Lipase is high. False. |
        the vignette               an earlier question, each proposition with its answer

        What next? Statement: Fluids are given.    ->    True.

    Attributes:
        lead: what leads to the proposition: "Statement:".
        right: the answer to a proposition that holds.
        wrong: the answer to one that does not.
        words_max: most words of a prompt on a case; the oldest of its questions are left out first.
    """

    lead: str
    right: str
    wrong: str
    words_max: int

    @property
    def words(self) -> list[Option]:
        """The two options of every proposition; their keys are those of a proposition's answer."""
        return [Option("T", self.right), Option("F", self.wrong)]

    def propositions(self, question: Question, earlier: Sequence[Question] = ()) -> list[Question]:
        """The propositions of ``question`` as questions of their own, one an option.

        Args:
            question: its options are the propositions, its ``answer_keys`` the true ones.
            earlier: the questions of its case before it, the first first; their ``answer_keys`` are what is shown as
                their answers: the right ones, or a model's.
        """
        return [
            replace(
                question,
                question_id=f"{question.question_id}-{option.key}",
                context=self._context(question, option, earlier),
                stem=f"{question.stem} {self.lead} {option.text}".strip(),
                options=self.words,
                answer_keys=["T" if option.key in question.answer_keys else "F"],
                answer_text=self.right if option.key in question.answer_keys else self.wrong,
            )
            for option in question.options
        ]

    def shown(self, question: Question, option: Option, earlier: Sequence[Question]) -> list[Question]:
        """The earlier questions that stand in the prompt: the latest that fit, however long the vignette is."""
        asked = " ".join([question.context, question.stem, self.lead, option.text])
        room, told = self.words_max - len(asked.split()), list[Question]()
        for one in reversed(earlier):
            room -= len(self._answered(one).split())
            if room < 0:
                break
            told.insert(0, one)
        return told

    def _context(self, question: Question, option: Option, earlier: Sequence[Question]) -> str:
        """The vignette, then the earlier questions with their answers."""
        told = [self._answered(one) for one in self.shown(question, option, earlier)]
        return " ".join(part for part in (question.context, *told) if part)

    def _answered(self, question: Question) -> str:
        """An earlier question with the word for true or false behind each of its propositions."""
        told = [
            f"{option.text.rstrip('.')}. {self.right if option.key in question.answer_keys else self.wrong}."
            for option in question.options
        ]
        return " ".join([question.stem, *told])


def right_option(question: Question) -> Option:
    """The option that the question's first answer key names."""
    return next(option for option in question.options if option.key == question.answer_keys[0])


def forms_of(answers: Answers) -> dict[str, Form]:
    """The forms by name, from their parameters."""
    asked = {name: Form(name, **dict(getattr(answers, name))) for name in ("direct", "explain")}
    return {**asked, "proposition": proposition_form(answers.proposition)}


def proposition_form(params: PropositionParams) -> PropositionForm:
    """The form for propositions, from its parameters."""
    return PropositionForm("proposition", options="hidden", ending="", letters=False, **dict(params))
