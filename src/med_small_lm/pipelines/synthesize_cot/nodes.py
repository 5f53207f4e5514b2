"""Nodes of ``synthesize_cot``."""

from __future__ import annotations

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.errors import UserError
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.gates import CONTAMINATION
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rationales import METHOD, rationale_requests, rationales_from
from med_small_lm.synthesis.report import contamination_rows, reached, teacher_use
from med_small_lm.synthesis.sifting import sift_rationales
from med_small_lm.teacher.prompts import Prompt


def write_rationales(
    questions: pd.DataFrame,
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rationales that pass every gate, the rejected ones, the contamination report, and what was asked.

    Raises:
        UserError: Not one rationale is left; a preview tells that with its verdicts.
    """
    asked_for, pages = to_rows(questions, Question), passages_of_books(passages)
    asked = rationale_requests(asked_for, pages, prompt, params, teacher_params.sampling())
    asked, replies = ask("rationales", asked, teacher, teacher_params, pages)
    drafts, misses = rationales_from(asked, replies)
    exams = to_rows(pd.concat([benchmarks, book_exam], ignore_index=True), Question)
    guards = guards_of(exams, asked_for, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    kept, stopped = sift_rationales(drafts, asked_for, pages, guards, params.gates)
    rejected = [*misses, *stopped]
    log_outcome("rationales", kept, rejected, pages, teacher_params)
    if not kept and not teacher_params.sample:
        raise UserError("no rationale passed the gates: see rationales_rejected for the reasons")
    by_id = {question.question_id: question for question in asked_for}
    met = [r for r in reached([*kept, *rejected], CONTAMINATION) if isinstance(r, Rationale)]
    documents = [question_document(by_id[rationale.question_id], [rationale]) for rationale in met]
    return (
        to_frame(kept, Rationale),
        to_frame(rejected, Rationale),
        to_frame(contamination_rows(guards, {"rationales": documents}), Contamination),
        to_frame(teacher_use("write_rationales", METHOD, replies, len(kept)), TeacherUse),
    )
