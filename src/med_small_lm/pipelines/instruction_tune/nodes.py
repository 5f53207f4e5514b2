"""Nodes of ``instruction_tune``. The training code, and torch with it, is imported when a node runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from med_small_lm.answers.forms import forms_of
from med_small_lm.errors import UserError
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.params.launch import Launch
from med_small_lm.schemas.rows import (
    Conversation,
    CorpusText,
    Instruction,
    LicenceUse,
    Perplexity,
    Question,
    Rationale,
    TrainingStep,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.tracking.artifacts import log_metrics
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.instructions.gather import conversations_of
from med_small_lm.tuning.instructions.pools import Pools
from med_small_lm.tuning.licences import licence_uses, licences_of, terms_in_words

LOG = logging.getLogger(__name__)
SOLVED = ("questions", "rationales", "exam_questions", "exam_rationales", "cases")
"""The datasets of questions and of the reasoning that leads to their answers."""
CHATS = {
    "dialogues": "dialogues",
    "refusals": "refusals",
    "instructions": "records of instruction sets",
    "rewritings": "rewritten ones",
    "graph_prompts": "prompts of knowledge graphs",
}
"""The datasets of conversations that are no exam questions, and what the log calls them."""


def assemble_conversations(
    questions: pd.DataFrame,
    rationales: pd.DataFrame,
    exam_questions: pd.DataFrame,
    exam_rationales: pd.DataFrame,
    cases: pd.DataFrame,
    paraphrases: pd.DataFrame,
    coverage_check: str,
    answers: Answers,
    params: InstructionTune,
    **chats: pd.DataFrame,
) -> pd.DataFrame:
    """The training examples: each kept question with its kept rationale, in the forms that models are asked in.

    Behind those on the books come the exams' own train items and the cases, then the conversations that are no exam
    questions. Instructions of which there are paraphrases stand in the wording that is drawn for each example. It waits
    for the coverage's check where that is part of the run.

    Raises:
        UserError: No question has a rationale, and there is no conversation beside, so there is nothing to tune on.
    """
    from med_small_lm.tuning.conversations import build_conversations

    taught = [question for question in to_rows(cases, Question) if question.split == "train"]  # others make the exam
    examples = build_conversations(
        [*to_rows(questions, Question), *to_rows(exam_questions, Question), *taught],
        [*to_rows(rationales, Rationale), *to_rows(exam_rationales, Rationale)],
        forms_of(answers),
        params.conversations,
        params.seed,
    )
    for name in CHATS:
        examples += conversations_of(to_rows(chats[name], Instruction))
    if not examples:
        raise UserError("no question was kept with a rationale: see questions_rejected and rationales_rejected")
    asked = len({example.question_id for example in examples if example.question_id})
    beside = "".join(f", {len(chats[name])} {what}" for name, what in CHATS.items() if len(chats[name]))
    LOG.info("%d conversations from %d questions%s; coverage: %s", len(examples), asked, beside, coverage_check)
    return to_frame(Pools(to_rows(paraphrases, Instruction), params.seed).worded(examples), Conversation)


def list_licences(corpus: pd.DataFrame, conversations: pd.DataFrame) -> pd.DataFrame:
    """The licences of all that is trained on, with the terms that go over to what is built from it."""
    texts, examples = to_rows(corpus, CorpusText), to_rows(conversations, Conversation)
    if bound := terms_in_words(licences_of(texts, examples)):
        LOG.info("terms that bind the models: %s", bound)
    return to_frame(licence_uses(texts, examples), LicenceUse)


def tune(
    injected: Checkpoint,
    conversations: pd.DataFrame,
    corpus: pd.DataFrame,
    params: InstructionTune,
    launch: Launch,
    models: str,
) -> tuple[Checkpoint, pd.DataFrame, pd.DataFrame]:
    """The injected model after tuning on the conversations, books replayed beside; its curve, and what it forgot."""
    from med_small_lm.tuning.tune import tune as train

    examples, texts = to_rows(conversations, Conversation), to_rows(corpus, CorpusText)
    made = train(injected, examples, texts, params.tune, params.seed, Path(models) / "tuned", log_metrics, launch)
    history = [TrainingStep(**row) for row in made.history]
    return made.checkpoint, to_frame(history, TrainingStep), to_frame(made.perplexities, Perplexity)
