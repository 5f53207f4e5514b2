"""Nodes that account for what the teacher was asked: the coverage ledger, its check, the page and the pictures."""

from __future__ import annotations

import logging

import pandas as pd
import plotly.graph_objects as go

from med_small_lm.errors import UserError
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.schemas.rows import (
    Coverage,
    Instruction,
    Passage,
    Question,
    Rationale,
    Rephrasing,
    SourceReport,
    TeacherUse,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis import pictures
from med_small_lm.synthesis.coverage import Made, coverage_of
from med_small_lm.synthesis.page import page
from med_small_lm.synthesis.reconciling import by_step, shortages, unreconciled
from med_small_lm.synthesis.report import with_kept

LOG = logging.getLogger(__name__)
SHOWN = 5  # faults in one line

QUESTIONS = ("questions", "book_exam", "questions_rejected")
RATIONALES = ("rationales", "rationales_rejected")
REPHRASINGS = ("rephrasings", "rephrasings_rejected")
CHATS: tuple[str, ...] = ()
"""The datasets of all that the teacher wrote, what the gates stopped among it."""
USES = ("teacher_use_questions", "teacher_use_rephrasings", "teacher_use_rationales")
"""What the nodes that ask the teacher say of their calls."""


def report_teacher(questions: pd.DataFrame, book_exam: pd.DataFrame, **uses: pd.DataFrame) -> pd.DataFrame:
    """What was asked of the teacher by every node and method, what it cost, and what a kept record cost.

    A question is kept when it has passed the gates, which comes after its node: drafts that they stop cost as well.
    """
    kept = with_kept(uses.pop("teacher_use_questions"), len(questions) + len(book_exam))
    return pd.concat([kept, *uses.values()], ignore_index=True)


def report_synthesis(
    passages: pd.DataFrame,
    ingest_report: pd.DataFrame,
    book_exercises: pd.DataFrame,
    teacher_report: pd.DataFrame,
    teacher_params: TeacherParams,
    **records: pd.DataFrame,
) -> tuple[pd.DataFrame, str, go.Figure, go.Figure, go.Figure, go.Figure, go.Figure]:
    """The coverage ledger, the page on the synthesis, and the pictures of coverage, gates, books, answers, lengths."""
    made = Made(
        [row for name in QUESTIONS for row in to_rows(records[name], Question)],
        [row for name in RATIONALES for row in to_rows(records[name], Rationale)],
        [row for name in REPHRASINGS for row in to_rows(records[name], Rephrasing)],
        [row for name in CHATS for row in to_rows(records[name], Instruction) if row.call_id],
    )
    use = to_rows(teacher_report, TeacherUse)
    lines = coverage_of(
        to_rows(passages, Passage),
        to_rows(ingest_report, SourceReport),
        to_rows(book_exercises, Question),
        made,
        use,
        is_preview=bool(teacher_params.sample),
    )
    for step, own in by_step(lines).items():
        states = ", ".join(
            f"{state} {n:,}" for state, n in pd.Series([line.state for line in own]).value_counts().items()
        )
        LOG.info("coverage by %s: %s passages: %s", step, f"{len(own):,}", states)
    return (
        to_frame(lines, Coverage),
        page(lines, unreconciled(lines, use), made, use),
        pictures.coverage_figure(lines),
        pictures.gates_figure(made),
        pictures.books_figure(lines),
        pictures.answers_figure(made.questions),
        pictures.lengths_figure(made),
    )


def check_coverage(
    coverage: pd.DataFrame, teacher_report: pd.DataFrame, teacher_params: TeacherParams, params: SynthesizeCot
) -> None:
    """Nothing, if every passage is accounted for and no book has come to too little.

    Raises:
        UserError: Counts do not agree, or a step kept too little of a book, or too many of its calls failed; a preview
            tells the latter two with its verdicts.
    """
    lines = to_rows(coverage, Coverage)
    faults = unreconciled(lines, to_rows(teacher_report, TeacherUse))
    if faults:
        raise UserError(
            f"the coverage ledger does not reconcile: {_said(faults)}; "
            "run generate_questions and synthesize_cot again, so that all records are of one run"
        )
    short = [] if teacher_params.sample else shortages(lines, params.coverage)
    if short:
        raise UserError(
            f"too little came of the books: {_said(short)}; coverage and synthesis_report tell more, and all records "
            "are kept; synthesize_cot.coverage (kept_min, failed_max) lets less pass"
        )


def _said(faults: list[str]) -> str:
    """The first faults, and how many there are besides."""
    return "; ".join(faults[:SHOWN]) + (f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else "")
