"""How a question becomes a prompt and the replies that are compared: in turns of a chat, or in plain text.

::

    chat    <system> Answer. <user> Which …? (A) … (B) … <assistant> The answer is (B
    plain   Question: Which …?
            A. …
            B. …
            Answer: B

A chat asks as the project's models are taught. The plain layouts are lm-evaluation-harness' of the same benchmarks, for
any causal model, and are cut into tokens as it cuts them, so that scores can be laid beside published ones. Behind
examples that holds of MMLU alone, where each subject has its own; other tasks of the harness draw theirs otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from os.path import commonprefix
from typing import Literal, Protocol

from med_small_lm.answers.forms import Form, right_option
from med_small_lm.benchmarks.models import Tokenizer, answered_text, prompt_text, token_ids
from med_small_lm.schemas.rows import Option, Question

Compared = Literal["option_text", "letter"]
"""What is compared: the options' texts after a prompt that need not list them, or their letters after one that does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as tokens: the prompt that all its options share, and what each option goes on with."""

    prompt: list[int]
    replies: list[list[int]]

    @property
    def shared(self) -> list[int]:
        """The tokens with which all replies begin, short of the last one of the shortest."""
        return list(commonprefix([reply[:-1] for reply in self.replies]))

    @property
    def row(self) -> list[int]:
        """What all options share: the prompt, and the beginning of the replies."""
        return self.prompt + self.shared

    @property
    def tails(self) -> list[list[int]]:
        """What tells the options apart, at least one token each."""
        begin = len(self.shared)
        return [reply[begin:] for reply in self.replies]

    @property
    def longest(self) -> int:
        """The tokens that a model reads of the longest option's sequence: all but the last, which is only foretold."""
        return len(self.prompt) + max(map(len, self.replies)) - 1


class Prompts(Protocol):
    """A way to ask."""

    def opening(self, question: Question) -> str:
        """What stands before examples and question; questions of one opening begin alike."""

    def ask(self, tokenizer: Tokenizer, questions: Sequence[Question]) -> list[Asked]:
        """The questions as tokens."""


@dataclass(frozen=True, slots=True)
class ChatPrompts:
    """Questions as turns of the checkpoint's chat template, behind ``shots``: examples with their right answers.

    Letters are compared up to the letter itself, "The answer is (B", so that one pass tells all of them.
    """

    form: Form
    compared: Compared = "option_text"
    shots: tuple[Question, ...] = ()

    def opening(self, question: Question) -> str:
        """Nothing: a chat's instruction is the same for all questions."""
        return ""

    def ask(self, tokenizer: Tokenizer, questions: Sequence[Question]) -> list[Asked]:
        """Returns the questions as tokens.

        Prompt and reply are cut into tokens as one text, and parted where their tokens part from the prompt's alone: a
        token that spans the seam belongs to the reply.
        """
        form, texts = self._form, list[str]()
        for question in questions:
            texts.append(prompt_text(tokenizer, form, question, self.shots))
            texts += [answered_text(tokenizer, form, question, self._reply(o), self.shots) for o in question.options]
        ids = iter(token_ids(tokenizer, texts))
        asked = []
        for question in questions:
            alone, whole = next(ids), [next(ids) for _ in question.options]
            split = len(commonprefix([alone, *whole]))
            asked.append(Asked(alone[:split], [one[split:] for one in whole]))
        return asked

    @property
    def _form(self) -> Form:
        return replace(self.form, options="listed", letters=True) if self.compared == "letter" else self.form

    def _reply(self, option: Option) -> str:
        return self._form.letter(option) if self.compared == "letter" else self._form.answer(option)


@dataclass(frozen=True, slots=True)
class Layout:
    """The labels of a plain text; ``opening`` may name the question's ``{subject}``."""

    opening: str = ""
    context: str = ""
    stem: str = "Question: "
    choices: str = ""
    cue: str = "Answer:"

    @property
    def is_by_subject(self) -> bool:
        """Whether each subject has examples of its own."""
        return "{subject}" in self.opening


