"""The nodes of knowledge augmentation: what the injection corpus reads beside the passages."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Rephrasing, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.coverage import step_of
from med_small_lm.synthesis.accounts.report import contamination_rows, uses_by_method
from med_small_lm.synthesis.gates.rephrasings import without_exams
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.rephrasings import rephrasing_requests, rephrasings_from
from med_small_lm.teacher.prompts import Prompt


def rephrase_passages(
    passages: pd.DataFrame,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
    **prompts: Prompt,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The passages' facts in other words, in short, one by one and linked; the rejected texts, and what was asked.

    ``prompts`` are those of the methods by name.
    """
    rows = passages_of_books(passages)
    asked = rephrasing_requests(rows, prompts, params, teacher_params.sampling())
    asked, replies = ask("rephrasings", asked, teacher, teacher_params, rows)
    drafts, misses = rephrasings_from(asked, replies, params)
    log_outcome("rephrasing drafts", drafts, misses, rows, teacher_params, is_last=False)
    methods, made = [one.request.task for one in asked], Counter(step_of(draft.method) for draft in drafts)
    use = uses_by_method("rephrase_passages", methods, replies, made)
    return to_frame(drafts, Rephrasing), to_frame(misses, Rephrasing), to_frame(use, TeacherUse)


def gate_rephrasings(
    drafts: pd.DataFrame,
    misses: pd.DataFrame,
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The texts that copy no exam's item, all rejected ones, and the contamination report."""
    exams = exams_of(benchmarks, book_exam)
    guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    found: list[list[Hit]] = []
    rows = passages_of_books(passages)
    kept, rejected = without_exams(to_rows(drafts, Rephrasing), rows, exams, guards, found)
    log_outcome("rephrasings", kept, rejected, rows, teacher_params)
    return (
        to_frame(kept, Rephrasing),
        pd.concat([misses, to_frame(rejected, Rephrasing)], ignore_index=True),
        to_frame(contamination_rows(guards, {"rephrasings": found}), Contamination),
    )
