"""The ways in which a benchmark is put to a model: each is a mode and a variant of the predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.benchmarks.prompts import Compared, variant_of
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import Question

LIKELIHOOD, GENERATION = "likelihood", "generation"
STEM_HIDDEN, DRAWN, PERMUTED, CONTEXT = "stem_hidden", "sc", "permuted", "context"


@dataclass(frozen=True, slots=True)
class Run:
    """One way.

    Attributes:
        mode: likelihood or generation.
        how: what the likelihood compares (option_text, letter, proposition), or the form that is written in.
        shots: examples before each question.
        beside: what it does beside the plain way: stem_hidden, sc, permuted, context; empty for nothing.
        value: of ``sc`` and ``permuted`` how many samples, of ``context`` whose answers are shown.
    """

    mode: str
    how: str
    shots: int
    beside: str = ""
    value: str = ""

    @property
    def samples(self) -> int:
        """Answers to each question."""
        return int(self.value) if self.beside in (DRAWN, PERMUTED) else 1

    @property
    def form(self) -> str:
        """The name of the form in which questions are put."""
        return self.how if self.how in ("explain", "direct", "proposition") else "direct"

    def variant(self, normalise: str = "sum", layout: str = "chat") -> str:
        """What predictions call it, beside its mode."""
        if self.beside == STEM_HIDDEN:
            return f"{STEM_HIDDEN}/{self.shots}-shot"
        if self.mode == LIKELIHOOD:
            worded = "" if layout == "chat" or self.how == "proposition" else layout  # a proposition is asked in turns
            plain = variant_of(cast(Compared, self.how), self.shots, normalise, worded)
        else:
            plain = f"{self.how}/{self.shots}-shot"
        told = {"": "", CONTEXT: f"/context={self.value}"}.get(self.beside, f"/{self.beside}{self.value}")
        return plain + told

    def takes(self, question: Question) -> bool:
        """Whether it can be put so: what has no options can only be answered in words, and once: texts have no vote."""
        closed = bool(question.options) and question.kind != "open"
        worded = self.mode == GENERATION and self.how != "proposition"
        return closed or (worded and self.beside not in (PERMUTED, DRAWN))


def runs_of(params: Evaluate, forms: Mapping[str, Form]) -> list[Run]:
    """Returns all ways that the parameters name: the plain ones, each with what is done beside it.

    Another order of options is tried only where the prompt shows them.
    """
    runs: list[Run] = []
    for mode in params.modes:
        for shots in params.shots:
            for how in params.compared if mode == LIKELIHOOD else params.written:
                plain = Run(mode, how, shots)
                runs.append(plain)
                runs += _beside(plain, params, forms)
    return runs


def _beside(plain: Run, params: Evaluate, forms: Mapping[str, Form]) -> Iterator[Run]:
    told = plain.mode, plain.how, plain.shots
    if plain.mode == LIKELIHOOD and plain.how == params.compared[0]:
        yield from (Run(*told, control) for control in params.controls)
    if plain.mode == GENERATION and params.samples > 1:
        yield Run(*told, DRAWN, str(params.samples))
    if params.permutations and shows_options(plain, forms, params.layout):
        yield Run(*told, PERMUTED, str(params.permutations))
    yield from (Run(*told, CONTEXT, whose) for whose in params.contexts)


def shows_options(run: Run, forms: Mapping[str, Form], layout: str = "chat") -> bool:
    """Returns whether the prompt lists the options, so that their order may matter."""
    form = forms[run.form]
    if run.how == "letter":
        return True
    return form.options == "listed" and not isinstance(form, PropositionForm) and (
        run.mode == GENERATION or layout == "chat")  # fmt: skip


def taken(run: Run, questions: Sequence[Question]) -> list[Question]:
    """Returns the questions that can be put so."""
    return [question for question in questions if run.takes(question)]
