"""The node of the dialogues: patient and doctor, from a kept question and its kept rationale."""

from __future__ import annotations

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.synthesize_cot.privacy import private_gate
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Instruction, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.dialogues import METHOD, dialogue_requests, dialogues_from, sift_dialogues
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rationales import METHODS, OPTIONWISE
from med_small_lm.teacher.prompts import Prompt


def write_dialogues(
    questions: pd.DataFrame,
    rationales: pd.DataFrame,
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The dialogues that pass every gate, the rejected ones, the contamination report, and what was asked."""
    about, pages = to_rows(questions, Question), passages_of_books(passages)
    told = [one for one in to_rows(rationales, Rationale) if one.method != METHODS[OPTIONWISE]]  # nobody names letters
    reasons = {one.question_id: one for one in reversed(told)}
    sampling = teacher_params.sampling()
    asked = dialogue_requests(about, reasons, pages, prompt, params.dialogues, params.seed, sampling)
    wanted = params.dialogues.share > 0  # a preview that draws no question says so
    private, _ = private_gate(params.instructions.names_model if asked else None)  # before anything is paid for
    asked, replies = ask("dialogues", asked, teacher, teacher_params, pages) if wanted else ([], [])
    drafts, misses = dialogues_from(asked, replies, reasons, params.dialogues)
    guards: list[ContaminationIndex] = []
    if drafts:
        exams = exams_of(benchmarks, book_exam)
        style = [one.question for one in asked if one.question]
        guards = guards_of(exams, style, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    hits: list[list[Hit]] = []
    kept, stopped = sift_dialogues(drafts, asked, guards, private, params.dialogues, hits)
    rejected = [*misses, *stopped]
    log_outcome("dialogues", kept, rejected, pages, teacher_params)
    return (
        to_frame(kept, Instruction),
        to_frame(rejected, Instruction),
        to_frame(contamination_rows(guards, {"dialogues": hits}), Contamination),
        to_frame(teacher_use("write_dialogues", METHOD, replies, len(kept)), TeacherUse),
    )
