"""Nodes of the instruction sets from outside: gathered, rewritten by the teacher, their instructions paraphrased."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from itertools import islice

import pandas as pd

from med_small_lm.datasets.teacher import TeacherAccess
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.params.answers import Answers
from med_small_lm.params.synthesize_cot import SynthesizeCot
from med_small_lm.params.teacher import TeacherParams
from med_small_lm.pipelines.synthesize_cot.privacy import private_gate
from med_small_lm.pipelines.teaching import ask, exams_of, log_outcome
from med_small_lm.schemas.rows import Contamination, Instruction, InstructionReport, TeacherUse
from med_small_lm.schemas.tables import to_frame, to_rows
from med_small_lm.synthesis import paraphrases, rewriting
from med_small_lm.synthesis.accounts.report import contamination_rows, teacher_use
from med_small_lm.synthesis.gates.verdicts import CONTAMINATION, contamination
from med_small_lm.synthesis.graphs.prompts import wordings
from med_small_lm.synthesis.heldout import guards_of
from med_small_lm.teacher.prompts import Prompt
from med_small_lm.tuning.instructions.gather import Gathered, gather
from med_small_lm.tuning.instructions.pools import shared_instructions
from med_small_lm.tuning.instructions.sources import InstructionSource

LOG = logging.getLogger(__name__)
OWN = "own"
"""The licence of the instructions that stand in the user's parameters and in this project."""


def gather_instructions(
    benchmarks: pd.DataFrame, book_exam: pd.DataFrame, params: SynthesizeCot, **sets: InstructionSource
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The sets' records that may be trained on as they are, those to be rewritten first, the others, and two reports.

    The reports are the counts and the contamination. All are empty where ``instructions.yml`` names no set.
    """
    guards, found = list[ContaminationIndex](), Gathered()
    hits: list[list[Hit]] = []
    if sets:
        told = params.instructions
        guards = _guards(benchmarks, book_exam, params)
        private, looked_for = private_gate(told.names_model)
        judge = partial(contamination, guards=guards, found=hits)
        found = gather(sets.values(), judge, private, params.seed, told.shown, looked_for)
        if any(source.chats for source in sets.values()):
            LOG.info("looked for in chats: %s", looked_for)
    ways = _ways(sets)
    return (
        to_frame([record for record in found.kept if not ways[record.source]], Instruction),
        to_frame([record for record in found.kept if ways[record.source]], Instruction),
        to_frame(found.rejected, Instruction),
        to_frame(found.reports, InstructionReport),
        to_frame(_contamination(guards, found.reports, hits), Contamination),
    )


def rewrite_instructions(
    instructions_raw: pd.DataFrame,
    benchmarks: pd.DataFrame,
    book_exam: pd.DataFrame,
    clean: Prompt,
    flashcard: Prompt,
    heading: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
    **sets: InstructionSource,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The records that the teacher has rewritten, those that a gate stopped, contamination, and what was asked."""
    records, ways = to_rows(instructions_raw, Instruction), _ways(sets)
    prompts = {rewriting.CLEAN: clean, rewriting.FLASHCARD: flashcard, rewriting.HEADING: heading}
    asked, rejected = rewriting.rewriting_requests(records, ways, prompts, teacher_params.sampling())
    units = [one.passage for one in asked]
    private, _ = private_gate(params.instructions.names_model if asked else None)  # before anything is paid for
    asked, replies = ask("rewritings", asked, teacher, teacher_params, units) if asked else ([], [])
    drafts, misses = rewriting.rewritten_from(asked, replies, records, ways)
    guards = _guards(benchmarks, book_exam, params) if drafts else []
    hits: list[list[Hit]] = []
    kept, stopped = rewriting.sift_rewritten(drafts, records, guards, private, params.rewriting, hits)
    rejected = [*rejected, *misses, *stopped]
    if records:
        log_outcome("rewritings", kept, rejected, units, teacher_params)
    return (
        to_frame(kept, Instruction),
        to_frame(rejected, Instruction),
        to_frame(contamination_rows(guards, {"rewritings": hits}), Contamination),
        to_frame(teacher_use("rewrite_instructions", rewriting.METHOD, replies, len(kept)), TeacherUse),
    )


def paraphrase_instructions(
    instructions: pd.DataFrame,
    rewritings: pd.DataFrame,
    graph_prompts: pd.DataFrame,
    answers: Answers,
    prompt: Prompt,
    teacher: TeacherAccess,
    teacher_params: TeacherParams,
    params: SynthesizeCot,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The paraphrases of the instructions that many examples share, the rejected ones, and what was asked for them."""
    shared = {form.instruction: OWN for form in (answers.explain, answers.direct) if form.instruction}
    shared |= shared_instructions([*to_rows(instructions, Instruction), *to_rows(rewritings, Instruction)])
    shared |= {text: OWN for ways in wordings().values() for text in ways} if len(graph_prompts) else {}
    per, sampling = params.paraphrases.per_instruction, teacher_params.sampling()
    asked = paraphrases.paraphrase_requests(shared, prompt, per, params.seed, sampling)
    units = [one.passage for one in asked]
    asked, replies = ask("paraphrases", asked, teacher, teacher_params, units) if asked else ([], [])
    kept, rejected = paraphrases.paraphrases_from(asked, replies)
    if asked:
        log_outcome("paraphrases", kept, rejected, units, teacher_params)
    use = teacher_use("paraphrase_instructions", paraphrases.METHOD, replies, len(kept))
    return to_frame(kept, Instruction), to_frame(rejected, Instruction), to_frame(use, TeacherUse)


def _ways(sets: dict[str, InstructionSource]) -> dict[str, str]:
    """How each set's records are rewritten, by its name; empty for not at all."""
    return {source.name: source.rewrite for source in sets.values()}


def _guards(benchmarks: pd.DataFrame, book_exam: pd.DataFrame, params: SynthesizeCot) -> list[ContaminationIndex]:
    exams = exams_of(benchmarks, book_exam)
    return guards_of(exams, coverage=params.instructions.coverage, fuzzy=params.instructions.fuzzy)


def _contamination(
    guards: Sequence[ContaminationIndex], sets: Sequence[InstructionReport], hits: Sequence[list[Hit]]
) -> list[Contamination]:
    """What the gate found in each set: ``hits`` has all sets' records that came to it, one set behind the other."""
    rest = iter(hits)
    met = {one.source: one.kept + sum(s.count for s in one.stopped if s.gate == CONTAMINATION) for one in sets}
    return contamination_rows(guards, {source: list(islice(rest, n)) for source, n in met.items()})
