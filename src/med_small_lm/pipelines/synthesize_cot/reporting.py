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
    ExamFault,
    GraphFile,
    Instruction,
    InstructionReport,
    Passage,
    Question,
    Rationale,
    Rephrasing,
    SourceReport,
    TeacherUse,
)
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts import pictures
from med_small_lm.synthesis.accounts.coverage import Made, coverage_of
from med_small_lm.synthesis.accounts.outside import Outside
from med_small_lm.synthesis.accounts.page import page
from med_small_lm.synthesis.accounts.reconciling import by_step, shortages, unreconciled
from med_small_lm.synthesis.accounts.report import with_kept

LOG = logging.getLogger(__name__)
SHOWN = 5  # faults in one line

BESIDE = (
    *("passages", "ingest_report", "book_exercises", "benchmarks", "benchmarks_rejected"),
    *("graphs_report", "instructions_report", "teacher_report"),
)
"""What is accounted for beside the teacher's records."""
QUESTIONS = ("questions", "book_exam", "questions_rejected")
CASES = ("cases", "cases_rejected")
RATIONALES = ("rationales", "rationales_rejected", "exam_rationales", "exam_rationales_rejected")
REPHRASINGS = ("rephrasings", "rephrasings_rejected")
CHATS = (
    *("refusals", "refusals_rejected", "dialogues", "dialogues_rejected"),
    *("rewritings", "rewritings_rejected", "paraphrases", "paraphrases_rejected"),
)
"""The datasets of all that the teacher wrote, what the gates stopped among it."""
USES = (
    *("teacher_use_questions", "teacher_use_cases", "teacher_use_rephrasings", "teacher_use_refusals"),
    *("teacher_use_rationales", "teacher_use_exam_rationales", "teacher_use_dialogues"),
    *("teacher_use_rewritings", "teacher_use_paraphrases"),
)
"""What the nodes that ask the teacher say of their calls."""
GATED_LATER = {"teacher_use_questions": QUESTIONS, "teacher_use_rephrasings": REPHRASINGS}
"""Those of nodes whose records pass the last gates in another node, and these records."""


def report_teacher(**frames: pd.DataFrame) -> pd.DataFrame:
    """What was asked of the teacher by every node and method, what it cost, and what a kept record cost.

    Where gates come in a later node than the calls, the drafts that they stop cost as well.
    """
    uses = {use: frames[use] for use in USES}
    for use, datasets in GATED_LATER.items():
        methods = {name: list(frames[name]["method"]) for name in datasets}
        kept = [method for name, own in methods.items() if not name.endswith("_rejected") for method in own]
        uses[use] = with_kept(uses[use], kept, {method for own in methods.values() for method in own})
    return pd.concat(uses.values(), ignore_index=True)


def report_synthesis(
    passages: pd.DataFrame,
    ingest_report: pd.DataFrame,
    book_exercises: pd.DataFrame,
    benchmarks: pd.DataFrame,
    benchmarks_rejected: pd.DataFrame,
    graphs_report: pd.DataFrame,
    instructions_report: pd.DataFrame,
    teacher_report: pd.DataFrame,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
    **records: pd.DataFrame,
) -> tuple[pd.DataFrame, str, go.Figure, go.Figure, go.Figure, go.Figure, go.Figure]:
    """The coverage ledger, the page on the synthesis, and the pictures of coverage, gates, books, answers, lengths."""
    made = Made(
        [row for name in (*QUESTIONS, *CASES) for row in to_rows(records[name], Question)],
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
        dict(zip(benchmarks["question_id"], benchmarks["source"], strict=True)),
        params.styles.hidden.share,
        is_preview=bool(teacher_params.sample),
    )
    outside = Outside(
        to_rows(benchmarks_rejected, ExamFault),
        to_rows(graphs_report, GraphFile),
        to_rows(instructions_report, InstructionReport),
    )
    for step, own in by_step(lines).items():
        states = ", ".join(
            f"{state} {n:,}" for state, n in pd.Series([line.state for line in own]).value_counts().items()
        )
        LOG.info("coverage by %s: %s %ss: %s", step, f"{len(own):,}", own[0].unit, states)
    return (
        to_frame(lines, Coverage),
        page(lines, unreconciled(lines, use), made, use, outside),
        pictures.coverage_figure(lines),
        pictures.gates_figure(made),
        pictures.books_figure(lines),
        pictures.answers_figure(made.questions),
        pictures.lengths_figure(made),
    )


def check_coverage(
    coverage: pd.DataFrame, teacher_report: pd.DataFrame, teacher_params: TeacherParams, params: SynthesizeCot
) -> str:
    """One line that training waits for, if every passage is accounted for and no book has come to too little.

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
            f"too little came of the books: {_said(short)}; the catalog's synthesis_report and coverage tell more, and "
            "all answers and records are kept; to go on with what there is: "
            "--params synthesize_cot.coverage.kept_min=0,synthesize_cot.coverage.failed_max=1"
        )
    kept = sum(line.kept for own in by_step(lines).values() for line in own)
    return f"all counts agree, {kept:,} records of the teacher's are kept"


def _said(faults: list[str]) -> str:
    """The first faults, and how many there are besides."""
    return "; ".join(faults[:SHOWN]) + (f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else "")
