"""Nodes of ``instruction_tune``. The training code, and torch with it, is imported when a node runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from med_small_lm.answers.forms import forms_of
from med_small_lm.errors import UserError
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.schemas.rows import Conversation, CorpusText, Question, Rationale, TrainingStep
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tracking.artifacts import log_metrics
from med_small_lm.tuning.checkpoint import Checkpoint

LOG = logging.getLogger(__name__)


def assemble_conversations(
    questions: pd.DataFrame, rationales: pd.DataFrame, answers: Answers, params: InstructionTune
) -> pd.DataFrame:
    """The training examples: each kept question with its kept rationale, in the forms that models are asked in.

    Raises:
        UserError: No question has a rationale, so there is nothing to tune on.
    """
    from med_small_lm.tuning.conversations import build_conversations

    examples = build_conversations(
        to_rows(questions, Question),
        to_rows(rationales, Rationale),
        forms_of(answers),
        params.conversations,
        params.seed,
    )
    if not examples:
        raise UserError("no question was kept with a rationale: see questions_rejected and rationales_rejected")
    LOG.info("%d conversations from %d questions", len(examples), len({e.question_id for e in examples}))
    return to_frame(examples, Conversation)


def tune(
    injected: Checkpoint, conversations: pd.DataFrame, corpus: pd.DataFrame, params: InstructionTune, models: str
) -> tuple[Checkpoint, pd.DataFrame]:
    """The injected model after tuning on the conversations, the books replayed beside, and the curve."""
    from med_small_lm.tuning.tune import tune as train

    checkpoint, history = train(
        injected,
        to_rows(conversations, Conversation),
        to_rows(corpus, CorpusText),
        params.tune,
        params.seed,
        Path(models) / "tuned",
        log_metrics,
    )
    return checkpoint, to_frame([TrainingStep(**row) for row in history], TrainingStep)
