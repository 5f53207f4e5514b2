"""The node of the knowledge graphs: their prompts, through the contamination gate."""

from __future__ import annotations

import logging
from dataclasses import replace

import pandas as pd

from med_small_lm.errors import UserError
from med_small_lm.overlap.contamination import ContaminationIndex, Hit
from med_small_lm.params.generate_questions import GenerateQuestions
from med_small_lm.pipelines.teaching import exams_of
from med_small_lm.schemas.rows import Contamination, GraphFile, Instruction
from med_small_lm.schemas.tables import to_frame
from med_small_lm.synthesis.accounts.report import contamination_rows
from med_small_lm.synthesis.gates.verdicts import contamination
from med_small_lm.synthesis.graphs.model import GraphSource
from med_small_lm.synthesis.graphs.prompts import document, examples_of
from med_small_lm.synthesis.graphs.reading import OK, read_graph
from med_small_lm.synthesis.graphs.store import GraphStore
from med_small_lm.synthesis.heldout import guards_of

LOG = logging.getLogger(__name__)


def prompt_graphs(
    benchmarks: pd.DataFrame, book_exam: pd.DataFrame, params: GenerateQuestions, **graphs: GraphSource
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The prompts that may be trained on, those that hold an exam's fact, what became of each file, contamination.

    All four are empty where ``graphs.yml`` names no graph.

    Raises:
        UserError: There are graphs, and none of them says anything.
    """
    made: list[Instruction] = []
    files: list[GraphFile] = []
    for source in graphs.values():
        own, told = _prompts(source, params.seed)
        made += own
        files += told
    if graphs and not made:
        raise UserError("no knowledge graph gives a prompt: " + "; ".join(map(_said, files)))
    judged, guards, found = _judged(made, benchmarks, book_exam, params)
    kept = [one for one in judged if one.gates[0].verdict != "fail"]
    rejected = [one for one in judged if one.gates[0].verdict == "fail"]
    if graphs:
        LOG.info("prompts of knowledge graphs: kept %d, dropped %d (contamination)", len(kept), len(rejected))
    by_graph: dict[str, list[list[Hit]]] = {source.name: [] for source in graphs.values()}
    for one, hits in zip(judged, found, strict=True):
        by_graph[one.source].append(hits)
    return (
        to_frame(kept, Instruction),
        to_frame(rejected, Instruction),
        to_frame(files, GraphFile),
        to_frame(contamination_rows(guards, by_graph), Contamination),
    )


def _judged(
    made: list[Instruction], benchmarks: pd.DataFrame, book_exam: pd.DataFrame, params: GenerateQuestions
) -> tuple[list[Instruction], list[ContaminationIndex], list[list[Hit]]]:
    """The prompts with the contamination gate's verdict, its indexes, and what each prompt hit in them."""
    if not made:
        return [], [], []
    exams = exams_of(benchmarks, book_exam)
    guards = guards_of(exams, coverage=params.gates.coverage, fuzzy=params.gates.fuzzy)
    found: list[list[Hit]] = []
    verdicts = contamination(map(document, made), guards, found)
    return [replace(one, gates=[said]) for one, said in zip(made, verdicts, strict=True)], guards, found


def _prompts(source: GraphSource, seed: int) -> tuple[list[Instruction], list[GraphFile]]:
    """The prompts drawn of one graph, and what became of its files, which the log tells."""
    with GraphStore() as store:
        files = read_graph(source, store)
        made = list(examples_of(source, store, seed))
        counts = (len(made), store.n_entities, store.n_pairs)
    LOG.info("%s: %d prompts drawn of %d descriptions and %d related pairs", source.name, *counts)
    for file in files:
        if file.status != OK or file.malformed or not file.used:
            LOG.warning("%s", _said(file))
    return made, files


def _said(file: GraphFile) -> str:
    """A file's status with the reason, what it left out where that is all, or its first malformed rows."""
    name = f"{file.graph}: {file.file}"
    if file.status != OK:
        return f"{name} is {file.status}: {file.reason}"
    if not file.used:
        left_out = ", ".join(f"{one.reason} {one.count}" for one in file.left_out)
        return f"{name} gives nothing: {file.rows - file.malformed} of {file.rows} rows left out: {left_out}"
    shown = "; ".join(f"line {one.line}: {one.reason}: {one.text!r}" for one in file.faults)
    return f"{name}: {file.malformed} malformed of {file.rows} rows skipped: {shown}"
