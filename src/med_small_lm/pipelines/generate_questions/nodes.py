"""Nodes of ``generate_questions``."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.errors import UserError
from med_small_lm.overlap.contamination import Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.teaching import ask, log_outcome, passages_of_books
from med_small_lm.schemas.rows import Contamination, ExamFault, Question, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use, uses_by_method
from med_small_lm.synthesis.exemplars import EXEMPLAR_SPLIT
from med_small_lm.synthesis.gates.judging import judge_requests, judged, judgements
from med_small_lm.synthesis.gates.sifting import sift_questions, sound_questions
from med_small_lm.synthesis.heldout import guards_of, held_out_passages
from med_small_lm.synthesis.questions import kind_of, kind_requests, method_of, question_requests, questions_from
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.teacher.requests import Reply


def gather_benchmarks(**exams: pd.DataFrame) -> pd.DataFrame:
    """The questions of all exams, the books' own among them, all splits, under the exam's name as ``source``.

    They are exemplars of style, and what no training record may hold.

    Raises:
        UserError: Two exams call their questions the same, so that nothing could be told of either.
    """
    every = pd.concat([frame.assign(source=name) for name, frame in exams.items()], ignore_index=True)
    twice = every[every["question_id"].duplicated(keep=False)]
    if len(twice):
        named, example = " and ".join(dict.fromkeys(twice["source"])), twice["question_id"].iloc[0]
        n = twice["question_id"].nunique()
        raise UserError(f"benchmarks.yml: {named}: {n:,} question_ids are the same (as {example}): give one other ids")
    return every


def gather_faults(**faults: pd.DataFrame) -> pd.DataFrame:
    """The lines of all exams that are no question that can be answered, with the reason: they are asked of nobody."""
    return pd.concat([to_frame([], ExamFault), *faults.values()], ignore_index=True)


def write_questions(
    passages: pd.DataFrame,
    benchmarks: pd.DataFrame,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: GenerateQuestions,
    **prompts: Prompt,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The questions that the teacher wrote on the passages and found sound, the others, and what was asked for them.

    Questions on held-out sections are of split ``test``: they make the books' own exam, of single choice alone.
    ``prompts`` are those of the further kinds and of the judgements, by name; a judgement is asked of what passes the
    gates that cost nothing.
    """
    rows, sampling = passages_of_books(passages), teacher_params.sampling()
    held_out = held_out_passages(rows, params.held_out_share, params.seed)
    exemplars = to_rows(benchmarks[benchmarks["split"] == EXEMPLAR_SPLIT], Question)
    asked = question_requests(rows, exemplars, prompt, params, sampling)
    training = [passage for passage in rows if passage.passage_id not in held_out]
    asked += kind_requests(training, exemplars, prompts, params, sampling)
    asked, replies = ask("questions", asked, teacher, teacher_params, rows)
    drafts, misses = questions_from(asked, replies, held_out)
    methods, made = [method_of(kind_of(one)) for one in asked], Counter(draft.method for draft in drafts)
    use = uses_by_method("write_questions", methods, replies, made)
    drafts, unsound = sound_questions(drafts, rows, params.gates)
    misses += unsound
    for name, (judge, share) in judgements(params).items():
        prompted = prompts[name], sampling, share, params.judges.votes
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

    There may be none: what that is worth is for ``check_coverage`` to say, when all is accounted for.
    """
    exams = to_rows(benchmarks, Question)
    guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    exemplars = [question for question in exams if question.split == EXEMPLAR_SPLIT]
    rows = passages_of_books(passages)
    found: list[list[Hit]] = []
    embed = None
    if params.gates.duplicate_model:
        from med_small_lm.tuning.embedding import embedder

        embed = embedder(params.gates.duplicate_model)
    drawn = to_rows(drafts, Question)
    kept, rejected = sift_questions(drawn, guards, exemplars, params.gates, params.seed, found, embed)
    train = [question for question in kept if question.split == "train"]
    held_out = [question for question in kept if question.split != "train"]
    log_outcome("questions", train, rejected, rows, teacher_params)
    if held_out:
        log_outcome("questions of the books' own exam", held_out, [], rows, teacher_params)
    return (
        to_frame(train, Question),
        pd.concat([misses, to_frame(rejected, Question)], ignore_index=True),
        to_frame(held_out, Question),
        to_frame(contamination_rows(guards, {"questions": found}), Contamination),
    )
