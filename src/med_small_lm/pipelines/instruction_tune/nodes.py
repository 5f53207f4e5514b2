"""Nodes of ``instruction_tune``. The training code, and torch with it, is imported when a node runs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from med_small_lm.answers.forms import forms_of
from med_small_lm.errors import UserError
from med_small_lm.overlap.contamination import ContaminationIndex
from med_small_lm.params.answers import Answers
from med_small_lm.params.instruction_tune import InstructionTune
from med_small_lm.schemas.rows import (
    Contamination,
    Conversation,
    CorpusText,
    Instruction,
    InstructionReport,
    LicenceUse,
    Question,
    Rationale,
    TrainingStep,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.gates import CONTAMINATION, contamination
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.phi import kinds, phi
from med_small_lm.synthesis.report import contamination_rows
from med_small_lm.tracking.artifacts import log_metrics
from med_small_lm.tuning.checkpoint import Checkpoint
from med_small_lm.tuning.instructions.gather import Gathered, conversations_of, document, gather
from med_small_lm.tuning.instructions.sources import InstructionSource
from med_small_lm.tuning.licences import licence_uses, licences_of, terms_in_words

LOG = logging.getLogger(__name__)


def gather_instructions(
    benchmarks: pd.DataFrame, book_exam: pd.DataFrame, params: InstructionTune, **sets: InstructionSource
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The records of the instruction sets that may be trained on, the others, the counts, and the contamination report.

    All four are empty where ``instructions.yml`` names no set.
    """
    guards, found = [], Gathered()
    if sets:
        exams = to_rows(pd.concat([benchmarks, book_exam], ignore_index=True), Question)
        told = params.instructions
        guards = guards_of(exams, coverage=told.coverage, fuzzy=told.fuzzy)
        found = gather(sets.values(), partial(contamination, guards=guards), phi, params.seed, told.shown)
        if any(source.chats for source in sets.values()):
            LOG.info("in chats were looked for: %s; names have no form and were not", ", ".join(kinds()))
    return (
        to_frame(found.kept, Instruction),
        to_frame(found.rejected, Instruction),
        to_frame(found.reports, InstructionReport),
        to_frame(_contamination(guards, found), Contamination),
    )


def _contamination(guards: Sequence[ContaminationIndex], found: Gathered) -> list[Contamination]:
    """What the gate stopped of each set; only what it stopped is looked through again."""
    stopped = [record for record in found.rejected if record.gates[-1].gate == CONTAMINATION]
    hit = {one.source: [document(r) for r in stopped if r.source == one.source] for one in found.reports}
    met = {one.source: one.kept + len(hit[one.source]) for one in found.reports}
    return [replace(row, n_records=met[row.source]) for row in contamination_rows(guards, hit)]


def assemble_conversations(
    questions: pd.DataFrame,
    rationales: pd.DataFrame,
    instructions: pd.DataFrame,
    graph_prompts: pd.DataFrame,
    answers: Answers,
    params: InstructionTune,
) -> pd.DataFrame:
    """The training examples: each kept question with its kept rationale, in the forms that models are asked in.

    Behind them come the kept records of the instruction sets and those of the knowledge graphs.

    Raises:
        UserError: No question has a rationale, and there is no instruction set, so there is nothing to tune on.
    """
    from med_small_lm.tuning.conversations import build_conversations

    examples = build_conversations(
        to_rows(questions, Question),
        to_rows(rationales, Rationale),
        forms_of(answers),
        params.conversations,
        params.seed,
    )
    examples += conversations_of(to_rows(instructions, Instruction))
    examples += conversations_of(to_rows(graph_prompts, Instruction))
    if not examples:
        raise UserError("no question was kept with a rationale: see questions_rejected and rationales_rejected")
    asked = len({example.question_id for example in examples if example.question_id})
    beside = f", {len(instructions)} records of instruction sets" if len(instructions) else ""
    beside += f", {len(graph_prompts)} prompts of knowledge graphs" if len(graph_prompts) else ""
    LOG.info("%d conversations from %d questions%s", len(examples), asked, beside)
    return to_frame(examples, Conversation)


def list_licences(corpus: pd.DataFrame, conversations: pd.DataFrame) -> pd.DataFrame:
    """The licences of all that is trained on, with the terms that go over to what is built from it."""
    texts, examples = to_rows(corpus, CorpusText), to_rows(conversations, Conversation)
    if bound := terms_in_words(licences_of(texts, examples)):
        LOG.info("terms that bind the models: %s", bound)
    return to_frame(licence_uses(texts, examples), LicenceUse)


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
