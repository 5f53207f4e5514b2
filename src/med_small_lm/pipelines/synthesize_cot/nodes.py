"""Nodes of ``synthesize_cot``."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Question, Rationale, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.report import contamination_rows, uses_by_method
from med_small_lm.synthesis.exemplars import EXEMPLAR_SPLIT
from med_small_lm.synthesis.gates.sifting import sift_rationales
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.kinds import SINGLE
from med_small_lm.synthesis.rationales import HIDDEN, METHODS, rationale_requests, rationales_from
from med_small_lm.teacher.prompts import Prompt

NODE = "write_rationales"


def write_rationales(
    questions: pd.DataFrame,
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
    **gold_shown: Prompt,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rationales that pass every gate, the rejected ones, the contamination report, and what was asked.

    They are of questions of single choice. ``prompt`` asks with the right answer hidden; its rationales come first.
    ``gold_shown`` are the prompts of the other styles by name.
    """
    asked_for, pages = to_rows(questions[questions["kind"] == SINGLE], Question), passages_of_books(passages)
    exemplars = to_rows(benchmarks[benchmarks["split"] == EXEMPLAR_SPLIT], Question)
    prompts, sampling = {HIDDEN: prompt, **gold_shown}, teacher_params.sampling()
    asked = [
        one
        for style, asks in prompts.items()
        for one in rationale_requests(asked_for, pages, asks, params, sampling, style, exemplars)
    ]
    asked, replies = ask("rationales", asked, teacher, teacher_params, pages)
    style_of = {asks.id: METHODS[style] for style, asks in prompts.items()}
    methods = [style_of[one.request.task] for one in asked]
    drafts, rejected = list[Rationale](), list[Rationale]()
    for method in style_of.values():
        own = [place for place, name in enumerate(methods) if name == method]
        found, misses = rationales_from([asked[place] for place in own], [replies[place] for place in own], method)
        drafts += found
        rejected += misses
    exams = exams_of(benchmarks, book_exam)
    guards = guards_of(exams, asked_for, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    hits: list[list[Hit]] = []
    kept, stopped = sift_rationales(drafts, asked_for, pages, guards, params.gates, hits)
    rejected += stopped
    use = uses_by_method(NODE, methods, replies, Counter(rationale.method for rationale in kept))
    log_outcome("rationales", kept, rejected, pages, teacher_params)
    return (
        to_frame(kept, Rationale),
        to_frame(rejected, Rationale),
        to_frame(contamination_rows(guards, {"rationales": hits}), Contamination),
        to_frame(use, TeacherUse),
    )
