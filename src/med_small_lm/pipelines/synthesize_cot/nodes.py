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
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.exemplars import EXEMPLAR_SPLIT
from med_small_lm.synthesis.gates.sifting import sift_rationales
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.synthesis.kinds import SINGLE
from med_small_lm.synthesis.rationales import HIDDEN, METHODS, rationale_requests, rationales_from
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

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
    drafts, rejected, answered = list[Rationale](), list[Rationale](), dict[str, list[Reply]]()
    for style, asks in prompts.items():
        own = [place for place, one in enumerate(asked) if one.request.task == asks.id]
        method, answered[METHODS[style]] = METHODS[style], [replies[place] for place in own]
        found, misses = rationales_from([asked[place] for place in own], answered[method], method)
        drafts += found
        rejected += misses
    exams = exams_of(benchmarks, book_exam)
    guards = guards_of(exams, asked_for, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    hits: list[list[Hit]] = []
    kept, stopped = sift_rationales(drafts, asked_for, pages, guards, params.gates, hits)
    rejected += stopped
    counts = Counter(rationale.method for rationale in kept)
    use = [line for method, own in answered.items() for line in teacher_use(NODE, method, own, counts[method])]
    log_outcome("rationales", kept, rejected, pages, teacher_params)
    return (
        to_frame(kept, Rationale),
        to_frame(rejected, Rationale),
        to_frame(contamination_rows(guards, {"rationales": hits}), Contamination),
        to_frame(use, TeacherUse),
    )
