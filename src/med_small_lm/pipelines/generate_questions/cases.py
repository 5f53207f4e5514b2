"""The node of the progressive cases."""

from __future__ import annotations

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Question, TeacherUse
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.cases import METHOD, case_requests, cases_from
from med_small_lm.synthesis.gates.cases import sift_cases, sound_cases
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.teacher.prompts import Prompt


def write_cases(
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The questions of the cases that pass every gate, of the rejected ones, the contamination report, what was asked.

    A case is whole in one of the two. Cases on held-out sections are of split ``test``.
    """
    rows = passages_of_books(passages)
    exams = exams_of(benchmarks, book_exam)
    shown = [question for question in exams if question.split != "test"]
    asked = case_requests(rows, shown, prompt, params.cases, params.seed, teacher_params.sampling())
    asked, replies = ask("cases", asked, teacher, teacher_params, rows)
    drafts, rejected = cases_from(asked, replies, held_out_passages(rows, params.held_out_share, params.seed))
    drafts, unsound = sound_cases(drafts, rows, params.cases, params.gates)
    hits: list[list[Hit]] = []
    guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy) if drafts else []
    kept, stopped = sift_cases(drafts, guards, shown, params.gates, hits)
    rejected += [*unsound, *stopped]
    log_outcome("questions of progressive cases", kept, rejected, rows, teacher_params)
    return (
        to_frame(kept, Question),
        to_frame(rejected, Question),
        to_frame(contamination_rows(guards, {"cases": hits}), Contamination),
        to_frame(teacher_use("write_cases", METHOD, replies, len(kept)), TeacherUse),
    )
