"""A model that is loaded in this process, asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from med_small_lm.answers.forms import Form, PropositionForm
from med_small_lm.benchmarks.answered import Reply
from med_small_lm.benchmarks.decoding import Draw
from med_small_lm.benchmarks.generation import replies
from med_small_lm.benchmarks.likelihood import option_scores
from med_small_lm.benchmarks.models import Model, Tokenizer, context_length, prompt_text, token_ids
from med_small_lm.benchmarks.prompts import LAYOUTS, ChatPrompts, Compared, PlainPrompts, Prompts
from med_small_lm.benchmarks.runs import DRAWN, LIKELIHOOD, Run
from med_small_lm.params.evaluate import Evaluate
from med_small_lm.schemas.rows import KeyScore, Question


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A causal language model with its tokenizer; ``told`` is called with how many prompts it has answered.

    ``seed`` is that of the replies that are drawn.
    """

    model: Model
    tokenizer: Tokenizer
    params: Evaluate
    seed: int
    told: Callable[[int, int], None] | None = None

    def write(self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]) -> list[Reply]:
        """Returns a written reply to each question."""
        params = self.params
        return replies(
            self.model, self.tokenizer, questions, form, max_new_tokens=params.max_new_tokens,
            batch_tokens=params.batch_tokens, shots=shots, early_stop=params.early_stop, progress=self.told,
            draw=Draw(params.temperature, params.top_p, self.seed) if run.beside == DRAWN else None,
        )  # fmt: skip

    def score(
        self, questions: Sequence[Question], run: Run, form: Form, shots: Sequence[Question]
    ) -> list[list[KeyScore]]:
        """Returns the log-probability of each option of each question, nothing where it does not fit."""
        prompts = self._prompts(run, form, shots)
        return option_scores(
            self.model, self.tokenizer, questions, prompts, batch_tokens=self.params.batch_tokens,
            shared_prefix=self.params.shared_prefix, progress=self.told,
        )  # fmt: skip

    def fits(self, question: Question, run: Run, form: Form, shots: Sequence[Question]) -> bool:
        """Returns whether the prompt and the longest answer to it fit the context."""
        limit = context_length(self.model)
        if run.mode == LIKELIHOOD:
            return self._prompts(run, form, shots).ask(self.tokenizer, [question])[0].longest <= limit
        [ids] = token_ids(self.tokenizer, [prompt_text(self.tokenizer, form, question, shots)])
        return len(ids) + self.params.max_new_tokens <= limit

    def _prompts(self, run: Run, form: Form, shots: Sequence[Question]) -> Prompts:
        compared: Compared = "letter" if run.how == "letter" else "option_text"
        if self.params.layout == "chat" or isinstance(form, PropositionForm):
            return ChatPrompts(form, compared, tuple(shots))
        return PlainPrompts(LAYOUTS[self.params.layout], compared, tuple(shots))
