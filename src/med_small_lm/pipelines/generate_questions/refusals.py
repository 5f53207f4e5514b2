"""The node of the refusals: questions that should not be answered as they are asked, with the reply to them."""

from __future__ import annotations

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Instruction, Question, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.synthesis.invented import known_words
from med_small_lm.synthesis.refusals import METHOD, refusal_requests, refusals_from, sift_refusals
from med_small_lm.teacher.prompts import Prompt


def write_refusals(
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    graph_prompts: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The refusals that pass every gate, the rejected ones, the contamination report, and what was asked.

    Held-out sections lend none: what they say is the book exam's.
    """
    pages = passages_of_books(passages)
    held = held_out_passages(pages, params.held_out_share, params.seed)
    exams = exams_of(benchmarks, book_exam)
    known = known_words([*passages["text"], *_texts(exams), *_said(to_rows(graph_prompts, Instruction))])
    free = [passage for passage in pages if passage.passage_id not in held]
    asked = refusal_requests(free, prompt, params, known, teacher_params.sampling())
    asked, replies = ask("refusals", asked, teacher, teacher_params, pages) if asked else ([], [])
    drafts, misses, told = refusals_from(asked, replies, params.refusals)
    guards: list[ContaminationIndex] = []
    if drafts:
        guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    hits: list[list[Hit]] = []
    kept, stopped = sift_refusals(drafts, told, free, known, guards, params.gates, hits)
    rejected = [*misses, *stopped]
    log_outcome("refusals", kept, rejected, pages, teacher_params)
    return (
        to_frame(kept, Instruction),
        to_frame(rejected, Instruction),
        to_frame(contamination_rows(guards, {"refusals": hits}), Contamination),
        to_frame(teacher_use("write_refusals", METHOD, replies, len(kept)), TeacherUse),
    )


def _texts(exams: list[Question]) -> list[str]:
    return [text for q in exams for text in (q.context, q.stem, q.answer_text, *(option.text for option in q.options))]


def _said(prompts: list[Instruction]) -> list[str]:
    return [message.content for prompt in prompts for message in prompt.messages]
