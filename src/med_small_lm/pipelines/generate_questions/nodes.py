"""Nodes of ``generate_questions``."""

from __future__ import annotations

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.errors import UserError
from med_small_lm.overlap.documents import question_document
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, Question, Rephrasing, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.gates import CONTAMINATION
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.synthesis.judging import judge_requests, judged, judgements
from med_small_lm.synthesis.questions import METHOD, question_requests, questions_from
from med_small_lm.synthesis.rephrasings import rephrasing_requests, rephrasings_from
from med_small_lm.synthesis.report import contamination_rows, reached, teacher_use
from med_small_lm.synthesis.sifting import sift_questions, sound_questions
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply

EXEMPLARS = "dev"


def gather_benchmarks(**exams: pd.DataFrame) -> pd.DataFrame:
    """The questions of all exams, the books' own among them, all splits, under the exam's name as ``source``.

    They are exemplars of style, and what no training record may hold.
    """
    return pd.concat([frame.assign(source=name) for name, frame in exams.items()], ignore_index=True)


def write_questions(
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
    **judges: Prompt,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The questions that the teacher wrote on the passages and found sound, the others, and what was asked for them.

    Questions on held-out sections are of split ``test``: they make the books' own exam. ``judges`` are the prompts of
    the judgements by name; they are asked of what passes the gates that cost nothing.
    """
    rows = passages_of_books(passages)
    exemplars = to_rows(benchmarks[benchmarks["split"] == EXEMPLARS], Question)
    asked = question_requests(rows, exemplars, prompt, params, teacher_params.sampling())
    asked, replies = ask("questions", asked, teacher, teacher_params, rows)
    drafts, misses = questions_from(asked, replies, held_out_passages(rows, params.held_out_share, params.seed))
    use = teacher_use("write_questions", METHOD, replies, len(drafts))
    drafts, unsound = sound_questions(drafts, rows, params.gates)
    misses += unsound
    for name, (judge, share) in judgements(params).items():
        prompted = judges[name], teacher_params.sampling(), share, params.judges.votes
        checks, verdicts = judge_requests(judge, drafts, rows, *prompted), list[Reply]()
        if share:
            checks, verdicts = ask(name, checks, teacher, teacher_params, rows)
        drafts, stopped = judged(judge, drafts, checks, verdicts, share)
        misses += stopped
        use += teacher_use("write_questions", name, verdicts, len(drafts))
    log_outcome("question drafts", drafts, misses, rows, teacher_params, is_last=False)
    return to_frame(drafts, Question), to_frame(misses, Question), to_frame(use, TeacherUse)


def gate_questions(
    drafts: pd.DataFrame,
    misses: pd.DataFrame,
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The questions that pass every gate, the rejected ones, the books' own exam, and the contamination report.

    Raises:
        UserError: Not one training question is left; a preview tells that with its verdicts.
    """
    exams = to_rows(benchmarks, Question)
    guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    exemplars = [question for question in exams if question.split == EXEMPLARS]
    rows = passages_of_books(passages)
    kept, rejected = sift_questions(to_rows(drafts, Question), guards, exemplars, params.gates, params.seed)
    train = [question for question in kept if question.split == "train"]
    held_out = [question for question in kept if question.split != "train"]
    log_outcome("questions", train, rejected, rows, teacher_params)
    if held_out:
        log_outcome("questions of the books' own exam", held_out, [], rows, teacher_params)
    if not train and not teacher_params.sample:
        raise UserError("no question passed the gates: see question_misses and questions_rejected for the reasons")
    met = [q for q in reached([*train, *rejected], CONTAMINATION) if isinstance(q, Question)]
    report = contamination_rows(guards, {"questions": [question_document(question) for question in met]})
    return (
        to_frame(train, Question),
        pd.concat([misses, to_frame(rejected, Question)], ignore_index=True),
        to_frame(held_out, Question),
        to_frame(report, Contamination),
    )


def rephrase_passages(
    passages: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The passages' facts in other words, the rejected texts, and what was asked for them."""
    rows = passages_of_books(passages)
    asked = rephrasing_requests(rows, prompt, params, teacher_params.sampling())
    asked, replies = ask("rephrasings", asked, teacher, teacher_params, rows)
    kept, rejected = rephrasings_from(asked, replies, params)
    log_outcome("rephrasings", kept, rejected, rows, teacher_params)
    use = teacher_use("rephrase_passages", "rephrasing", replies, len(kept))
    return to_frame(kept, Rephrasing), to_frame(rejected, Rephrasing), to_frame(use, TeacherUse)
