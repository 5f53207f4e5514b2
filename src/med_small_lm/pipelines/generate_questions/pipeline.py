"""``generate_questions``: questions through their gates, the books' own exam, and rephrasings for the corpus."""

from __future__ import annotations

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from med_small_lm.params.generate_questions import Kinds
from med_small_lm.pipelines.generate_questions import augmentation, nodes
from med_small_lm.pipelines.generate_questions.cases import write_cases
from med_small_lm.pipelines.generate_questions.graphs import prompt_graphs
from med_small_lm.pipelines.generate_questions.refusals import write_refusals
from med_small_lm.synthesis.rephrasings import METHODS

PARAMS = "params:generate_questions"
JUDGES = ("support", "one_right", "answerable", "obvious")
KINDS = tuple(Kinds.model_fields)
TEACHER = ["teacher", "params:teacher"]


def create_pipeline(exams: Sequence[str], graphs: Sequence[str]) -> Pipeline:
    """The pipeline; ``exams`` are all that ``benchmarks.yml`` names, ``graphs`` all that ``graphs.yml`` does."""
    return Pipeline([*_exams(exams), *_questions(), *_for_the_corpus(), _graphs(graphs)])


def _exams(exams: Sequence[str]) -> list[Node]:
    """The exams: exemplars of style, and what no training record may hold."""
    return [
        Node(
            nodes.gather_benchmarks,
            {exam: f"evaluate.{exam}.questions" for exam in exams} | {"book_exercises": "book_exercises"},
            "benchmarks",
            name="gather_benchmarks",
        ),
        Node(
            nodes.gather_faults,
            {f"exam_{exam}": f"generate_questions.{exam}.faults" for exam in exams},
            "benchmarks_rejected",
            name="gather_faults",
        ),
    ]


def _questions() -> list[Node]:
    """What the teacher asks on the passages, and what it should refuse."""
    return [
        Node(
            nodes.write_questions,
            {"passages": "passages", "benchmarks": "benchmarks", "prompt": "question_prompt"}
            | {"teacher": TEACHER[0], "teacher_params": TEACHER[1], "params": PARAMS}
            | {judge: f"{judge}_prompt" for judge in JUDGES}
            | {kind: f"question_{kind}_prompt" for kind in KINDS},
            ["question_drafts", "question_misses", "teacher_use_questions"],
            name="write_questions",
            tags="paid",
        ),
        Node(
            nodes.gate_questions,
            ["question_drafts", "question_misses", "passages", "benchmarks", TEACHER[1], PARAMS],
            ["questions", "questions_rejected", "book_exam", "contamination_questions"],
            name="gate_questions",
        ),
        Node(
            write_cases,
            ["passages", "benchmarks", "book_exam", "case_prompt", *TEACHER, PARAMS],
            ["cases", "cases_rejected", "contamination_cases", "teacher_use_cases"],
            name="write_cases",
            tags="paid",
        ),
        Node(
            write_refusals,
            ["passages", "benchmarks", "book_exam", "graph_prompts", "refusal_prompt", *TEACHER, PARAMS],
            ["refusals", "refusals_rejected", "contamination_refusals", "teacher_use_refusals"],
            name="write_refusals",
            tags="paid",
        ),
    ]


def _for_the_corpus() -> list[Node]:
    """The passages in other words, for the injection corpus."""
    return [
        Node(
            augmentation.rephrase_passages,
            {"passages": "passages", "teacher": TEACHER[0], "teacher_params": TEACHER[1], "params": PARAMS}
            | {method: f"{method}_prompt" for method in METHODS},
            ["rephrasing_drafts", "rephrasing_misses", "teacher_use_rephrasings"],
            name="rephrase_passages",
            tags="paid",
        ),
        Node(
            augmentation.gate_rephrasings,
            ["rephrasing_drafts", "rephrasing_misses", "passages", "benchmarks", "book_exam", TEACHER[1], PARAMS],
            ["rephrasings", "rephrasings_rejected", "contamination_rephrasings"],
            name="gate_rephrasings",
        ),
    ]


def _graphs(graphs: Sequence[str]) -> Node:
    """The prompts of the knowledge graphs."""
    return Node(
        prompt_graphs,
        {"benchmarks": "benchmarks", "book_exam": "book_exam", "params": PARAMS}
        | {f"graph_{name}": f"generate_questions.{name}.graph" for name in graphs},
        ["graph_prompts", "graph_prompts_rejected", "graphs_report", "contamination_graphs"],
        name="prompt_graphs",
    )