LAYOUTS = {
    "medqa": Layout(),
    "medmcqa": Layout(choices="Choices:\n"),
    "pubmedqa": Layout(context="Abstract: "),
    "mmlu": Layout("The following are multiple choice questions (with answers) about {subject}.\n\n", stem=""),
}
"""lm-evaluation-harness' layouts by task: medqa_4options, medmcqa, pubmedqa and the MMLU subjects."""


@dataclass(frozen=True, slots=True)
class PlainPrompts:
    """Questions as plain text, behind ``shots``: examples with their right answers, a blank line after each.

    Options are listed where their letters are compared; their texts follow the question alone (as in HEAD-QA or ARC).
    Behind an opening about a subject stand that subject's examples alone.
    """

    layout: Layout
    compared: Compared = "option_text"
    shots: tuple[Question, ...] = ()

    def opening(self, question: Question) -> str:
        """The layout's first words, about the question's subject."""
        return self.layout.opening.format(subject=question.subject.replace("_", " "))

    def ask(self, tokenizer: Tokenizer, questions: Sequence[Question]) -> list[Asked]:
        """Returns the questions as tokens, cut as lm-evaluation-harness cuts them (``_encode_pair``).

        The prompt is the tokens of its own text, a reply those of the whole text from that number on, whatever the seam
        merged; white space at the prompt's end belongs to the reply, and a tokenizer adds what it adds to any text.
        """
        texts = [text for question in questions for text in self.texts(question)]
        ids = iter(tokenizer(texts)["input_ids"])
        asked = []
        for question in questions:
            prompt = list(next(ids))
            whole = [list(next(ids)) for _ in question.options]
            split = min(len(prompt), min(map(len, whole)) - 1)  # a seam that merged a whole reply leaves its last token
            asked.append(Asked(prompt[:split], [one[split:] for one in whole]))
        return asked

    def texts(self, question: Question) -> list[str]:
        """The prompt alone, then with each option behind it."""
        own = [one for one in self.shots if one.subject == question.subject or not self.layout.is_by_subject]
        examples = "".join(f"{self._put(shot)} {self._said(right_option(shot))}\n\n" for shot in own)
        prompt = self.opening(question) + examples + self._put(question)
        return [prompt.rstrip(), *(f"{prompt} {self._said(option)}" for option in question.options)]

    def _put(self, question: Question) -> str:
        layout = self.layout
        lines = [layout.context + question.context] if question.context else []
        lines.append(layout.stem + question.stem)
        if self.compared == "letter":
            lines.append(layout.choices + "\n".join(f"{option.key}. {option.text}" for option in question.options))
        return "\n".join([*lines, layout.cue])

    def _said(self, option: Option) -> str:
        return option.key if self.compared == "letter" else option.text


def solved(examples: Sequence[Question], asked: Sequence[Question] = ()) -> list[Question]:
    """Returns the examples that may stand before questions: with one right option, and none that is ``asked``."""
    known = {question.stem for question in asked}
    return [one for one in examples if one.options and len(one.answer_keys) == 1 and one.stem not in known]


def draw_shots(examples: Sequence[Question], k: int, seed: int) -> tuple[Question, ...]:
    """Returns ``k`` of the examples in the order drawn, the same head for all questions; none where they are fewer."""
    return tuple(random.Random(seed).sample(list(examples), k)) if k <= len(examples) else ()


def first_shots(examples: Sequence[Question], k: int, subjects: Iterable[str]) -> tuple[Question, ...]:
    """Returns the first ``k`` examples of each subject in their order, as MMLU's own; none where one has fewer."""
    own = [[one for one in examples if one.subject == subject][:k] for subject in sorted({*subjects})]
    return tuple(chain.from_iterable(own)) if all(len(each) == k for each in own) else ()


def variant_of(compared: Compared, shots: int, normalise: str = "sum", layout: str = "") -> str:
    """Returns what predictions call a way to ask: "option_text/0-shot", "letter/5-shot", "letter/5-shot/plain-mmlu"."""
    how = compared if normalise == "sum" else f"{compared}-{normalise}"
    return f"{how}/{shots}-shot" + (f"/plain-{layout}" if layout else "")
