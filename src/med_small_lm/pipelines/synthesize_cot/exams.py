"""The node of ``synthesize_cot`` that asks for rationales of the exams' own train splits."""

from __future__ import annotations

import logging

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Passage, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.exam_rationales import METHOD, TRAIN, exam_requests, item_passage, train_items
from med_small_lm.synthesis.exemplars import EXEMPLAR_SPLIT
from med_small_lm.synthesis.gates.sifting import sift_exam_rationales
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.synthesis.rationales import rationales_from
from med_small_lm.teacher.prompts import Prompt

LOG = logging.getLogger(__name__)
NODE = "write_exam_rationales"


def write_exam_rationales(
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    passages: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
    making: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The exams' train items that have a kept rationale, those rationales, the rejected ones, and the two reports.

    All are empty, and nothing is asked, where no exam has a train split. What is near to an item of another split, or
    of the books' own exam, is not trained on; passages of held-out sections are not shown.
    """
    exams = exams_of(benchmarks, book_exam)
    items = train_items(exams, params.exams.share)
    pages = _shown(passages, making) if items and params.exams.passages else []
    exemplars = [question for question in exams if question.split == EXEMPLAR_SPLIT]
    sampling = teacher_params.sampling()
    asked = exam_requests(items, exemplars, pages, prompt, params.exams, params.samples, sampling)
    about = [item_passage(item) for item in items]
    asked, replies = ask("exam rationales", asked, teacher, teacher_params, about) if asked else ([], [])
    drafts, rejected = rationales_from(asked, replies, METHOD)
    others = {question.split for question in exams} - {TRAIN}
    guards = guards_of(exams, (), sorted(others), params.gates.coverage, params.gates.fuzzy) if items else []
    found: list[list[Hit]] = []
    kept, stopped = sift_exam_rationales(drafts, items, guards, params.gates, making.gates, found)
    rejected += stopped
    if items:
        log_outcome("exam rationales", kept, rejected, about, teacher_params)
    if items and not kept:
        LOG.warning("no exam rationale was kept: see exam_rationales_rejected, and synthesize_cot.exams.passages")
    solved = {rationale.question_id for rationale in kept}
    return (
        to_frame([item for item in items if item.question_id in solved], Question),
        to_frame(kept, Rationale),
        to_frame(rejected, Rationale),
        to_frame(contamination_rows(guards, {"exam rationales": found}), Contamination),
        to_frame(teacher_use(NODE, METHOD, replies, len(kept)), TeacherUse),
    )


def _shown(passages: pd.DataFrame, making: GenerateQuestions) -> list[Passage]:
    """The passages that may be shown: of books, and of no section that is held out."""
    rows = passages_of_books(passages)
    held = held_out_passages(rows, making.held_out_share, making.seed)
    return [passage for passage in rows if passage.passage_id not in held]
